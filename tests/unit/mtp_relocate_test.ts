/**
 * MoveObject and CopyObject.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ALL, OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { pattern } from "../support/data/pattern.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const { MoveObject, CopyObject } = OperationCode;

const TREE = {
  "a": "folder",
  "a/b": "folder",
  "a/b/c.txt": "content",
  "to": "folder",
  "e.txt": "e",
} as const;

/** A device with two storages. */
function setupTwo() {
  const bench = setup(TREE);
  const card = new TreeStore();
  const second = bench.responder.add(card);
  /** Storage, parent and name of an object. */
  const place = async (handle: number) => {
    const { storageId, parent, name } = await bench.info(handle);
    return [storageId, parent, name];
  };
  return { ...bench, card, second, place };
}

Deno.test("A move within a storage keeps the handles, and sends no events", async () => {
  const { responder, store, storage, at } = setup(TREE);
  const paths = ["a", "a/b", "a/b/c.txt"];
  const handles = await Promise.all(paths.map(at));
  const target = await at("to");
  await responder.ok(MoveObject, [handles[0], storage, target]);
  assertEquals(
    [...store.items.keys()].toSorted(),
    ["e.txt", "to", "to/a", "to/a/b", "to/a/b/c.txt"],
  );
  const moved = await Promise.all(paths.map((path) => at(`to/${path}`)));
  assertEquals(moved, handles);
  await responder.ok(MoveObject, [handles[2], storage, 0]);
  assertEquals(await at("c.txt"), handles[2]);
  await responder.ok(MoveObject, [handles[2], storage, ALL]);
  assertEquals(store.text("c.txt"), "content");
  assertEquals(responder.events, []);
});

Deno.test("A move to another storage keeps the handles, too", async () => {
  const { responder, store, card, at, second, place } = setupTwo();
  const handles = await Promise.all(["a", "a/b", "a/b/c.txt"].map(at));
  const time = store.times.get("a/b/c.txt");
  await responder.ok(MoveObject, [handles[0], second, 0]);
  assertEquals([...store.items.keys()], ["to", "e.txt"]);
  assertEquals([...card.items.keys()], ["a", "a/b", "a/b/c.txt"]);
  assertEquals(card.text("a/b/c.txt"), "content");
  assertEquals(card.times.get("a/b/c.txt"), time);
  assertEquals(await Promise.all(handles.map(place)), [
    [second, 0, "a"],
    [second, handles[0], "b"],
    [second, handles[1], "c.txt"],
  ]);
  assertEquals([store.openFiles, card.openFiles], [0, 0]);
  assertEquals(responder.events, []);
});

Deno.test("A store that cannot rename copies and removes", async () => {
  const { responder, store, storage, at } = setup(TREE);
  Object.assign(store, { rename: undefined });
  const file = await at("a/b/c.txt");
  await responder.ok(MoveObject, [file, storage, await at("to")]);
  assertEquals(await at("to/c.txt"), file);
  assert(!store.items.has("a/b/c.txt"));
});

Deno.test("A move to another file system in a storage copies and removes", async () => {
  const { responder, store, storage, at } = setup(TREE);
  const handles = await Promise.all(["a", "a/b", "a/b/c.txt"].map(at));
  const target = await at("to");
  store.before = (method) => {
    if (method === "rename") {
      throw Object.assign(new Error(), { code: "EXDEV" });
    }
  };
  await responder.ok(MoveObject, [handles[0], storage, target]);
  assertEquals(store.text("to/a/b/c.txt"), "content");
  assertEquals(store.items.has("a"), false);
  const moved = await Promise.all(["to/a", "to/a/b", "to/a/b/c.txt"].map(at));
  assertEquals(moved, handles);
  assertEquals(responder.events, []);
});

Deno.test("A copy has handles of its own", async () => {
  const { responder, store, card, at, second, storage, place } = setupTwo();
  const folder = await at("a");
  const content = pattern(700_000);
  store.put("a/b/large", content);
  const { parameters: [copy] } = await responder.ok(CopyObject, [
    folder,
    second,
    ALL,
  ]);
  assert(copy !== folder);
  assertEquals(await place(copy), [second, 0, "a"]);
  assertEquals(card.items.get("a/b/large"), content);
  assertEquals(store.items.get("a/b/large"), content);
  assertEquals(await at("a"), folder);
  const { parameters: [within] } = await responder.ok(CopyObject, [
    await at("e.txt"),
    storage,
    await at("to"),
  ]);
  assertEquals(await at("to/e.txt"), within);
  assertEquals([store.openFiles, card.openFiles], [0, 0]);
  assertEquals(responder.events, []);
});

Deno.test("Moves and copies to where nothing can be are refused", async () => {
  const { responder, store, card, at, storage, second } = setupTwo();
  const readOnly = responder.add(new TreeStore({ "r": "" }), {
    readOnly: true,
  });
  const [a, b, file] = await Promise.all(["a", "a/b", "e.txt"].map(at));
  const list = await responder.read(OperationCode.GetObjectHandles, [
    readOnly,
    0,
    ALL,
  ]);
  const [fixed] = list.array32();
  const before = [...store.items];
  for (const code of [MoveObject, CopyObject]) {
    const refusal = (...parameters: number[]) =>
      responder.response(code, parameters);
    assertEquals(await refusal(999, storage, 0), "Invalid_ObjectHandle");
    assertEquals(await refusal(file, 999, 0), "Invalid_StorageID");
    assertEquals(await refusal(file, storage, 999), "Invalid_ParentObject");
    assertEquals(await refusal(a, storage, file), "Invalid_ParentObject");
    assertEquals(await refusal(a, storage, a), "Invalid_ParentObject");
    assertEquals(await refusal(a, storage, b), "Invalid_ParentObject");
    assertEquals(await refusal(file, second, a), "Invalid_ParentObject");
    assertEquals(await refusal(file, readOnly, 0), "Store_Read_Only");
    card.put("e.txt", "other");
    assertEquals(await refusal(file, second, 0), "Access_Denied");
    assertEquals(card.text("e.txt"), "other");
    card.items.clear();
    card.free = 0;
    assertEquals(await refusal(file, second, 0), "Store_Full");
    card.free = 2 ** 40;
  }
  assertEquals(
    await responder.response(MoveObject, [fixed, storage, 0]),
    "Store_Read_Only",
  );
  store.put("to/e.txt", "other");
  assertEquals(
    await responder.response(MoveObject, [file, storage, await at("to")]),
    "Access_Denied",
  );
  store.items.delete("to/e.txt");
  assertEquals([...store.items], before);
  assertEquals(card.items.size, 0);
});

Deno.test("Nothing remains of a copy that fails or is cancelled", async () => {
  for (const method of ["create", "write", "commit", "makeFolder", "cancel"]) {
    for (const code of [MoveObject, CopyObject]) {
      const { responder, store, card, at, second } = setupTwo();
      store.put("a/first", "1");
      store.put("a/z", "folder");
      const folder = await at("a");
      const before = [...store.items];
      const controller = new AbortController();
      let writes = 0;
      card.before = (called) => {
        if (called === "write" && ++writes === 2 && method === "cancel") {
          controller.abort(new Error("cancelled"));
        }
        if (called !== method || card.items.size < 2) return;
        throw Object.assign(new Error(), { code: "ENOSPC" });
      };
      const { signal } = controller;
      const call = responder.call(code, [folder, second, 0], { signal });
      if (method === "cancel") {
        await assertRejects(() => call, Error, "cancelled");
      } else {
        assertEquals((await call).response, "Store_Full");
      }
      assertEquals([...store.items], before);
      assertEquals(card.items.size, 0);
      assertEquals([store.openFiles, card.openFiles], [0, 0]);
      assertEquals(await at("a"), folder);
    }
  }
});

Deno.test("A move whose source cannot be removed is a partial deletion", async () => {
  const { responder, store, card, at, second, place } = setupTwo();
  const folder = await at("a");
  store.put("a/stays", "1");
  store.before = (method, path) => {
    if (method === "remove" && path === "a/stays") {
      throw Object.assign(new Error(), { code: "EACCES" });
    }
  };
  assertEquals(
    await responder.response(MoveObject, [folder, second, 0]),
    "Partial_Deletion",
  );
  assertEquals([...card.items.keys()].toSorted(), [
    "a",
    "a/b",
    "a/b/c.txt",
    "a/stays",
  ]);
  assert(store.items.has("a/stays"));
  assertEquals(await place(folder), [second, 0, "a"]);
});
