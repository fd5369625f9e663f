// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkOut,
  bulkPair,
  type InEndpoint,
  isochronousIn,
  type OutEndpoint,
} from "@usb/gadget";
import { haltEndpoint } from "../../src/functionfs/endpoint/halt.ts";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import type { TestHost } from "@usb/gadget/testing";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

const ENDPOINT_HALT = 0;

/** What the host knows of an endpoint's halt. */
async function isHalted(host: TestHost, endpoint: InEndpoint | OutEndpoint) {
  const GET_STATUS = 0;
  const [status] = await host.controlIn({
    recipient: "endpoint",
    request: GET_STATUS,
    index: endpoint,
    length: 2,
  });
  return status === 1;
}

/** Halts an endpoint from the host's side. */
async function setHalt(host: TestHost, endpoint: InEndpoint | OutEndpoint) {
  const SET_FEATURE = 3;
  await host.controlOut({
    recipient: "endpoint",
    request: SET_FEATURE,
    value: ENDPOINT_HALT,
    index: endpoint,
  });
}

async function assertStall(transfer: Promise<unknown>): Promise<void> {
  const error = await assertRejects(() => transfer);
  assert(isTransferError(error, "EPIPE"), String(error));
}

Deno.test("halt() resolves when the host sees a stall, and clearHalt() ends it", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  for (const half of [link.in, link.out]) {
    assertEquals(await isHalted(host, half), false);
    await half.halt();
    assertEquals(await isHalted(host, half), true);
    await assertStall(
      half === link.in
        ? host.read(link, PACKET)
        : host.write(link, pattern(10)),
    );
    await half.halt(); // once more changes nothing
    await half.clearHalt();
    assertEquals(await isHalted(host, half), false);
  }
  const written = link.write(pattern(2000));
  assertEquals(await host.read(link, 2 * PACKET + 2048), pattern(2000));
  await written;
  const reading = link.read(100);
  await host.write(link, pattern(100));
  assertEquals(await reading, pattern(100));
});

Deno.test("halt() has its place among the writes", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const all = [
    tx.write(pattern(5000, 1)).then(note("first")),
    tx.write(pattern(500, 2)).then(note("second")),
    tx.halt().then(note("halt")),
    tx.write(pattern(300, 3)).then(note("third")),
  ];
  assertEquals(await host.read(tx, 8192), pattern(5000, 1));
  assertEquals(await host.read(tx, 8192), pattern(500, 2));
  await all[2];
  assertEquals(order, ["first", "second", "halt"]);
  await assertStall(host.read(tx, 8192));
  await host.clearHalt(tx);
  assertEquals(await host.read(tx, 8192), pattern(300, 3));
  await Promise.all(all);
});

Deno.test("halt() waits while the controller's FIFO has data, without blocking the event loop", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  // Up to 64 bytes go into dummy_hcd's FIFO: written, and not yet taken.
  await tx.write(pattern(50));
  let halted = false;
  const halting = tx.halt().then(() => halted = true);
  halting.catch(() => {}); // if the test fails before
  // The event loop turns, and the halt is tried again meanwhile.
  await new Promise<void>((resolve) => {
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks < 40) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  const signal = AbortSignal.timeout(20);
  await assertRejects(() => tx.clearHalt({ signal }), Error, "aborted");
  assertEquals(halted, false);
  assertEquals(await host.read(tx, PACKET), pattern(50));
  await halting;
  await assertStall(host.read(tx, PACKET));
});

Deno.test("halt() waits for the host, and can be aborted", async () => {
  await using test = await startEndpoints({ tx: bulkIn(), rx: bulkOut() });
  const { endpoints: { tx, rx }, gadget, host } = test;
  const udc = gadget.udc.name;
  unplug(gadget);
  const controller = new AbortController();
  const given = tx.halt({ signal: controller.signal });
  const cleared = tx.clearHalt({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  await assertRejects(() => cleared, Error, "enough");
  const halting = [tx.halt(), rx.halt()];
  plug(gadget, udc);
  await host.plug();
  await Promise.all(halting);
  await assertStall(host.read(tx, PACKET));
  await assertStall(host.write(rx, pattern(1)));
});

Deno.test("a halt that the host sets and clears only delays transfers", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const written = link.write(pattern(5000));
  const reading = link.read(5000);
  for (const half of [link.in, link.out]) await setHalt(host, half);
  await assertStall(host.read(link, 8192));
  await assertStall(host.write(link, pattern(5000)));
  for (const half of [link.in, link.out]) await host.clearHalt(half);
  assertEquals(await host.read(link, 8192), pattern(5000));
  await host.write(link, pattern(5000));
  assertEquals(await reading, pattern(5000));
  assertEquals(await written, 5000);
});

Deno.test("isochronous endpoints have no halt", async () => {
  const { transferType } = isochronousIn({ maxPacketSize: 64, intervalMs: 1 });
  const endpoint = { name: "samples", path: "/ep1" };
  await assertRejects(
    // No device controller of the test bed has such an endpoint.
    () =>
      haltEndpoint({
        endpoint,
        file: undefined!,
        direction: "in",
        transferType,
        queue: undefined!,
        signal: undefined,
      }),
    Deno.errors.NotSupported,
    'Cannot halt endpoint "samples": isochronous endpoints have no halt',
  );
});

/** A stream of bytes that the host takes, across all halts. */
async function takeAll(host: TestHost, tx: InEndpoint, total: number) {
  const back = new Uint8Array(total);
  let stalls = 0;
  for (let at = 0; at < total;) {
    try {
      const chunk = await host.read(tx, 4096);
      back.set(chunk, at);
      at += chunk.byteLength;
    } catch (error) {
      if (!isTransferError(error, "EPIPE")) throw error;
      back.set(error.data, at);
      at += error.transferred;
      stalls++;
      await host.clearHalt(tx);
    }
  }
  return { back, stalls };
}

/** Sends a stream of bytes, across all halts. */
async function giveAll(
  host: TestHost,
  rx: OutEndpoint,
  bytes: Uint8Array<ArrayBuffer>,
) {
  let stalls = 0;
  for (let at = 0; at < bytes.byteLength;) {
    try {
      at += await host.write(rx, bytes.slice(at, at + 4096));
    } catch (error) {
      if (!isTransferError(error, "EPIPE")) throw error;
      at += error.transferred;
      stalls++;
      await host.clearHalt(rx);
    }
  }
  return stalls;
}

Deno.test("no byte is lost or doubled when both sides halt and clear while data flows", async () => {
  const rounds = soak(500, 25);
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const perRound = 6 * 4096;
  const total = rounds * perRound;
  const bytes = pattern(total);
  const taking = takeAll(host, link.in, total);
  const giving = giveAll(host, link.out, bytes);
  const write = async () => {
    for (let round = 0; round < rounds; round++) {
      const from = round * perRound;
      const writes = [];
      for (let at = from; at < from + perRound; at += 4096) {
        writes.push(link.write(bytes.subarray(at, at + 4096)));
      }
      await link.in.halt();
      await Promise.all(writes);
      if (round % 2 === 0) await link.in.clearHalt();
    }
  };
  const read = async () => {
    const received = new Uint8Array(total);
    for (let at = 0, round = 0; at < total; round++) {
      const chunk = await link.read(4096);
      received.set(chunk, at);
      at += chunk.byteLength;
      if (round % 6 === 0) await link.out.halt();
      if (round % 12 === 0) await link.out.clearHalt();
    }
    return received;
  };
  const hostHalts = async () => {
    for (let round = 0; round < rounds; round++) {
      for (const half of [link.in, link.out]) await setHalt(host, half);
      await delay(1);
    }
  };
  const [, received, { back, stalls }, outStalls] = await Promise.all([
    write(),
    read(),
    taking,
    giving,
    hostHalts(),
  ]);
  assertEquals(firstDifference(back, bytes), -1);
  assertEquals(firstDifference(received, bytes), -1);
  assert(stalls > 0 && outStalls > 0, `${stalls} and ${outStalls} stalls`);
});
