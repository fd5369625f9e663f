/**
 * Properties of many objects at once.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ALL,
  DataType,
  ObjectProperty,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import {
  type DatasetReader,
  DatasetWriter,
  type Value,
} from "../../src/classes/mtp/protocol/dataset.ts";
import { PROPERTIES } from "../../src/classes/mtp/responder/properties.ts";
import { Responder } from "../support/mtp/calls.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const {
  GetObjectPropList,
  SetObjectPropList,
  SendObjectPropList,
  SendObject,
} = OperationCode;
const { ObjectFileName, Name, DateModified, ObjectSize } = ObjectProperty;

type Item = readonly [handle: number, code: number, type: number, value: Value];

function decodeItems(data: DatasetReader): Item[] {
  const items: Item[] = [];
  for (let left = data.u32(); left > 0; left--) {
    const [handle, code, type] = [data.u32(), data.u16(), data.u16()];
    items.push([handle, code, type, data.value(type)]);
  }
  assertEquals(data.left, 0);
  return items;
}

function encodeItems(...items: Item[]) {
  const data = new DatasetWriter().u32(items.length);
  for (const [handle, code, type, value] of items) {
    data.u32(handle).u16(code).u16(type).value(type, value);
  }
  return { data };
}

const { STR, UINT8, UINT32 } = DataType;

Deno.test("GetObjectPropList selects by handle, depth, format and property", async () => {
  const { responder, at } = setup({
    "a": "folder",
    "a/b": "folder",
    "a/b/c.txt": "1",
    "a/d.jpg": "2",
    "e.txt": "3",
  });
  responder.add(new TreeStore({ "f.jpg": "4" }));
  const [a, file] = [await at("a"), await at("e.txt")];
  const names = async (handle: number, depth: number, format = 0) => {
    const parameters = [handle, format, ObjectFileName, 0, depth];
    const list = await responder.read(GetObjectPropList, parameters);
    const items = decodeItems(list);
    assert(items.every(([, code]) => code === ObjectFileName));
    return items.map(([, , , value]) => value).toSorted().join(" ");
  };
  const all = "a b c.txt d.jpg e.txt f.jpg";
  assertEquals(await names(ALL, 0), all);
  assertEquals(await names(ALL, ALL), all);
  assertEquals(await names(0, ALL), all);
  assertEquals(await names(0, 0), "a e.txt f.jpg");
  assertEquals(await names(0, 1), "a e.txt f.jpg");
  assertEquals(await names(0, 2), "a b d.jpg e.txt f.jpg");
  assertEquals(await names(a, 0), "a");
  assertEquals(await names(a, 1), "a b d.jpg");
  assertEquals(await names(a, 2), "a b c.txt d.jpg");
  assertEquals(await names(a, ALL), "a b c.txt d.jpg");
  assertEquals(await names(file, ALL), "e.txt");
  assertEquals(await names(ALL, 0, 0x3801), "d.jpg f.jpg");
  assertEquals(await names(ALL, 0, ALL), all);
  assertEquals(await names(a, 1, 0x3001), "a b");
  const properties = await responder.read(GetObjectPropList, [
    file,
    0,
    ALL,
    0,
    0,
  ]);
  const items = decodeItems(properties);
  assertEquals(
    items.map(([handle, code, type]) => [handle, code, type]),
    PROPERTIES.map(({ code, type }) => [file, code, type]),
  );
  for (const [handle, code, type, value] of items) {
    const single = await responder.read(OperationCode.GetObjectPropValue, [
      handle,
      code,
    ]);
    assertEquals(single.value(type), value);
  }
});

Deno.test("GetObjectPropList of everything is refused with an object of 4 GiB", async () => {
  const { responder, store, at } = setup({ "a.bin": "1" });
  const list = store.list.bind(store);
  store.list = async (folder) =>
    (await list(folder)).map((entry) => ({ ...entry, size: 2 ** 32 }));
  const file = await at("a.bin");
  const refused = (handle: number, code: number) =>
    responder.response(GetObjectPropList, [handle, 0, code, 0, 0]);
  assertEquals(
    await refused(ALL, ALL),
    "Specification_By_Depth_Unsupported",
  );
  assertEquals(await refused(ALL, ObjectSize), "OK");
  assertEquals(await refused(0, ALL), "OK");
  assertEquals(await refused(file, ALL), "OK");
});

Deno.test("GetObjectPropList refuses what is not there", async () => {
  const { responder, at } = setup({ "a": "1" });
  const file = await at("a");
  const refused = (...parameters: number[]) =>
    responder.response(GetObjectPropList, parameters);
  assertEquals(await refused(999, 0, ALL, 0, 0), "Invalid_ObjectHandle");
  assertEquals(
    await refused(file, 0, 0, 1, 0),
    "Specification_By_Group_Unsupported",
  );
  assertEquals(await refused(file, 0, 0, 0, 0), "Parameter_Not_Supported");
  assertEquals(
    await refused(file, 0, 0xdc46, 0, 0),
    "ObjectProp_Not_Supported",
  );
  assertEquals(await refused(file, 0, 0x5001, 0, 0), "Invalid_ObjectPropCode");
});

Deno.test("Lists of 20,000 objects leave the event loop free, and can be cancelled", async () => {
  const count = 20_000;
  const responder = new Responder();
  const entries = Array.from({ length: count }, (_, index) => ({
    name: `file ${index}`,
    kind: "file" as const,
    size: index,
    modified: index,
  }));
  responder.add({
    list: () => entries,
    look: () => undefined,
    open: () => Promise.reject(new Error()),
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  try {
    const list = responder.read(GetObjectPropList, [ALL, 0, ALL, 0, 0]);
    const items = decodeItems(await list);
    assert(turns > 10, `${turns} turns`);
    assertEquals(items.length, count * PROPERTIES.length);
    const sizes = items.filter(([, code]) => code === ObjectSize);
    const expected = entries.map(({ size }) => BigInt(size));
    assertEquals(sizes.map(([, , , value]) => value), expected);
    const handles = new Set(items.map(([handle]) => handle));
    assertEquals(handles.size, count);
    const controller = new AbortController();
    const { signal } = controller;
    const call = responder.call(GetObjectPropList, [ALL, 0, ALL], { signal });
    setTimeout(() => controller.abort(new Error("cancelled")), 0);
    await assertRejects(() => call, Error, "cancelled");
  } finally {
    clearInterval(timer);
  }
});

Deno.test("SetObjectPropList sets one after another, up to the first that fails", async () => {
  const { responder, store, at } = setup({ "a": "1", "b": "2", "c": "3" });
  const [a, b, c] = await Promise.all(["a", "b", "c"].map(at));
  const set = (...items: Item[]) =>
    responder.call(SetObjectPropList, [], encodeItems(...items));
  const { response } = await set(
    [a, ObjectFileName, STR, "x"],
    [b, ObjectFileName, STR, "a"],
  );
  assertEquals(response, "OK");
  assertEquals([...store.items.keys()].toSorted(), ["a", "c", "x"]);
  const failures: [Item, string][] = [
    [[b, Name, STR, "z"], "Access_Denied"],
    [[b, ObjectFileName, UINT32, 1], "Invalid_ObjectProp_Format"],
    [[b, ObjectFileName, STR, "/"], "Invalid_ObjectProp_Value"],
    [[b, ObjectFileName, STR, "c"], "Access_Denied"],
    [[999, ObjectFileName, STR, "c"], "Invalid_ObjectHandle"],
    [[b, 0xdc46, STR, "c"], "ObjectProp_Not_Supported"],
    [[b, 0, STR, "c"], "Invalid_ObjectPropCode"],
  ];
  for (const [item, expected] of failures) {
    const outcome = await set(
      [a, ObjectFileName, STR, `${expected} ${item[3]}`.replace("/", "")],
      item,
      [c, ObjectFileName, STR, "never"],
    );
    assertEquals(outcome.response, expected);
    assertEquals(outcome.parameters, [1]);
    assert(!store.items.has("never"));
  }
  const lie = { data: new DatasetWriter().u32(2).u32(a).u16(ObjectFileName) };
  assertEquals(
    await responder.response(SetObjectPropList, [], lie),
    "Invalid_Dataset",
  );
  const type = { data: new DatasetWriter().u32(1).u32(a).u16(Name).u16(77) };
  assertEquals(
    await responder.response(SetObjectPropList, [], type),
    "Invalid_Dataset",
  );
});

Deno.test("SendObjectPropList announces a file, or makes a folder", async () => {
  const { responder, store, storage, at, info } = setup();
  const folder = await responder.ok(
    SendObjectPropList,
    [storage, ALL, 0x3001, 0, 0],
    encodeItems([0, ObjectFileName, STR, "in"]),
  );
  const parent = await at("in");
  assertEquals(folder.parameters, [storage, 0, parent]);
  const { parameters } = await responder.ok(
    SendObjectPropList,
    [storage, parent, 0x3801, 0, 3],
    encodeItems(
      [0, ObjectProperty.ProtectionStatus, DataType.UINT16, 0],
      [0, 0xdc4f, UINT8, 1],
      [0, Name, STR, "title"],
      [0, DateModified, STR, "20200102T030405.0"],
      [0, ObjectFileName, STR, "image"],
    ),
  );
  assertEquals(parameters.slice(0, 2), [storage, parent]);
  await responder.ok(SendObject, [], { data: Uint8Array.of(1, 2, 3) });
  assertEquals(store.items.get("in/image"), Uint8Array.of(1, 2, 3));
  const { name, format, modified } = await info(parameters[2]);
  const expected = new Date(2020, 0, 2, 3, 4, 5).getTime();
  assertEquals([name, format, modified], ["image", 0x3801, expected]);
});

Deno.test("SendObjectPropList has sizes of 64 bits", async () => {
  const { responder, store, storage } = setup();
  const name: Item = [0, ObjectFileName, STR, "large"];
  const send = (high: number, low: number) =>
    responder.response(
      SendObjectPropList,
      [storage, 0, 0x3000, high, low],
      encodeItems(name),
    );
  store.free = 2 ** 33 + 5;
  assertEquals(await send(2, 5), "OK");
  assertEquals(responder.device.announced?.size, 2 ** 33 + 5);
  assertEquals(await send(2, 6), "Store_Full");
  assertEquals(await send(2 ** 21, 0), "Object_Too_Large");
  assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
});

Deno.test("SendObjectPropList reports which property cannot be", async () => {
  const { responder, storage, store } = setup({ "taken": "" });
  const send = (...items: Item[]) =>
    responder.call(
      SendObjectPropList,
      [storage, 0, 0x3000, 0, 0],
      encodeItems(...items),
    );
  const good: Item = [0, Name, STR, "x"];
  const failures: [Item, string][] = [
    [[7, Name, STR, "x"], "Invalid_ObjectHandle"],
    [[0, ObjectFileName, UINT8, 1], "Invalid_ObjectProp_Format"],
    [[0, DateModified, UINT8, 1], "Invalid_ObjectProp_Format"],
    [[0, ObjectFileName, STR, ".."], "Invalid_ObjectProp_Value"],
  ];
  for (const [item, expected] of failures) {
    const { response, parameters } = await send(good, item);
    assertEquals(response, expected);
    assertEquals(parameters, [storage, 0, 0, 1]);
  }
  assertEquals((await send(good)).response, "Invalid_Dataset");
  const taken = await send([0, ObjectFileName, STR, "taken"]);
  assertEquals(taken.response, "Access_Denied");
  assertEquals(store.items.size, 1);
});
