// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bulkPair, type InEndpoint } from "@usb/gadget";
import type { TestHost } from "@usb/gadget/testing";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const MIB = 1 << 20;

const SIZES = [
  0,
  1,
  PACKET - 1,
  PACKET,
  PACKET + 1,
  4095,
  4096,
  65_536,
  MIB,
  2 * MIB, // two kernel requests, of which only the last one has a ZLP
  16 * MIB + 1,
];

const READ_SIZES = [PACKET, 4096, 65_536, MIB];

/** A host that needs more requests than this for one transfer is left out. */
const MAX_REQUESTS = soak(40_000, 64);

/** What the host's requests of `readSize` bytes bring, one after the other. */
function expectedResults(
  size: number,
  autoZlp: boolean,
  readSize: number,
): number[] {
  const results: number[] = [];
  for (let left = size; left > 0; left -= results.at(-1)!) {
    results.push(Math.min(left, readSize));
  }
  const onBorder = size % PACKET === 0;
  const ended = size === 0 || autoZlp && onBorder;
  // After a request that was filled, the zero-length packet fills one more.
  if (ended && (results.at(-1) ?? readSize) === readSize) results.push(0);
  return results;
}

/** Checks what the host gets of one write. */
async function checkWrite(
  { tx, host, size, readSize }: {
    tx: InEndpoint;
    host: TestHost;
    size: number;
    readSize: number;
  },
): Promise<void> {
  const { autoZlp } = tx;
  const what = `${size} bytes read by ${readSize}, automatic ZLP ${
    autoZlp ? "on" : "off"
  }`;
  const bytes = pattern(size, size);
  const written = tx.write(bytes);
  let at = 0;
  for (const expected of expectedResults(size, autoZlp, readSize)) {
    // Without an end that the host can see it has to know the size.
    const visible = expected % PACKET > 0 || autoZlp || size === 0;
    const chunk = await host.read(tx, visible ? readSize : expected);
    assertEquals(chunk.byteLength, expected, what);
    const part = bytes.subarray(at, at + expected);
    assertEquals(firstDifference(chunk, part), -1, what);
    at += expected;
  }
  assertEquals(await written, size, what);
}

Deno.test("the host sees each transfer's bytes and end, for every size and with automatic ZLPs on and off", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  for (const autoZlp of [false, true]) {
    link.autoZlp = autoZlp;
    for (const size of SIZES) {
      for (const readSize of READ_SIZES) {
        if (size / readSize > MAX_REQUESTS) continue;
        // The same many times over, which takes its time at full speed.
        const repeats = size > MIB && (autoZlp || readSize < MIB);
        if (repeats && soak(1, 0) === 0) continue;
        await checkWrite({ tx: link.in, host, size, readSize });
      }
    }
  }
});

Deno.test("a transfer without an end stays open until more comes", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const written = link.write(pattern(2 * PACKET));
  const controller = new AbortController();
  const { signal } = controller;
  const reading = host.read(link, 4 * PACKET, { signal })
    .catch((error) => error);
  // More than dummy_hcd's FIFO holds: the host has taken it then.
  assertEquals(await written, 2 * PACKET);
  await delay(100);
  controller.abort();
  const open = await reading;
  assert(isTransferError(open, "ENOENT"), String(open));
  assertEquals(open.transferred, 2 * PACKET);
  const ended = link.write(new Uint8Array(0));
  assertEquals((await host.read(link, PACKET)).byteLength, 0);
  assertEquals(await ended, 0);
});

Deno.test("a write with a zero-length packet is done when the host has taken that, too", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  link.autoZlp = true;
  let done = false;
  const size = 2 * PACKET; // too much for dummy_hcd's FIFO at every speed
  const written = link.write(pattern(size)).then(() => done = true);
  // Both requests are with the kernel before the host takes the first one: an
  // empty request to an idle endpoint would go into dummy_hcd's FIFO.
  await delay(0);
  assertEquals((await host.read(link, size)).byteLength, size);
  await delay(100);
  assertEquals(done, false);
  assertEquals((await host.read(link, PACKET)).byteLength, 0);
  await written;
});

Deno.test("the kernel's record of the bus shows the same transfers", async () => {
  await shell("modprobe usbmon");
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const cases = [PACKET, 2 * PACKET, 700, 0].flatMap((size) =>
    [true, false].map((autoZlp) => ({ size, autoZlp }))
  );
  await using record = await host.record();
  for (const { size, autoZlp } of cases) {
    link.autoZlp = autoZlp;
    await checkWrite({ tx: link.in, host, size, readSize: PACKET });
  }
  const reading = link.read(PACKET * 8);
  await host.write(link, pattern(300 % PACKET));
  await reading;
  await link.in.halt();
  await assertRejects(() => host.read(link, PACKET));

  const ends = record.events.filter(({ type, endpoint }) =>
    type === "complete" && endpoint === "test.link"
  ).map(({ direction, status, length }) => ({ direction, status, length }));
  const expected = cases.flatMap(({ size, autoZlp }) =>
    expectedResults(size, autoZlp, PACKET)
  ).map((length) => ({ direction: "in", status: 0, length }));
  assertEquals<unknown>(ends, [
    ...expected,
    { direction: "out", status: 0, length: 300 % PACKET },
    { direction: "in", status: -32, length: 0 },
  ]);
});

Deno.test("automatic ZLPs can be switched on before there is a host, and changed while writes wait", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, host } = test;
  const udc = gadget.udc.name;
  unplug(gadget);
  link.autoZlp = true;
  const first = link.write(pattern(PACKET));
  link.autoZlp = false;
  const second = link.write(pattern(PACKET, 1));
  link.autoZlp = true;
  const third = link.write(pattern(PACKET, 2));
  plug(gadget, udc);
  await host.plug();
  const chunks = [];
  for (const size of [4 * PACKET, 5 * PACKET]) {
    chunks.push(await host.read(link, size));
  }
  // The second one has no end, so that the third one goes on in it.
  assertEquals(chunks.map((each) => each.byteLength), [PACKET, 2 * PACKET]);
  await Promise.all([first, second, third]);
});

Deno.test("a host's transfer ends where the host ends it", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  for (const size of SIZES) {
    const bytes = pattern(size, size);
    const reading = link.read(Math.max(1, size));
    for (let at = 0; at < size || at === 0; at += MIB) {
      await host.write(link, bytes.slice(at, at + MIB));
    }
    assertEquals(firstDifference(await reading, bytes), -1, `${size} bytes`);
    if (size > MIB || size === 0) continue;
    const larger = link.read(size + 2 * PACKET);
    await host.write(link, bytes, { zlp: "auto" });
    assertEquals(firstDifference(await larger, bytes), -1, `${size} and a ZLP`);
  }
  await assertRejects(() => host.write(link, pattern(1), { timeout: 100 }));
});
