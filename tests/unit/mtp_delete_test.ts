/**
 * DeleteObject.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { ALL, OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const { DeleteObject, GetObjectInfo, CopyObject } = OperationCode;

const TREE = {
  "a": "folder",
  "a/b": "folder",
  "a/b/c.txt": "1",
  "a/d.jpg": "2",
  "e.txt": "3",
} as const;

Deno.test("A folder is deleted with all that is in it", async () => {
  const { responder, store, at } = setup(TREE);
  const handles = await Promise.all(["a", "a/b", "a/b/c.txt"].map(at));
  await responder.ok(DeleteObject, [handles[0]]);
  assertEquals([...store.items.keys()], ["e.txt"]);
  for (const handle of handles) {
    for (const code of [DeleteObject, GetObjectInfo]) {
      assertEquals(
        await responder.response(code, [handle]),
        "Invalid_ObjectHandle",
      );
    }
  }
  assertEquals(responder.events, []);
});

Deno.test("All objects are deleted, or those of a format", async () => {
  const { responder, store } = setup(TREE);
  const other = new TreeStore({ "f.txt": "4" });
  const readOnly = new TreeStore({ "g.txt": "5" });
  responder.add(other);
  responder.add(readOnly, { readOnly: true });
  await responder.ok(DeleteObject, [ALL, 0x3004]);
  assertEquals([...store.items.keys()], ["a", "a/b", "a/d.jpg"]);
  assertEquals(other.items.size, 0);
  await responder.ok(DeleteObject, [ALL]);
  assertEquals([store.items.size, readOnly.items.size], [0, 1]);
  await responder.ok(DeleteObject, [ALL]);
});

Deno.test("Folders selected by their format take what is in them", async () => {
  const { responder, store } = setup(TREE);
  await responder.ok(DeleteObject, [ALL, 0x3001]);
  assertEquals([...store.items.keys()], ["e.txt"]);
});

Deno.test("Nothing is deleted from a storage that is read-only", async () => {
  const store = new TreeStore({ "a": "1" });
  const { responder, device, storage } = setup();
  device.removeStorage(storage);
  responder.add(store, { readOnly: true });
  const list = await responder.read(OperationCode.GetObjectHandles, [ALL]);
  const [file] = list.array32();
  for (const handle of [file, ALL]) {
    assertEquals(
      await responder.response(DeleteObject, [handle]),
      "Store_Read_Only",
    );
  }
  assertEquals(store.items.size, 1);
});

Deno.test("What cannot be deleted stays, and the rest goes", async () => {
  const { responder, store, at } = setup(TREE);
  const [folder, kept] = [await at("a"), await at("a/b/c.txt")];
  store.before = (method, path) => {
    if (method === "remove" && path === "a/b/c.txt") {
      throw Object.assign(new Error(), { code: "EPERM" });
    }
  };
  assertEquals(await responder.response(DeleteObject, [kept]), "Access_Denied");
  assertEquals(
    await responder.response(DeleteObject, [folder]),
    "Partial_Deletion",
  );
  assertEquals([...store.items.keys()], ["a", "a/b", "a/b/c.txt", "e.txt"]);
  assertEquals(await at("a/b/c.txt"), kept);
  Object.assign(store, { remove: undefined });
  assertEquals(await responder.response(DeleteObject, [kept]), "Access_Denied");
});

Deno.test("A cancelled deletion stops", async () => {
  const { responder, store, at } = setup({
    "a": "folder",
    "a/1": "",
    "a/2": "",
    "a/3": "",
  });
  const folder = await at("a");
  const controller = new AbortController();
  store.before = (method, path) => {
    if (method === "remove" && path === "a/2") controller.abort(new Error("x"));
  };
  const { signal } = controller;
  await assertRejects(
    () => responder.call(DeleteObject, [folder], { signal }),
    Error,
    "x",
  );
  store.before = () => {};
  assertEquals([...store.items.keys()], ["a", "a/3"]);
  assertEquals(await at("a"), folder);
});

Deno.test("Handles of deleted objects are not given again", async () => {
  const { responder, storage, at } = setup({ "a": "1", "in": "folder" });
  const [first, folder] = [await at("a"), await at("in")];
  await responder.ok(CopyObject, [first, storage, folder]);
  await responder.ok(DeleteObject, [first]);
  const { parameters: [copy] } = await responder.ok(CopyObject, [
    await at("in/a"),
    storage,
    0,
  ]);
  assertEquals(copy > first, true);
  assertEquals(await at("a"), copy);
});
