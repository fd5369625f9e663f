/**
 * InitiateCapture (PTP 10.4.14).
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ALL,
  EventCode,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import { ResponseError } from "../../src/classes/mtp/protocol/response.ts";
import type { DeviceOptions } from "../../src/classes/mtp/responder/device.ts";
import { TRANSACTION } from "../support/mtp/calls.ts";
import { setup } from "../support/mtp/setup.ts";
import { TreeStore } from "../support/mtp/tree_store.ts";
import { until } from "../support/waiting/until.ts";

const { InitiateCapture, GetObjectHandles } = OperationCode;
const { ObjectAdded, CaptureComplete, StoreFull } = EventCode;
const COMPLETE = [CaptureComplete, TRANSACTION];

type Capture = NonNullable<DeviceOptions["capture"]>;

/** Takes a picture, and returns the events up to the last one. */
async function take(
  { responder }: ReturnType<typeof setup>,
  ...parameters: number[]
) {
  await responder.ok(InitiateCapture, parameters);
  const { events } = responder;
  await until(() => !responder.device.isCapturing, "the picture is taken");
  return events.splice(0);
}

Deno.test("a picture is reported, with its new folders, and then that it is taken", async () => {
  let count = 0;
  const capture: Capture = ({ store }) => {
    const path = `DCIM/100TEST/${++count}.jpg`;
    const tree = store as TreeStore;
    tree.put("DCIM", "folder");
    tree.put("DCIM/100TEST", "folder");
    tree.put(path, "picture");
    return path;
  };
  for (const isListed of [true, false]) {
    count = 0;
    const bench = setup({ "old.jpg": "1" }, { capture });
    if (isListed) await bench.handles();
    const events = await take(bench);
    const objects = ["DCIM", "DCIM/100TEST", "DCIM/100TEST/1.jpg"];
    const handles = await Promise.all(objects.map(bench.at));
    const added = handles.map((handle) => [ObjectAdded, handle]);
    assertEquals(events, [...added, COMPLETE]);
    const next = await take(bench);
    const second = await bench.at("DCIM/100TEST/2.jpg");
    assertEquals(next, [[ObjectAdded, second], COMPLETE]);
  }
});

Deno.test("a picture that the host has found itself is not reported again", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setup({}, {
    async capture({ store }) {
      (store as TreeStore).put("1.jpg", "picture");
      await gate.promise;
      return "1.jpg";
    },
  });
  await bench.responder.ok(InitiateCapture);
  assertEquals((await bench.handles()).length, 1);
  gate.resolve();
  await until(() => !bench.responder.device.isCapturing, "it is taken");
  assertEquals(bench.responder.events, [COMPLETE]);
});

Deno.test("the host chooses the storage of a picture, and waits for the one before", async () => {
  const stores: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const bench = setup({}, {
    async capture({ store }) {
      stores.push(store);
      (store as TreeStore).put("1.jpg", "picture");
      await gate.promise;
      return "1.jpg";
    },
  });
  const { responder, store } = bench;
  const card = new TreeStore();
  const second = responder.add(card);
  const response = (...parameters: number[]) =>
    responder.response(InitiateCapture, parameters);
  assertEquals(await response(999), "Invalid_StorageID");
  assertEquals(await response(0, 1), "Specification_By_Format_Unsupported");
  assertEquals(await response(second), "OK");
  assertEquals(await response(), "Device_Busy");
  gate.resolve();
  await until(() => !responder.device.isCapturing, "it is taken");
  await take(bench);
  assertEquals(stores, [card, store]);
});

Deno.test("a picture that cannot be taken", async () => {
  let failure: unknown;
  const bench = setup({}, {
    capture() {
      if (failure !== undefined) throw failure;
      return "missing.jpg";
    },
  });
  const { errors } = bench.responder;
  failure = Object.assign(new Error("full"), { code: "ENOSPC" });
  assertEquals(await take(bench), [[StoreFull, TRANSACTION]]);
  failure = new ResponseError("Store_Full");
  assertEquals(await take(bench), [[StoreFull, TRANSACTION]]);
  assertEquals(errors, []);
  failure = new Error("no light");
  assertEquals(await take(bench), [COMPLETE]);
  assertEquals(errors.splice(0), [failure]);
  failure = undefined;
  assertEquals(await take(bench), [COMPLETE]);
  assertStringIncludes(`${errors}`, 'no "missing.jpg" in storage "Storage"');
});

Deno.test("the end of a session ends the picture, and the next session takes another", async () => {
  const signals: AbortSignal[] = [];
  const bench = setup({}, {
    capture({ store }, signal) {
      signals.push(signal);
      (store as TreeStore).put("1.jpg", "picture");
      if (signals.length > 1) return "1.jpg";
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    },
  });
  const { responder } = bench;
  await responder.ok(InitiateCapture);
  responder.device.endSession();
  assert(signals[0].aborted);
  const events = await take(bench);
  assertEquals(events, [[ObjectAdded, await bench.at("1.jpg")], COMPLETE]);
  assertEquals(responder.errors, []);
});

Deno.test("a device that takes no pictures does not offer it", async () => {
  const { responder } = setup();
  assert(!(InitiateCapture in responder.operations));
  await responder.ok(GetObjectHandles, [ALL, 0, ALL]);
});
