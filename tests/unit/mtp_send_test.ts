/**
 * Operations by which a host sends files and makes folders.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ALL,
  ObjectFormat,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import {
  encodeObjectInfo,
  type ObjectInfo,
} from "../../src/classes/mtp/protocol/object_info.ts";
import { pattern } from "../support/data/pattern.ts";
import type { CallOptions } from "../support/mtp/calls.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";

const { SendObjectInfo, SendObject, GetObjectInfo } = OperationCode;

/** What a host announces. */
function announcement(info: Partial<ObjectInfo>): CallOptions {
  const data = encodeObjectInfo({
    storageId: 0,
    format: ObjectFormat.Undefined,
    isProtected: false,
    size: 0,
    thumbnailSize: 0,
    parent: 0,
    name: "new",
    modified: undefined,
    ...info,
  });
  return { data };
}

Deno.test("A file is sent into a folder, and has what was announced", async () => {
  for (const size of [0, 1, 999, 1000, 1001, 50_000]) {
    const { responder, store, storage, at, info } = setup({ "in": "folder" });
    const folder = await at("in");
    const modified = new Date(2020, 5, 6, 7, 8, 9).getTime();
    const { parameters } = await responder.ok(
      SendObjectInfo,
      [storage, folder],
      announcement({ name: "ä.bin", size, modified, format: 0x3801 }),
    );
    const [storageId, parent, handle] = parameters;
    assertEquals([storageId, parent], [storage, folder]);
    assertEquals(store.items.size, 1);
    const data = pattern(size);
    await responder.ok(SendObject, [], { data });
    assertEquals(store.items.get("in/ä.bin"), data);
    assertEquals(store.openFiles, 0);
    const { thumbnailSize: _, ...sent } = await info(handle);
    assertEquals(sent, {
      storageId: storage,
      format: 0x3801,
      isProtected: false,
      size,
      parent: folder,
      name: "ä.bin",
      modified,
    });
    assertEquals(await at("in/ä.bin"), handle);
    assertEquals(responder.events, []);
  }
});

Deno.test("The name of a file says its format, else what the host has announced", async () => {
  const { responder, storage, info } = setup();
  for (
    const [name, format, expected] of [
      ["a.txt", 0x3801, 0x3004],
      ["b.txt", ObjectFormat.Undefined, 0x3004],
      ["c", 0x3801, 0x3801],
      ["d", ObjectFormat.Undefined, ObjectFormat.Undefined],
      ["e", 0xb215, ObjectFormat.Undefined],
    ] as const
  ) {
    const { parameters: [, , handle] } = await responder.ok(
      SendObjectInfo,
      [storage],
      announcement({ name, format }),
    );
    await responder.ok(SendObject);
    assertEquals((await info(handle)).format, expected);
  }
});

Deno.test("A folder is made at once", async () => {
  const { responder, store, storage, at, handles } = setup();
  const { parameters: [, parent, handle] } = await responder.ok(
    SendObjectInfo,
    [storage, ALL],
    announcement({ name: "made", format: ObjectFormat.Association }),
  );
  assertEquals(parent, 0);
  assertEquals(store.items.get("made"), "folder");
  assertEquals(await at("made"), handle);
  assertEquals(await handles(handle), []);
  assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
});

Deno.test("Without a storage, the device chooses: that of the folder, or the first", async () => {
  const { responder, store, storage, at } = setup();
  const second = new TreeStore({ "folder": "folder" });
  const other = responder.add(second);
  const list = await responder.read(OperationCode.GetObjectHandles, [
    other,
    0,
    ALL,
  ]);
  const [folder] = list.array32();
  const first = await responder.ok(SendObjectInfo, [], announcement({}));
  assertEquals(first.parameters.slice(0, 2), [storage, 0]);
  await responder.ok(SendObject);
  assert(store.items.has("new"));
  await at("new");
  const inFolder = await responder.ok(
    SendObjectInfo,
    [0, folder],
    announcement({}),
  );
  assertEquals(inFolder.parameters.slice(0, 2), [other, folder]);
  await responder.ok(SendObject);
  assert(second.items.has("folder/new"));
  const empty = setup();
  empty.device.removeStorage(empty.storage);
  assertEquals(
    await empty.responder.response(SendObjectInfo, [], announcement({})),
    "Store_Not_Available",
  );
});

Deno.test("SendObjectInfo refuses what cannot be", async () => {
  const { responder, store, storage, at } = setup({
    "file": "1",
    "folder": "folder",
  });
  const readOnly = responder.add(new TreeStore(), { readOnly: true });
  const full = new TreeStore();
  full.free = 10;
  const small = responder.add(full);
  const [file, folder] = [await at("file"), await at("folder")];
  const refusal = (
    parameters: number[],
    info: Partial<ObjectInfo> = {},
  ) => responder.response(SendObjectInfo, parameters, announcement(info));
  assertEquals(await refusal([7]), "Invalid_StorageID");
  assertEquals(await refusal([storage, 9999]), "Invalid_ParentObject");
  assertEquals(await refusal([storage, file]), "Invalid_ParentObject");
  assertEquals(await refusal([small, folder]), "Invalid_ParentObject");
  assertEquals(await refusal([readOnly]), "Store_Read_Only");
  assertEquals(await refusal([storage], { name: "file" }), "Access_Denied");
  assertEquals(await refusal([storage], { name: "folder" }), "Access_Denied");
  const association = { format: ObjectFormat.Association, name: "folder" };
  assertEquals(await refusal([storage], association), "Access_Denied");
  assertEquals(await refusal([small], { size: 11 }), "Store_Full");
  assertEquals(await refusal([small], { size: 2 ** 40 }), "Store_Full");
  const short = announcement({}).data!;
  assertEquals(
    await responder.response(SendObjectInfo, [storage], {
      data: (short as Uint8Array<ArrayBuffer>).subarray(0, 52),
    }),
    "Invalid_Dataset",
  );
  const names = ["", ".", "..", "a/b", "../x", "/", "\ud800", "ä".repeat(128)];
  for (const name of names) {
    assertEquals(await refusal([storage], { name }), "Invalid_Dataset");
    const folder = { ...association, name };
    assertEquals(await refusal([storage], folder), "Invalid_Dataset");
  }
  assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
  assertEquals([...store.items.keys()], ["file", "folder"]);
  assertEquals(await refusal([small], { size: 10 }), "OK");
});

Deno.test("A store that cannot make folders refuses them", async () => {
  const { responder, store, storage } = setup();
  Object.assign(store, { makeFolder: undefined });
  const info = announcement({ format: ObjectFormat.Association });
  assertEquals(
    await responder.response(SendObjectInfo, [storage], info),
    "Access_Denied",
  );
});

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

Deno.test("A file whose size is not in its information has that of its data", async () => {
  const { responder, store, storage } = setup();
  const info = announcement({ size: 0xffff_ffff });
  await responder.ok(SendObjectInfo, [storage], info);
  await responder.ok(SendObject, [], { data: pattern(10) });
  assertEquals(store.items.get("new"), pattern(10));
  // Neither has it: then it is at least 4 GiB - 1.
  const other = { ...announcement({ size: 0xffff_ffff, name: "other" }) };
  await responder.ok(SendObjectInfo, [storage], other);
  assertEquals(
    await responder.response(SendObject, [], {
      data: pattern(10),
      byteLength: undefined,
    }),
    "Incomplete_Transfer",
  );
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

Deno.test("The announced file is gone after the session", async () => {
  const { responder, storage, device } = setup();
  const { parameters: [, , handle] } = await responder.ok(
    SendObjectInfo,
    [storage],
    announcement({}),
  );
  assertEquals(
    await responder.response(GetObjectInfo, [handle]),
    "Invalid_ObjectHandle",
  );
  device.endSession();
  assertEquals(await responder.response(SendObject), "No_Valid_ObjectInfo");
});
