/**
 * Android's operations that change files in place.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { pattern } from "../support/data/pattern.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const { BeginEditObject, SendPartialObject, TruncateObject, EndEditObject } =
  OperationCode;

const bytes = (text: string) => ({ data: new TextEncoder().encode(text) });

Deno.test("Files are changed in place, several at once", async () => {
  const { responder, store, at, info } = setup({ "a": "0123456789", "b": "" });
  const [a, b] = [await at("a"), await at("b")];
  await responder.ok(BeginEditObject, [a]);
  await responder.ok(BeginEditObject, [b]);
  assertEquals(store.openFiles, 2);
  const { parameters } = await responder.ok(
    SendPartialObject,
    [a, 3, 0, 2],
    bytes("xy"),
  );
  assertEquals(parameters, [2]);
  await responder.ok(SendPartialObject, [b, 0, 0, 3], bytes("new"));
  await responder.ok(SendPartialObject, [a, 9, 0, 3], bytes("end"));
  assertEquals([store.text("a"), store.text("b")], ["012xy5678end", "new"]);
  assertEquals((await info(a)).size, 12);
  await responder.ok(TruncateObject, [a, 4, 0]);
  assertEquals((await info(a)).size, 4);
  await responder.ok(EndEditObject, [a]);
  assertEquals(store.openFiles, 1);
  const large = pattern(5000);
  await responder.ok(SendPartialObject, [b, 1, 0, 5000], { data: large });
  await responder.ok(EndEditObject, [b]);
  assertEquals(store.text("a"), "012x");
  assertEquals(store.items.get("b")!.slice(1), large);
  assertEquals(store.openFiles, 0);
  assertEquals(responder.events, []);
});

Deno.test("Without BeginEditObject, nothing is changed", async () => {
  const { responder, store, at } = setup({ "a": "1" });
  const file = await at("a");
  const all = async () => {
    for (const code of [SendPartialObject, TruncateObject, EndEditObject]) {
      assertEquals(await responder.response(code, [file]), "General_Error");
      assertEquals(
        await responder.response(code, [999]),
        "Invalid_ObjectHandle",
      );
    }
  };
  await all();
  await responder.ok(BeginEditObject, [file]);
  assertEquals(
    await responder.response(BeginEditObject, [file]),
    "General_Error",
  );
  await responder.ok(EndEditObject, [file]);
  await all();
  assertEquals([store.text("a"), store.openFiles], ["1", 0]);
  assertEquals(responder.errors, []);
});

Deno.test("BeginEditObject refuses what cannot be changed", async () => {
  const { responder, store, at } = setup({ "in": "folder", "a": "1" });
  const [folder, file] = [await at("in"), await at("a")];
  const readOnly = responder.add(new TreeStore({ "b": "" }), {
    readOnly: true,
  });
  const list = await responder.read(OperationCode.GetObjectHandles, [readOnly]);
  const [fixed] = list.array32();
  const refused = (handle: number) =>
    responder.response(BeginEditObject, [handle]);
  assertEquals(await refused(999), "Invalid_ObjectHandle");
  assertEquals(await refused(folder), "Invalid_ObjectHandle");
  assertEquals(await refused(fixed), "Store_Read_Only");
  store.before = (method) => {
    if (method !== "edit") return;
    throw Object.assign(new Error(), { code: "EACCES" });
  };
  assertEquals(await refused(file), "Access_Denied");
  Object.assign(store, { edit: undefined });
  assertEquals(await refused(file), "Access_Denied");
  assertEquals(store.openFiles, 0);
});

Deno.test("Offsets are below 2^53, and the data is as long as announced", async () => {
  const { responder, store, at } = setup({ "a": "1234" });
  const file = await at("a");
  await responder.ok(BeginEditObject, [file]);
  const refused = (parameters: number[], text = "xy") =>
    responder.response(SendPartialObject, [file, ...parameters], bytes(text));
  assertEquals(await refused([0, 2 ** 21, 2]), "Invalid_Parameter");
  assertEquals(
    await refused([0xffff_ffff, 2 ** 21 - 1, 2]),
    "Invalid_Parameter",
  );
  assertEquals(await refused([0, 0, 3]), "Incomplete_Transfer");
  assertEquals(await refused([0, 0, 1]), "Incomplete_Transfer");
  assertEquals(
    await responder.response(TruncateObject, [file, 0, 2 ** 21]),
    "Invalid_Parameter",
  );
  assertEquals(store.text("a"), "1234");
  const options = { ...bytes("xy"), byteLength: undefined };
  assertEquals(
    await responder.response(SendPartialObject, [file, 0, 0, 3], options),
    "Incomplete_Transfer",
  );
});

Deno.test("A cancelled part stops, and the file stays open", async () => {
  const { responder, store, at } = setup({ "a": "" });
  const file = await at("a");
  await responder.ok(BeginEditObject, [file]);
  const controller = new AbortController();
  let writes = 0;
  store.before = (method) => {
    if (method === "write" && ++writes === 2) {
      controller.abort(new Error("cancelled"));
    }
  };
  const { signal } = controller;
  const data = pattern(5000);
  await assertRejects(
    () =>
      responder.call(SendPartialObject, [file, 0, 0, 5000], { data, signal }),
    Error,
    "cancelled",
  );
  assertEquals(writes, 2);
  await responder.ok(TruncateObject, [file, 0, 0]);
  await responder.ok(EndEditObject, [file]);
  assertEquals(store.text("a"), "");
});

Deno.test("Errors of the store while a part is written are responses", async () => {
  const { responder, store, at } = setup({ "a": "" });
  const file = await at("a");
  await responder.ok(BeginEditObject, [file]);
  store.before = (method) => {
    if (method !== "write") return;
    throw Object.assign(new Error(), { code: "ENOSPC" });
  };
  assertEquals(
    await responder.response(SendPartialObject, [file, 0, 0, 1], bytes("x")),
    "Store_Full",
  );
  assertEquals(store.openFiles, 1);
});

Deno.test("Open files close with the session, the object and the storage", async () => {
  const ends: Record<string, (bench: ReturnType<typeof setup>) => unknown> = {
    "session": ({ device }) => device.endSession(),
    "storage": ({ device, storage }) => device.removeStorage(storage),
    "object": async ({ responder, at }) =>
      await responder.ok(OperationCode.DeleteObject, [await at("in")]),
    "disappearance": ({ store, handles }) => {
      store.items.delete("in/a");
      store.items.delete("in");
      return handles();
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const bench = setup({ "in": "folder", "in/a": "", "b": "" });
    const { responder, store, at } = bench;
    const file = await at("in/a");
    await responder.ok(BeginEditObject, [file]);
    await end(bench);
    assertEquals(store.openFiles, 0, name);
    assertEquals(bench.device.edits.size, 0, name);
    const response = await responder.response(SendPartialObject, [file]);
    assert(response !== "OK", name);
  }
});

Deno.test("Only the removed storage's files close", async () => {
  const { responder, device, at, store } = setup({ "a": "" });
  const other = responder.add(new TreeStore());
  await responder.ok(BeginEditObject, [await at("a")]);
  device.removeStorage(other);
  assertEquals(store.openFiles, 1);
});
