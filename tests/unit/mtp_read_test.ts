/**
 * Operations that read files: whole, in parts, and their thumbnails.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import type { ResponseName } from "../../src/classes/mtp/protocol/response.ts";
import { pattern } from "../support/data/pattern.ts";
import { setup } from "../support/mtp/setup.ts";

const {
  GetObject,
  GetPartialObject,
  GetPartialObject64,
  GetThumb,
  GetObjectInfo,
} = OperationCode;

Deno.test("GetObject returns all of a file, and closes it", async () => {
  for (const size of [0, 1, 200_000]) {
    const content = pattern(size);
    const { responder, store, at } = setup({ "file": content });
    const { data } = await responder.ok(GetObject, [await at("file")]);
    assertEquals(data, content);
    assertEquals(store.openFiles, 0);
  }
});

Deno.test("Partial reads return what there is, and how much", async () => {
  const content = pattern(1000);
  const { responder, at } = setup({ "file": content });
  const file = await at("file");
  for (
    const [offset, size, expected] of [
      [0, 10, 10],
      [990, 100, 10],
      [0, 0xffff_ffff, 1000],
      [1000, 1, 0],
      [0xffff_ffff, 5, 0],
      [3, 0, 0],
    ]
  ) {
    const part = content.slice(offset, offset + expected);
    for (
      const outcome of [
        await responder.ok(GetPartialObject, [file, offset, size]),
        await responder.ok(GetPartialObject64, [file, offset, 0, size]),
      ]
    ) {
      assertEquals(outcome, { parameters: [expected], data: part });
    }
  }
});

Deno.test("GetPartialObject64 reads above 4 GiB, with offsets below 2^53", async () => {
  const { responder, at, store } = setup({ "file": "" });
  const reads: [number, number][] = [];
  store.open = () =>
    Promise.resolve({
      byteLength: 2 ** 52 + 5,
      read: (offset: number, into: Uint8Array) => {
        reads.push([offset, into.byteLength]);
        return into.byteLength;
      },
      write: () => {},
      resize: () => {},
      close: () => {},
    });
  const file = await at("file");
  const outcome = await responder.ok(GetPartialObject64, [
    file,
    2,
    2 ** 20,
    100,
  ]);
  assertEquals(outcome.parameters, [3]);
  assertEquals(reads, [[2 ** 52 + 2, 3]]);
  assertEquals(
    await responder.response(GetPartialObject64, [file, 0, 2 ** 21, 1]),
    "Invalid_Parameter",
  );
});

Deno.test("Reads of what is no file are refused", async () => {
  const { responder, at, store } = setup({ "folder": "folder", "file": "1" });
  const folder = await at("folder");
  const gone = await at("file");
  store.items.delete("file");
  for (const code of [GetObject, GetPartialObject, GetPartialObject64]) {
    for (const handle of [0, folder, gone, 12345, 0xffff_ffff]) {
      const parameters = [handle, 0, 1, 0];
      assertEquals(
        await responder.response(code, parameters),
        "Invalid_ObjectHandle",
      );
    }
  }
});

Deno.test("What the system says of a file is a response, anything else General_Error", async () => {
  const { responder, at, store } = setup({ "file": "1" });
  const file = await at("file");
  const responses: [Error, ResponseName][] = [
    [Object.assign(new Error(), { code: "EACCES" }), "Access_Denied"],
    [Object.assign(new Error(), { code: "ENOENT" }), "Invalid_ObjectHandle"],
    [Object.assign(new Error(), { code: "EIO" }), "General_Error"],
    [new Error("a bug"), "General_Error"],
  ];
  for (const [error, expected] of responses) {
    store.before = (method) => {
      if (method === "open") throw error;
    };
    assertEquals(await responder.response(GetObject, [file]), expected);
  }
  assertEquals(responder.errors, [responses[2][0], responses[3][0]]);
});

Deno.test("Thumbnails come from the program", async () => {
  const asked: string[] = [];
  const { responder, at, info } = setup({
    "folder": "folder",
    "folder/a.jpg": "large",
    "b.txt": "no image",
  }, {
    thumbnail: ({ name }, path) => {
      asked.push(`${name}:${path}`);
      return path.endsWith(".jpg") ? Uint8Array.of(1, 2, 3) : undefined;
    },
  });
  const [image, text, folder] = await Promise.all(
    ["folder/a.jpg", "b.txt", "folder"].map(at),
  );
  asked.length = 0;
  const { data } = await responder.ok(GetThumb, [image]);
  assertEquals(data, Uint8Array.of(1, 2, 3));
  assertEquals(asked, ["Storage:folder/a.jpg"]);
  assertEquals((await info(image)).thumbnailSize, 3);
  const format = (await responder.ok(GetObjectInfo, [image])).data
    .subarray(12, 14);
  assertEquals(format, Uint8Array.of(0x08, 0x38));
  for (const handle of [text, folder]) {
    assertEquals((await info(handle)).thumbnailSize, 0);
    assertEquals(
      await responder.response(GetThumb, [handle]),
      "No_Thumbnail_Present",
    );
  }
  const without = setup({ "a.jpg": "" });
  assertEquals(
    await without.responder.response(GetThumb, [await without.at("a.jpg")]),
    "No_Thumbnail_Present",
  );
  assertEquals(
    await responder.response(GetThumb, [99]),
    "Invalid_ObjectHandle",
  );
});
