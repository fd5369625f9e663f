/**
 * What listings report of changes that the host has not made.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { ALL, EventCode } from "../../src/classes/mtp/protocol/codes.ts";
import { ResponseError } from "../../src/classes/mtp/protocol/response.ts";
import { StoreWatch } from "../../src/classes/mtp/store_watch.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { setup } from "../support/mtp/setup.ts";
import { known, tableOf } from "../support/mtp/table.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";
import { until } from "../support/waiting/until.ts";

Deno.test("Each change is reported once, but not what a first listing finds", async () => {
  const store = new TreeStore({ "a": "1", "b": "folder", "b/c": "2" });
  const { table, root, taken } = tableOf(store);
  await table.update(root);
  assertEquals(taken(), []);
  store.put("a", "longer");
  store.times.set("b", 5);
  await table.update(root);
  assertEquals(taken(), ["changed a 1", "changed b 2"]);
  await table.update(root);
  assertEquals(taken(), []);
  await table.update(table.node(2));
  assertEquals(taken(), []);
  store.put("b/d", "3");
  await table.update(table.node(2));
  assertEquals(taken(), ["added d 4"]);
  store.put("a", "longest");
  await table.current(1);
  await table.current(1);
  assertEquals(taken(), ["changed a 1"]);
  store.items.delete("a");
  const gone = () => table.current(1);
  await assertRejects(gone, ResponseError, "Invalid_ObjectHandle");
  await assertRejects(gone, ResponseError, "Invalid_ObjectHandle");
  await table.update(root);
  assertEquals(taken(), ["removed a 1"]);
});

Deno.test("A folder that takes the place of a file is another object", async () => {
  const store = new TreeStore({ "a": "1", "b": "folder", "b/c": "2" });
  const { table, root, taken } = tableOf(store);
  await known(table, root);
  store.put("a", "folder");
  store.items.delete("b/c");
  store.put("b", "file");
  await table.update(root);
  assertEquals(
    taken(),
    ["added a 4", "added b 5", "removed a 1", "removed b 2"],
  );
  assertEquals(table.find(3), undefined);
  store.put("a", "file");
  await assertRejects(() => table.current(4), ResponseError);
  assertEquals(taken(), ["removed a 4"]);
});

Deno.test("After any changes, a table knows what the store has, and has reported the way there", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const store = new TreeStore();
  const { table, root } = tableOf(store);
  /** What a host knows that follows the reports. */
  const followed = new Map<number, string>();
  const forget = (path: string) => {
    for (const [handle, other] of followed) {
      const isWithin = other === path || other.startsWith(`${path}/`);
      if (isWithin) followed.delete(handle);
    }
  };
  table.onChange = (change, node) => {
    if (change === "added") followed.set(node.handle, node.path);
    if (change === "removed") {
      const path = followed.get(node.handle);
      if (path !== undefined) forget(path);
    }
  };
  await table.update(root);
  for (let round = 0; round < 300; round++) {
    const context = `GADGET_SEED=${seed}, round ${round}`;
    const folders = [...store.items].filter(([, it]) => it === "folder");
    const parent = random.pick(["", ...folders.map(([path]) => `${path}/`)]);
    const path = parent + random.pick(["a", "b", "c"]);
    for (const each of [...store.items.keys()]) {
      const isWithin = each === path || each.startsWith(`${path}/`);
      if (isWithin) store.items.delete(each);
    }
    const isShallow = path.length < 8;
    const what = random.pick(["file", "none", isShallow ? "folder" : "file"]);
    if (what === "folder") store.put(path, "folder");
    else if (what === "file") store.put(path, "x".repeat(random.int(0, 3)));
    if (random.chance(0.5)) continue;
    const found = await known(table, root);
    assertEquals(
      [...found.keys()].toSorted(),
      [...store.items.keys()].toSorted(),
      context,
    );
    for (const [path, handle] of found) {
      assertEquals(table.node(handle).path, path, context);
      // What a folder's first listing finds is not reported.
      followed.set(handle, path);
    }
    assertEquals(followed.size, found.size, context);
  }
});

Deno.test("A watch reports changes, and no error for folders that are gone", async () => {
  const { responder, device, store, storage, handles, at } = setup({
    "a": "folder",
    "a/b": "folder",
    "a/b/c": "1",
  });
  let changed = (_folder?: string) => {};
  Object.assign(store, {
    watch: (callback: typeof changed) => {
      changed = callback;
      return { [Symbol.dispose]() {} };
    },
  });
  const folder = await at("a");
  await handles(await at("a/b"));
  const errors: unknown[] = [];
  const { storage: watched } = device.objects.root(storage);
  using _watch = new StoreWatch(device, watched, (it) => errors.push(it));
  for (const path of ["a/b/c", "a/b", "a"]) store.items.delete(path);
  store.put("new", "1");
  changed();
  await until(() => responder.events.length === 2, "two events");
  const [added] = await handles(ALL);
  assertEquals(responder.events, [
    [EventCode.ObjectAdded, added],
    [EventCode.ObjectRemoved, folder],
  ]);
  store.put("last", "1");
  changed("");
  await until(() => responder.events.length === 3, "three events");
  assertEquals(errors, []);
});
