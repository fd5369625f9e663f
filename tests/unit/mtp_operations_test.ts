/**
 * Operations that inform and read: PTP 10.4, MTP 1.1 appendix D.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ALL,
  DeviceProperty,
  EventCode,
  ObjectFormat,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import { FORMATS } from "../../src/classes/mtp/protocol/formats.ts";
import { decodeObjectInfo } from "../../src/classes/mtp/protocol/object_info.ts";
import { devicePropertiesOf } from "../../src/classes/mtp/responder/operations/device_properties.ts";
import { Responder } from "../support/mtp/calls.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const JPEG = 0x3801;
const TEXT = 0x3004;

const decoder = new TextDecoder();

Deno.test("GetDeviceInfo lists what the device can do", async () => {
  const { responder } = setup();
  const info = await responder.read(OperationCode.GetDeviceInfo);
  assertEquals([info.u16(), info.u32(), info.u16()], [100, 6, 100]);
  assertEquals(info.string(), "microsoft.com: 1.0;");
  assertEquals(info.u16(), 0);
  const array16 = () => info.value(0x4004) as number[];
  const operations = array16();
  assertEquals(
    new Set(operations),
    new Set([
      OperationCode.OpenSession,
      OperationCode.CloseSession,
      ...Object.keys(responder.operations).map(Number),
    ]),
  );
  assertEquals(new Set(operations).size, operations.length);
  assertEquals(array16(), Object.values(EventCode));
  assertEquals(array16(), devicePropertiesOf(responder.device));
  assertEquals(array16(), []);
  assertEquals(array16(), FORMATS);
  const texts = Array.from({ length: 4 }, () => info.string());
  assertEquals(texts, ["Maker", "Model", "1.0", "1234"]);
  assertEquals(info.left, 0);
  const { data, withoutSession } =
    responder.operations[OperationCode.GetDeviceInfo];
  assertEquals({ data, withoutSession }, {
    data: "to host",
    withoutSession: true,
  });
});

Deno.test("GetDeviceInfo has the battery only if the program gives its level", async () => {
  const properties = async (responder: Responder) => {
    const info = await responder.read(OperationCode.GetDeviceInfo);
    info.u16(), info.u32(), info.u16(), info.string(), info.u16();
    info.value(0x4004), info.value(0x4004);
    return info.value(0x4004) as number[];
  };
  const code = DeviceProperty.BatteryLevel;
  assert(!(await properties(new Responder())).includes(code));
  const charged = new Responder({ battery: () => 5 });
  assert((await properties(charged)).includes(code));
});

Deno.test("Storages are described, and never share a StorageID", async () => {
  const { responder, storage } = setup();
  const card = new TreeStore();
  card.free = 1000;
  const second = responder.add(card, {
    name: "Card",
    volume: "serial",
    removable: true,
    readOnly: true,
  });
  const ids = async () =>
    (await responder.read(OperationCode.GetStorageIDs)).array32();
  assertEquals(await ids(), [storage, second]);
  const describe = async (id: number) => {
    const info = await responder.read(OperationCode.GetStorageInfo, [id]);
    const values = [info.u16(), info.u16(), info.u16()];
    const room = [info.u64(), info.u64()];
    info.u32();
    return [...values, ...room, info.string(), info.string(), info.left];
  };
  const capacity = 2n ** 41n;
  assertEquals(
    await describe(storage),
    [3, 2, 0, capacity, 2n ** 40n, "Storage", "volume", 0],
  );
  assertEquals(
    await describe(second),
    [4, 2, 1, capacity, 1000n, "Card", "serial", 0],
  );
  assertEquals(
    await responder.response(OperationCode.GetStorageInfo, [77]),
    "Invalid_StorageID",
  );
  responder.device.removeStorage(second);
  const third = responder.add(new TreeStore());
  assertEquals(await ids(), [storage, third]);
  assert(third !== second);
});

Deno.test("A store without limits shows room for everything", async () => {
  const { responder } = setup();
  const list = () => [];
  const look = () => undefined;
  const open = () => Promise.reject(new Error());
  const id = responder.add({ list, look, open });
  const info = await responder.read(OperationCode.GetStorageInfo, [id]);
  assertEquals([info.u16(), info.u16(), info.u16()], [3, 2, 1]);
  assert(info.u64() >= 2n ** 50n && info.u64() >= 2n ** 50n);
});

Deno.test("Storages come and go with events", () => {
  const { responder, storage } = setup();
  const { device, events } = responder;
  const { id } = device.addStorage({
    store: new TreeStore(),
    name: "Card",
    volume: "",
    removable: true,
    readOnly: false,
  });
  device.removeStorage(storage);
  assertEquals(events, [
    [EventCode.StoreAdded, id],
    [EventCode.StoreRemoved, storage],
  ]);
});

Deno.test("GetObjectHandles selects by storage, folder and format", async () => {
  const { responder, storage, handles, info } = setup({
    "a.jpg": "1",
    "b.txt": "2",
    "folder": "folder",
    "folder/c.jpg": "3",
    "folder/deep": "folder",
    "folder/deep/d.txt": "4",
  });
  const other = responder.add(new TreeStore({ "e.jpg": "5" }));
  const select = async (...parameters: number[]) => {
    const { parameters: [count] } = await responder.ok(
      OperationCode.GetNumObjects,
      parameters,
    );
    const found = (await responder.read(
      OperationCode.GetObjectHandles,
      parameters,
    )).array32();
    assertEquals(found.length, count);
    const infos = await Promise.all(found.map(info));
    return infos.map(({ name }) => name).toSorted().join(" ");
  };
  const [, , folder] = await handles();
  assertEquals(await select(storage, 0, ALL), "a.jpg b.txt folder");
  assertEquals(
    await select(storage, 0, 0),
    "a.jpg b.txt c.jpg d.txt deep folder",
  );
  assertEquals(await select(storage, 0, folder), "c.jpg deep");
  assertEquals(await select(ALL, 0, folder), "c.jpg deep");
  assertEquals(await select(ALL, JPEG, 0), "a.jpg c.jpg e.jpg");
  assertEquals(await select(storage, ALL, 0), "a.jpg c.jpg");
  assertEquals(await select(storage, TEXT, ALL), "b.txt");
  assertEquals(await select(storage, 0x3002, 0), "");
  const refused = (...parameters: number[]) =>
    responder.response(OperationCode.GetObjectHandles, parameters);
  assertEquals(await refused(7, 0, 0), "Invalid_StorageID");
  assertEquals(await refused(storage, 0, 7777), "Invalid_ObjectHandle");
  const [file] = await handles();
  assertEquals(await refused(storage, 0, file), "Invalid_ParentObject");
  assertEquals(await refused(other, 0, folder), "Invalid_ParentObject");
});

Deno.test("GetObjectHandles stops when the host cancels", async () => {
  const { responder, storage, store } = setup({ "a": "folder", "b": "folder" });
  const controller = new AbortController();
  store.before = (_, path) => {
    if (path !== "") controller.abort(new Error("cancelled"));
  };
  const { signal } = controller;
  store.put("a/file", "");
  store.put("b/file", "");
  await assertRejects(
    () =>
      responder.call(OperationCode.GetObjectHandles, [storage, 0, 0], {
        signal,
      }),
    Error,
    "cancelled",
  );
});

Deno.test("A folder that cannot be listed does not hide the others", async () => {
  const { store, handles } = setup({
    "closed": "folder",
    "closed/file": "",
    "open": "folder",
    "open/file": "",
  });
  store.before = (method, path) => {
    if (method === "list" && path === "closed") {
      throw Object.assign(new Error(), { code: "EACCES" });
    }
  };
  assertEquals((await handles(0)).length, 3);
});

Deno.test("GetObjectInfo describes files and folders", async () => {
  const { responder, store, info, storage, handles } = setup({
    "folder": "folder",
    "folder/b.txt": "12345",
  });
  const modified = new Date(2024, 1, 29, 13, 14, 15).getTime();
  store.times.set("folder/b.txt", modified);
  const [folder] = await handles();
  const [file] = await handles(folder);
  const common = { storageId: storage, isProtected: false, thumbnailSize: 0 };
  assertEquals(await info(file), {
    ...common,
    format: TEXT,
    size: 5,
    parent: folder,
    name: "b.txt",
    modified,
  });
  const { data } = await responder.ok(OperationCode.GetObjectInfo, [file]);
  const date = new Uint8Array(
    new Uint16Array([..."20240229T131415"].map(
      (it) => it.charCodeAt(0),
    )).buffer,
  );
  assert(decoder.decode(data).includes(decoder.decode(date)));
  const { format, parent } = await info(folder);
  assertEquals({ format, parent }, {
    format: ObjectFormat.Association,
    parent: 0,
  });
  store.items.delete("folder/b.txt");
  const response = await responder.response(OperationCode.GetObjectInfo, [
    file,
  ]);
  assertEquals(response, "Invalid_ObjectHandle");
});

Deno.test("Sizes of 4 GiB and more are 0xffffffff in the information", async () => {
  const responder = new Responder();
  const sizes = [2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 45];
  const entries = sizes.map((size) => ({
    name: `${size}`,
    kind: "file" as const,
    size,
  }));
  responder.add({
    list: () => entries,
    look: (path) => entries.find(({ name }) => name === path),
    open: () => Promise.reject(new Error()),
  });
  const found = [];
  const list = await responder.read(OperationCode.GetObjectHandles, [ALL]);
  for (const handle of list.array32()) {
    const { data } = await responder.ok(OperationCode.GetObjectInfo, [handle]);
    const { size, isProtected, modified } = decodeObjectInfo(data);
    assertEquals({ isProtected, modified }, {
      isProtected: true,
      modified: undefined,
    });
    found.push(size);
  }
  assertEquals(found, [2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1]);
});
