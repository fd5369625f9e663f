/**
 * References from one object to others.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { DatasetWriter } from "../../src/classes/mtp/protocol/dataset.ts";
import { setup } from "../support/mtp/setup.ts";

const { GetObjectReferences, SetObjectReferences } = OperationCode;

Deno.test("References last while both objects exist", async () => {
  const { responder, at } = setup({ "list.m3u": "", "a": "1", "b": "2" });
  const [list, a, b] = await Promise.all(["list.m3u", "a", "b"].map(at));
  const read = async () =>
    (await responder.read(GetObjectReferences, [list])).array32();
  assertEquals(await read(), []);
  const set = (...handles: number[]) => ({
    data: new DatasetWriter().array32(handles),
  });
  await responder.ok(SetObjectReferences, [list], set(b, a, b));
  assertEquals(await read(), [b, a, b]);
  assertEquals(
    await responder.response(SetObjectReferences, [list], set(a, 999)),
    "Invalid_ObjectReference",
  );
  assertEquals(
    await responder.response(SetObjectReferences, [list], {
      data: Uint8Array.of(2, 0, 0, 0, 1),
    }),
    "Invalid_Dataset",
  );
  await responder.ok(OperationCode.DeleteObject, [b]);
  assertEquals(await read(), [a]);
  for (const code of [GetObjectReferences, SetObjectReferences]) {
    assertEquals(
      await responder.response(code, [999], set()),
      "Invalid_ObjectHandle",
    );
  }
});
