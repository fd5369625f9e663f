/**
 * Objects and their handles, names and folders.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MAX_STRING } from "../../src/classes/mtp/protocol/dataset.ts";
import { ResponseError } from "../../src/classes/mtp/protocol/response.ts";
import type { ObjectEntry } from "../../src/classes/mtp/store/object_store.ts";
import { known, tableOf } from "../support/mtp/table.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

Deno.test("A handle stays while its object exists, and is never given again", async () => {
  const store = new TreeStore({ "a": "1", "in": "folder", "in/b": "2" });
  const { table, root, taken } = tableOf(store);
  const first = await known(table, root);
  assertEquals([...first.keys()].toSorted(), ["a", "in", "in/b"]);
  assertEquals(taken(), []);
  store.items.delete("a");
  const [folder] = (await table.children(root)).map(({ handle }) => handle);
  assertEquals(folder, first.get("in"));
  assertEquals(taken(), [`removed a ${first.get("a")}`]);
  store.put("a", "again");
  const again = await known(table, root);
  assertEquals(again.get("in/b"), first.get("in/b"));
  assert(again.get("a")! > Math.max(...first.values()));
  assertEquals(taken(), [`added a ${again.get("a")}`]);
});

Deno.test("A removed storage takes its objects with it, also while they are listed", async () => {
  const store = new TreeStore({ "a": "folder", "a/b": "1" });
  const { table, root, taken } = tableOf(store);
  await known(table, root);
  const started = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  store.put("new", "2");
  store.before = async () => {
    started.resolve();
    await ready.promise;
  };
  const listing = table.update(root);
  await started.promise;
  table.removeStorage(1);
  assertEquals([table.find(1), table.find(2)], [undefined, undefined]);
  ready.resolve();
  await assertRejects(() => listing, ResponseError, "Store_Not_Available");
  assertEquals([table.find(3), table.find(4)], [undefined, undefined]);
  await assertRejects(() => table.update(root), ResponseError);
  assertEquals(taken(), []);
  assertEquals(table.storages, []);
});

Deno.test("A folder that is gone while it is listed adds nothing", async () => {
  const store = new TreeStore({ "a": "folder", "a/b": "1" });
  const { table, root } = tableOf(store);
  const [folder] = await table.children(root);
  store.before = (method, path) => {
    if (method === "list" && path === "a") table.forget(folder);
  };
  await assertRejects(() => table.update(folder), ResponseError);
  assertEquals(table.find(2), undefined);
});

Deno.test("What changes a store waits for a listing, and the reverse", async () => {
  const store = new TreeStore({ "a": "1" });
  const { table, root } = tableOf(store);
  const steps: string[] = [];
  store.before = async (method) => {
    steps.push(`${method} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    steps.push(`${method} ends`);
  };
  const failed = table.exclusively(async () => {
    await store.makeFolder("b");
    throw new Error("failed");
  });
  const listed = table.update(root);
  const removed = table.exclusively(() => store.rename("a", "c"));
  await assertRejects(() => failed, Error, "failed");
  await Promise.all([listed, removed]);
  assertEquals(
    steps,
    ["makeFolder", "list", "rename"].flatMap(
      (name) => [`${name} begins`, `${name} ends`],
    ),
  );
});

Deno.test("Names that a host cannot have are replaced, each by another", async () => {
  const long = "x".repeat(MAX_STRING);
  const names = [
    "bad\ud800",
    "bad\udc00",
    "bad\ufffd",
    `${long}1.txt`,
    `${long}2.txt`,
    `${"x".repeat(MAX_STRING - 4)}.txt`,
    `${"x".repeat(MAX_STRING - 5)}😀.txt`,
    "fine",
  ];
  const entry = (name: string): ObjectEntry => ({
    name,
    kind: "file",
    size: 0,
  });
  const opened: string[] = [];
  const { table, root } = tableOf({
    list: () => names.map(entry),
    look: (path) => {
      opened.push(path);
      return names.includes(path) ? entry(path) : undefined;
    },
    open: () => Promise.reject(new Error()),
  });
  const nodes = await table.children(root);
  assertEquals(nodes.map(({ path }) => path), names);
  const shown = nodes.map(({ name }) => name);
  assertEquals(new Set(shown).size, names.length);
  for (const name of shown) {
    assert(name.isWellFormed() && name.length <= MAX_STRING, name);
  }
  assert(shown[3].endsWith(".txt") && shown[4].endsWith(".txt"));
  assertEquals(shown[7], "fine");
  // The store gets its own names.
  for (const { handle } of nodes) await table.current(handle);
  assertEquals(opened, names);
  assertEquals((await table.children(root)).map(({ name }) => name), shown);
  // A name that is free again can be given again.
  table.forget(nodes[4]);
  const [again] = (await table.children(root)).slice(-1);
  assertEquals([again.path, again.name], [names[4], shown[4]]);
});

Deno.test("What a moved object replaces is forgotten", async () => {
  const store = new TreeStore({ "a": "1", "b": "2" });
  const { table, root } = tableOf(store);
  const [a, b] = await table.children(root);
  table.moved(a, root, "b");
  assertEquals(table.find(b.handle), undefined);
  assertEquals([...root.children.values()], [a]);
  table.add(root, { name: "b", kind: "file", size: 0 });
  assertEquals(table.find(a.handle), undefined);
});

Deno.test("Folders are found by path once they are listed", async () => {
  const store = new TreeStore({
    "a": "folder",
    "a/b": "folder",
    "a/b/c": "1",
    "d": "folder",
  });
  const { table, root } = tableOf(store);
  assertEquals(table.listed(1, ""), undefined);
  const [a] = await table.children(root);
  assertEquals(table.listed(1, ""), root);
  assertEquals(table.listed(1, "a"), undefined);
  const [b] = await table.children(a);
  await table.children(b);
  assertEquals(table.listed(1, "a/b"), b);
  assertEquals(table.listed(1, "a/b/c"), undefined);
  assertEquals(table.listed(7, ""), undefined);
  assertEquals(table.allListed(1), [root, a, b]);
  assertEquals(table.allListed(7), []);
});

Deno.test("The listing of 100,000 objects leaves the event loop free", async () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `${index}`);
  const { table, root } = tableOf({
    list: () => names.map((name) => ({ name, kind: "file", size: 1 })),
    look: () => undefined,
    open: () => Promise.reject(new Error()),
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  try {
    let count = 0;
    for await (const _ of table.within(root)) count++;
    assertEquals(count, names.length);
    assert(turns > 10, `${turns} turns`);
  } finally {
    clearInterval(timer);
  }
});
