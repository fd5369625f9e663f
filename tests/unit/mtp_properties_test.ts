/**
 * Properties of objects and of the device, one by one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  ALL,
  DataType,
  DeviceProperty,
  EventCode,
  ObjectProperty,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import { DatasetWriter } from "../../src/classes/mtp/protocol/dataset.ts";
import { FORMATS } from "../../src/classes/mtp/protocol/formats.ts";
import { PROPERTIES } from "../../src/classes/mtp/responder/properties.ts";
import { Responder } from "../support/mtp/calls.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const {
  GetObjectPropsSupported,
  GetObjectPropDesc,
  GetObjectPropValue,
  SetObjectPropValue,
  GetDevicePropDesc,
  GetDevicePropValue,
  SetDevicePropValue,
  ResetDevicePropValue,
} = OperationCode;

/** A text as the host sends it. */
const text = (value: string) => ({ data: new DatasetWriter().string(value) });

Deno.test("All formats have the same properties, each with a description", async () => {
  const { responder } = setup();
  for (const format of FORMATS) {
    const list = await responder.read(GetObjectPropsSupported, [format]);
    const codes = list.value(DataType.AUINT16) as number[];
    assertEquals(codes, PROPERTIES.map(({ code }) => code));
    for (const [index, code] of codes.entries()) {
      const description = await responder.read(GetObjectPropDesc, [
        code,
        format,
      ]);
      const { type, isDate } = PROPERTIES[index];
      assertEquals([description.u16(), description.u16()], [code, type]);
      const isFileName = code === ObjectProperty.ObjectFileName;
      assertEquals(description.u8(), isFileName ? 1 : 0);
      description.value(type);
      assertEquals([description.u32(), description.u8()], [0, isDate ? 3 : 0]);
      assertEquals(description.left, 0);
    }
  }
  const refused = (code: number, ...parameters: number[]) =>
    responder.response(code, parameters);
  assertEquals(
    await refused(GetObjectPropsSupported, 0x1_0000),
    "Invalid_ObjectFormatCode",
  );
  assertEquals(
    await refused(GetObjectPropDesc, ObjectProperty.Name, 0x1_0000),
    "Invalid_ObjectFormatCode",
  );
  assertEquals(
    await refused(GetObjectPropDesc, 0xdc46, 0x3000),
    "ObjectProp_Not_Supported",
  );
  assertEquals(
    await refused(GetObjectPropDesc, 0x1001, 0x3000),
    "Invalid_ObjectPropCode",
  );
});

Deno.test("The values of an object's properties", async () => {
  const { responder, store, storage, at } = setup({
    "in": "folder",
    "in/a.txt": "12345",
  });
  store.times.set("in/a.txt", new Date(1999, 11, 31, 23, 59, 58).getTime());
  const file = await at("in/a.txt");
  const value = async (code: number, handle = file) => {
    const { type } = PROPERTIES.find((it) => it.code === code)!;
    const reader = await responder.read(GetObjectPropValue, [handle, code]);
    const found = reader.value(type);
    assertEquals(reader.left, 0);
    return found;
  };
  assertEquals(await value(ObjectProperty.StorageID), storage);
  assertEquals(await value(ObjectProperty.ObjectFormat), 0x3004);
  assertEquals(await value(ObjectProperty.ProtectionStatus), 0);
  assertEquals(await value(ObjectProperty.ObjectSize), 5n);
  assertEquals(await value(ObjectProperty.ObjectFileName), "a.txt");
  assertEquals(await value(ObjectProperty.DateModified), "19991231T235958");
  assertEquals(await value(ObjectProperty.ParentObject), await at("in"));
  assertEquals(await value(ObjectProperty.Name), "a.txt");
  const refused = (...parameters: number[]) =>
    responder.response(GetObjectPropValue, parameters);
  assertEquals(await refused(file, 0xdc46), "ObjectProp_Not_Supported");
  assertEquals(await refused(file, 0xd700), "Invalid_ObjectPropCode");
  assertEquals(
    await refused(999, ObjectProperty.Name),
    "Invalid_ObjectHandle",
  );
});

Deno.test("Identifiers last, and depend on the volume and the path", async () => {
  const seen = new Map<unknown, string>();
  const id = async (volume: string, path: string) => {
    const responder = new Responder();
    const store = new TreeStore();
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (folder !== "") store.put(folder, "folder");
    store.put(path, "");
    responder.add(store, { volume });
    const list = await responder.read(OperationCode.GetObjectHandles, [ALL]);
    const handle = list.array32().at(-1)!;
    const reader = await responder.read(GetObjectPropValue, [
      handle,
      ObjectProperty.PersistentUniqueObjectIdentifier,
    ]);
    return reader.value(DataType.UINT128) as bigint;
  };
  for (const volume of ["one", "two"]) {
    for (const path of ["a", "b", "ab", "ba", "a/b", "b/a", "ä", "a/ab"]) {
      const value = await id(volume, path);
      assert(value > 0n && value < 2n ** 128n);
      assertEquals(await id(volume, path), value);
      assertEquals(seen.get(value), undefined);
      seen.set(value, `${volume}:${path}`);
    }
  }
});

Deno.test("The file name renames an object in its folder", async () => {
  const { responder, store, at, info } = setup({
    "in": "folder",
    "in/a.txt": "1",
    "in/b.txt": "2",
  });
  const [folder, file] = [await at("in"), await at("in/a.txt")];
  const rename = (handle: number, name: string) =>
    responder.response(
      SetObjectPropValue,
      [handle, ObjectProperty.ObjectFileName],
      text(name),
    );
  assertEquals(await rename(file, "ü.jpg"), "OK");
  assertEquals(await rename(folder, "out"), "OK");
  assertEquals([...store.items.keys()].toSorted(), [
    "out",
    "out/b.txt",
    "out/ü.jpg",
  ]);
  const { name, format, parent } = await info(file);
  assertEquals([name, format, parent], ["ü.jpg", 0x3801, folder]);
  assertEquals(await rename(file, "ü.jpg"), "OK");
  assertEquals(await rename(file, "b.txt"), "Access_Denied");
  for (
    const name of ["", ".", "..", "a/b", "../b", "\ud800", "a".repeat(254)]
  ) {
    const isLong = name.length > 200;
    const expected = isLong ? "OK" : "Invalid_ObjectProp_Value";
    assertEquals(await rename(file, name), expected);
  }
  assertEquals(await rename(file, "ä".repeat(128)), "Invalid_ObjectProp_Value");
  assertEquals(responder.events, []);
  Object.assign(store, { rename: undefined });
  assertEquals(await rename(file, "other"), "Access_Denied");
});

Deno.test("Nothing else of an object can be set", async () => {
  const { responder, at } = setup({ "a": "1" });
  const readOnly = responder.add(new TreeStore({ "b": "" }), {
    readOnly: true,
  });
  const file = await at("a");
  const list = await responder.read(OperationCode.GetObjectHandles, [readOnly]);
  const [fixed] = list.array32();
  for (const { code, type, settable } of PROPERTIES) {
    if (settable) continue;
    const value = type === DataType.STR ? "x" : 1;
    const data = new DatasetWriter().value(type, value);
    assertEquals(
      await responder.response(SetObjectPropValue, [file, code], { data }),
      "Access_Denied",
    );
  }
  const name = ObjectProperty.ObjectFileName;
  const refused = (parameters: number[], options = text("new")) =>
    responder.response(SetObjectPropValue, parameters, options);
  assertEquals(await refused([999, name]), "Invalid_ObjectHandle");
  assertEquals(await refused([file, 0xdc46]), "ObjectProp_Not_Supported");
  assertEquals(await refused([file, 0]), "Invalid_ObjectPropCode");
  assertEquals(await refused([fixed, name]), "Store_Read_Only");
  const long = { data: new DatasetWriter().string("new").u8(0) };
  assertEquals(await refused([file, name], long), "Invalid_Dataset");
  const short = { data: new DatasetWriter().u8(9).u16(65) };
  assertEquals(await refused([file, name], short), "Invalid_Dataset");
});

Deno.test("Properties of the device are described, read, set and reset", async () => {
  const { responder, device } = setup({}, { battery: () => 42.4 });
  const describe = async (code: number) => {
    const data = await responder.read(GetDevicePropDesc, [code]);
    assertEquals(data.u16(), code);
    const type = data.u16();
    const settable = data.u8();
    const values = [data.value(type), data.value(type)];
    const form = data.u8() === 1
      ? [data.value(type), data.value(type), data.value(type)]
      : [];
    assertEquals(data.left, 0);
    return [type, settable, ...values, ...form];
  };
  const { UINT8, UINT32, STR } = DataType;
  const {
    BatteryLevel,
    DeviceFriendlyName,
    SynchronizationPartner,
    SessionInitiatorVersionInfo,
    PerceivedDeviceType,
  } = DeviceProperty;
  assertEquals(await describe(BatteryLevel), [UINT8, 0, 100, 42, 0, 100, 1]);
  assertEquals(await describe(PerceivedDeviceType), [UINT32, 0, 0, 0]);
  assertEquals(await describe(SynchronizationPartner), [STR, 1, "", ""]);
  const texts = [
    SynchronizationPartner,
    DeviceFriendlyName,
    SessionInitiatorVersionInfo,
  ];
  for (const code of texts) {
    await responder.ok(SetDevicePropValue, [code], text("sét"));
    const value = await responder.read(GetDevicePropValue, [code]);
    assertEquals(value.string(), "sét");
  }
  assertEquals(await describe(DeviceFriendlyName), [STR, 1, "Friend", "sét"]);
  assertEquals(device.friendlyName, "sét");
  await responder.ok(ResetDevicePropValue, [DeviceFriendlyName]);
  assertEquals(device.friendlyName, "Friend");
  await responder.ok(ResetDevicePropValue, [ALL]);
  assertEquals(await describe(SynchronizationPartner), [STR, 1, "", ""]);
  const level = await responder.read(GetDevicePropValue, [BatteryLevel]);
  assertEquals([level.u8(), level.left], [42, 0]);
  assertEquals(responder.events, []);
});

Deno.test("Properties of the device refuse what they cannot be", async () => {
  const responder = new Responder();
  const { BatteryLevel, DeviceFriendlyName, PerceivedDeviceType } =
    DeviceProperty;
  const codes = [
    GetDevicePropDesc,
    GetDevicePropValue,
    SetDevicePropValue,
    ResetDevicePropValue,
  ];
  for (const code of codes) {
    for (const property of [BatteryLevel, 0, 0x5002]) {
      assertEquals(
        await responder.response(code, [property]),
        "DeviceProp_Not_Supported",
      );
    }
  }
  for (const code of [SetDevicePropValue, ResetDevicePropValue]) {
    assertEquals(
      await responder.response(code, [PerceivedDeviceType]),
      "Access_Denied",
    );
  }
  for (const data of [[], [2, 65, 0], [1, 0, 0, 1]]) {
    assertEquals(
      await responder.response(SetDevicePropValue, [DeviceFriendlyName], {
        data: Uint8Array.from(data),
      }),
      "Invalid_DeviceProp_Format",
    );
  }
});

Deno.test("The host learns of a name that the program gives", () => {
  const { responder, device } = setup();
  device.friendlyName = "New";
  device.friendlyName = "New";
  const code = DeviceProperty.DeviceFriendlyName;
  assertEquals(responder.events, [[EventCode.DevicePropChanged, code]]);
});
