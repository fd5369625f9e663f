import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bulkIn, bulkOut, bulkPair, isochronousIn } from "@usb/gadget";
import { haltEndpoint } from "../../src/functionfs/endpoint/halt.ts";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import type { UsbfsDevice } from "../support/usbfs/device.ts";
import { isTransferError } from "../support/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

const ENDPOINT_HALT = 0;
const TO_ENDPOINT = 0x02; // standard, recipient endpoint

/** What the host knows of an endpoint's halt. */
async function isHalted(device: UsbfsDevice, address: number) {
  const GET_STATUS = 0;
  const [status] = await device.controlIn({
    requestType: TO_ENDPOINT,
    request: GET_STATUS,
    index: address,
    length: 2,
  });
  return status === 1;
}

/** Halts an endpoint from the host's side. */
async function setHalt(device: UsbfsDevice, address: number) {
  const SET_FEATURE = 3;
  await device.controlOut({
    requestType: TO_ENDPOINT,
    request: SET_FEATURE,
    value: ENDPOINT_HALT,
    index: address,
  });
}

async function assertStall(transfer: Promise<unknown>): Promise<void> {
  const error = await assertRejects(() => transfer);
  assert(isTransferError(error, "EPIPE"), String(error));
}

Deno.test("halt() resolves when the host sees a stall, and clearHalt() ends it", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
  for (const [half, address] of [[link.in, input], [link.out, out]] as const) {
    assertEquals(await isHalted(device, address), false);
    await half.halt();
    assertEquals(await isHalted(device, address), true);
    await assertStall(
      half === link.in
        ? device.bulkIn(address, PACKET)
        : device.bulkOut(address, pattern(10)),
    );
    await half.halt(); // once more changes nothing
    await half.clearHalt();
    assertEquals(await isHalted(device, address), false);
  }
  const written = link.write(pattern(2000));
  assertEquals(await device.bulkIn(input, 2 * PACKET + 2048), pattern(2000));
  await written;
  const reading = link.read(100);
  await device.bulkOut(out, pattern(100));
  assertEquals(await reading, pattern(100));
});

Deno.test("halt() has its place among the writes", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, device, addresses: [input] } = test;
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const all = [
    tx.write(pattern(5000, 1)).then(note("first")),
    tx.write(pattern(500, 2)).then(note("second")),
    tx.halt().then(note("halt")),
    tx.write(pattern(300, 3)).then(note("third")),
  ];
  assertEquals(await device.bulkIn(input, 8192), pattern(5000, 1));
  assertEquals(await device.bulkIn(input, 8192), pattern(500, 2));
  await all[2];
  assertEquals(order, ["first", "second", "halt"]);
  await assertStall(device.bulkIn(input, 8192));
  await device.clearHalt(input);
  assertEquals(await device.bulkIn(input, 8192), pattern(300, 3));
  await Promise.all(all);
});

Deno.test("halt() waits while the controller's FIFO has data, without blocking the event loop", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, device, addresses: [input] } = test;
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
  assertEquals(await device.bulkIn(input, PACKET), pattern(50));
  await halting;
  await assertStall(device.bulkIn(input, PACKET));
});

Deno.test("halt() waits for the host, and can be aborted", async () => {
  await using test = await startEndpoints({ tx: bulkIn(), rx: bulkOut() });
  const { endpoints: { tx, rx }, gadget, addresses: [input, out] } = test;
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
  const device = await test.reopen();
  await Promise.all(halting);
  await assertStall(device.bulkIn(input, PACKET));
  await assertStall(device.bulkOut(out, pattern(1)));
});

Deno.test("a halt that the host sets and clears only delays transfers", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
  const written = link.write(pattern(5000));
  const reading = link.read(5000);
  for (const address of [input, out]) await setHalt(device, address);
  await assertStall(device.bulkIn(input, 8192));
  await assertStall(device.bulkOut(out, pattern(5000)));
  for (const address of [input, out]) await device.clearHalt(address);
  assertEquals(await device.bulkIn(input, 8192), pattern(5000));
  await device.bulkOut(out, pattern(5000));
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
        fd: -1,
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
async function takeAll(device: UsbfsDevice, address: number, total: number) {
  const back = new Uint8Array(total);
  let stalls = 0;
  for (let at = 0; at < total;) {
    try {
      const chunk = await device.bulkIn(address, 4096);
      back.set(chunk, at);
      at += chunk.byteLength;
    } catch (error) {
      if (!isTransferError(error, "EPIPE")) throw error;
      back.set(error.data, at);
      at += error.actualLength;
      stalls++;
      await device.clearHalt(address);
    }
  }
  return { back, stalls };
}

/** Sends a stream of bytes, across all halts. */
async function giveAll(
  device: UsbfsDevice,
  address: number,
  bytes: Uint8Array<ArrayBuffer>,
) {
  let stalls = 0;
  for (let at = 0; at < bytes.byteLength;) {
    try {
      at += await device.bulkOut(address, bytes.slice(at, at + 4096));
    } catch (error) {
      if (!isTransferError(error, "EPIPE")) throw error;
      at += error.actualLength;
      stalls++;
      await device.clearHalt(address);
    }
  }
  return stalls;
}

Deno.test("no byte is lost or doubled when both sides halt and clear while data flows", async () => {
  const rounds = soak(500, 25);
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
  const perRound = 6 * 4096;
  const total = rounds * perRound;
  const bytes = pattern(total);
  const taking = takeAll(device, input, total);
  const giving = giveAll(device, out, bytes);
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
      for (const address of [input, out]) await setHalt(device, address);
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
