// VM: any architecture
import "../support/run/aio_libraries.ts";
import { OutEndpointCore } from "../../src/functionfs/endpoint/out_core.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkOut,
  bulkPair,
  interruptIn,
  interruptOut,
  OutEndpoint,
  SystemError,
} from "@usb/gadget";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { collectGarbage } from "../support/measure/memory.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const MIB = 1 << 20;

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

Deno.test("read() returns what was kept of a packet at once, and in order", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const bytes = pattern(3 * PACKET);
  const reads = [rx.read(10), rx.read(PACKET), rx.read(5), rx.read(PACKET)];
  await host.write(rx, bytes.slice(0, PACKET));
  assertSame(await reads[0], bytes.subarray(0, 10));
  assertSame(await reads[1], bytes.subarray(10, PACKET));
  await host.write(rx, bytes.slice(PACKET, PACKET + 8));
  assertSame(await reads[2], bytes.subarray(PACKET, PACKET + 5));
  assertSame(await reads[3], bytes.subarray(PACKET + 5, PACKET + 8));
});

Deno.test("a zero-length packet is an empty transfer, not an end", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const first = rx.read(2 * PACKET);
  await host.write(rx, new Uint8Array(0));
  assertEquals((await first).byteLength, 0);
  const second = rx.read(4 * PACKET);
  await host.write(rx, pattern(2 * PACKET), { zlp: "auto" });
  assertSame(await second, pattern(2 * PACKET));
});

/** An endpoint that takes its packets for smaller than they are. */
class NarrowCore extends OutEndpointCore {
  override get packetSize() {
    return 8;
  }
}

Deno.test("a packet that is larger than its request fails with EOVERFLOW, and no other data is lost", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  // The library never asks for less than a packet, so something must lie.
  const { compiled, ...resources } = rx["core"].resources;
  const maxPacketSize = { super: 8 };
  const core = new NarrowCore({
    ...resources,
    compiled: { ...compiled, maxPacketSize },
  });
  const narrow = new OutEndpoint(core);
  const reads = [8, 8, 8].map((size) => narrow.read(size));
  await host.write(rx, pattern(5, 1));
  const refused = assertRejects(() => reads[1], SystemError);
  await host.write(rx, pattern(20, 2));
  await host.write(rx, pattern(8, 3));
  assertSame(await reads[0], pattern(5, 1));
  const error = await refused;
  assertEquals(error.code, "EOVERFLOW");
  assertEquals((error as { transferred?: number }).transferred, 0);
  assert(error.message.endsWith("the data of this request is lost"));
  assertSame(await reads[2], pattern(8, 3));
  await core.close();
});

Deno.test("many reads and writes under way are served in the order of their calls", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const chunks = Array.from({ length: 40 }, (_, n) => pattern(4096, n));
  const reads = chunks.map(() => link.read(4096));
  const writes = chunks.map((chunk) => link.write(chunk));
  for (const chunk of chunks) {
    await host.write(link, chunk);
    assertSame(await host.read(link, 4096), chunk);
  }
  for (const [index, chunk] of chunks.entries()) {
    assertSame(await reads[index], chunk, `read ${index}`);
    assertEquals(await writes[index], 4096);
  }
});

Deno.test("a transfer may have any size, in both directions", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  for (const size of [1, PACKET, 65_537, MIB, MIB + 1, 3 * MIB + PACKET]) {
    const bytes = pattern(size, size);
    const rounded = Math.ceil(size / PACKET) * PACKET;
    const [sent, received] = await Promise.all([
      link.write(bytes),
      host.read(link, rounded),
    ]);
    assertEquals(sent, size);
    assertSame(received, bytes, `${size} bytes to the host`);
    const [back] = await Promise.all([
      link.read(size),
      host.write(link, bytes),
    ]);
    assertSame(back, bytes, `${size} bytes from the host`);
  }
});

Deno.test("a large read ends with the host's short packet, and the next one begins there", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const bytes = pattern(MIB + 3 * PACKET + 7);
  const reads = [rx.read(4 * MIB), rx.read(100), rx.read(MIB)];
  await host.write(rx, bytes);
  await host.write(rx, pattern(60, 1));
  await host.write(rx, pattern(PACKET + 1, 2));
  assertSame(await reads[0], bytes);
  assertSame(await reads[1], pattern(60, 1));
  assertSame(await reads[2], pattern(PACKET + 1, 2));
});

Deno.test("read(buffer) takes the memory over, and gives it back with the data", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  let memory = new ArrayBuffer(16 + 8192);
  for (const size of [8192, 1000, 8192]) {
    const buffer = new Uint8Array(memory, 16, size);
    const reading = rx.read(buffer);
    assertEquals(buffer.byteLength, 0, "the caller's view is detached");
    collectGarbage();
    await host.write(rx, pattern(700, size));
    const result = await reading;
    assertSame(result, pattern(700, size));
    assertEquals(result.byteOffset, 16);
    memory = result.buffer;
    assertEquals(memory.byteLength, 16 + 8192);
  }
  await assertRejects(
    () => rx.read(new Uint8Array(new SharedArrayBuffer(1024))),
    TypeError,
    "the buffer is shared memory",
  );
  const resizable = new ArrayBuffer(1024, { maxByteLength: 4096 });
  const reading = rx.read(new Uint8Array(resizable));
  assert(resizable.detached);
  await host.write(rx, pattern(PACKET - 1));
  assertSame(await reading, pattern(PACKET - 1));
  await assertRejects(() => rx.read(0), RangeError, "positive integer");
  await assertRejects(() => rx.read(new Uint8Array(0)), RangeError);
});

Deno.test("write() takes shared and resizable memory, and refuses what was detached meanwhile", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const shared = new Uint8Array(new SharedArrayBuffer(PACKET - 1));
  shared.set(pattern(PACKET - 1));
  const written = tx.write(shared);
  assertSame(await host.read(tx, PACKET), pattern(PACKET - 1));
  await written;
  const detached = pattern(500);
  const refused = assertRejects(
    () => tx.write(detached),
    TypeError,
    "the data was detached before it was sent",
  );
  structuredClone(detached, { transfer: [detached.buffer] });
  await refused;
});

Deno.test("transfers() keeps the borders between transfers, and loses nothing when it stops", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const sizes = [1, 0, PACKET - 1, 2 * PACKET, 0, 5000, 3, 4096, 7];
  const send = async () => {
    for (const [index, size] of sizes.entries()) {
      await host.write(rx, pattern(size, index), {
        zlp: size > 0 ? "auto" : "never",
      });
    }
  };
  const sent = send();
  let index = 0;
  for (let round = 0; index < sizes.length; round++) {
    // Leaves the loop in the middle, while others are under way.
    for await (const transfer of rx.transfers({ size: 8192, depth: 3 })) {
      assertSame(transfer, pattern(sizes[index], index), `transfer ${index}`);
      index++;
      if (index % 4 === 0 || index === sizes.length) break;
    }
  }
  await sent;
});

Deno.test("transfers() receives as much as its depth, then the host waits", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, host } = test;
  const transfers = rx.transfers({ size: 4096, depth: 3 });
  const send = (n: number, timeout = 60_000) =>
    host.write(rx, pattern(100, n), { timeout });
  const first = transfers.next();
  await send(0);
  assertSame((await first).value!, pattern(100, 0));
  for (const n of [1, 2, 3]) await send(n);
  await assertRejects(() => send(4, 200), Error, "os error 110");
  for (const n of [1, 2, 3]) {
    assertSame((await transfers.next()).value!, pattern(100, n));
  }
  await transfers.return!();
  assertEquals(await transfers.next(), { done: true, value: undefined });
});

Deno.test("interrupt endpoints move transfers as bulk endpoints do", async () => {
  await using test = await startEndpoints({
    tx: interruptIn({ maxPacketSize: 64, intervalMs: 1 }),
    rx: interruptOut({ maxPacketSize: 64, intervalMs: 1 }),
  });
  const { endpoints: { tx, rx }, host } = test;
  for (const size of [1, 63, 64, 65, 200]) {
    const written = tx.write(pattern(size, size));
    const rounded = Math.ceil((size + 1) / 64) * 64;
    assertSame(
      await host.read(tx, size % 64 === 0 ? size : rounded),
      pattern(size, size),
    );
    assertEquals(await written, size);
    const reading = rx.read(size);
    await host.write(rx, pattern(size, size));
    assertSame(await reading, pattern(size, size));
  }
  assertEquals((await tx.descriptor()).transferType, "interrupt");
  assertEquals(tx.maxPacketSize, 64);
});
