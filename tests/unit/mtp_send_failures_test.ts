/**
 * Files that do not arrive.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { pattern } from "../support/data/pattern.ts";
import { announcement } from "../support/mtp/announcement.ts";
import { setup } from "../support/mtp/setup.ts";

const { SendObjectInfo, SendObject } = OperationCode;

Deno.test("Nothing remains of a file of the wrong length", async () => {
  for (
    const [size, sent] of [[10, 9], [10, 11], [5000, 4999], [1, 0], [0, 1]]
  ) {
    const { responder, store, storage, handles } = setup();
    await responder.ok(SendObjectInfo, [storage], announcement({ size }));
    const data = pattern(sent);
    assertEquals(
      await responder.response(SendObject, [], { data }),
      "Incomplete_Transfer",
    );
    assertEquals([store.items.size, store.openFiles], [0, 0]);
    assertEquals(await handles(), []);
    assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
  }
});

Deno.test("Nothing remains of a file that is cancelled", async () => {
  for (const when of ["create", "write", "look", "commit"]) {
    const { responder, store, storage, handles } = setup();
    await responder.ok(SendObjectInfo, [storage], announcement({ size: 5000 }));
    const controller = new AbortController();
    const { signal } = controller;
    store.before = (method) => {
      if (method === when) controller.abort(new Error("cancelled"));
    };
    const sent = responder.call(SendObject, [], {
      data: pattern(5000),
      signal,
    });
    if (when === "look" || when === "commit") {
      await sent;
      assertEquals(store.items.size, 1);
    } else {
      await assertRejects(() => sent, Error, "cancelled");
      assertEquals(store.items.size, 0);
    }
    assertEquals(store.openFiles, 0);
    assertEquals((await handles()).length, store.items.size);
  }
});

Deno.test("A file that appears meanwhile is not overwritten", async () => {
  const { responder, store, storage } = setup();
  await responder.ok(SendObjectInfo, [storage], announcement({ size: 5 }));
  store.before = (method) => {
    if (method === "write") store.put("new", "theirs");
  };
  assertEquals(
    await responder.response(SendObject, [], { data: pattern(5) }),
    "Access_Denied",
  );
  assertEquals(store.text("new"), "theirs");
  assertEquals(store.openFiles, 0);
});

Deno.test("Errors of the store while a file comes are responses", async () => {
  for (const method of ["create", "write", "commit"]) {
    const { responder, store, storage, handles } = setup();
    await responder.ok(SendObjectInfo, [storage], announcement({ size: 5 }));
    store.before = (called) => {
      if (called !== method) return;
      throw Object.assign(new Error(), { code: "ENOSPC" });
    };
    assertEquals(
      await responder.response(SendObject, [], { data: pattern(5) }),
      "Store_Full",
    );
    assertEquals(store.openFiles, 0);
    assertEquals(await handles(), []);
  }
});

Deno.test("A folder or storage that goes away takes the announced file with it", async () => {
  const { responder, store, storage, at, device } = setup({ "in": "folder" });
  const folder = await at("in");
  await responder.ok(SendObjectInfo, [storage, folder], announcement({}));
  await responder.ok(OperationCode.DeleteObject, [folder]);
  assertEquals(await responder.response(SendObject), "Invalid_ParentObject");
  await responder.ok(SendObjectInfo, [storage], announcement({ size: 5 }));
  store.before = (method) => {
    if (method === "write") device.removeStorage(storage);
  };
  const sent = responder.response(SendObject, [], { data: pattern(5) });
  assertEquals(await sent, "Store_Not_Available");
  assertEquals([store.items.size, store.openFiles], [0, 0]);
  const other = responder.add(store);
  await responder.ok(SendObjectInfo, [other], announcement({}));
  device.removeStorage(other);
  assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
});
