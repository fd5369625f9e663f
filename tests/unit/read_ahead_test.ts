import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../ffi/errno.ts";
import {
  ReadAhead,
  type ReadAheadOptions,
} from "../../src/functionfs/read/ahead.ts";
import { makeReadable } from "../../src/functionfs/read/readable.ts";
import type { SizedEndpoint } from "../../src/functionfs/transfer/packet_sizes.ts";
import {
  fakeReadPort,
  FakeRequests,
} from "../support/gadgets/fake_requests.ts";
import "../support/run/aio_libraries.ts";

const PACKET = 1024;

function start(
  options: Partial<ReadAheadOptions> = {},
  endpoint?: SizedEndpoint,
) {
  const queue = new FakeRequests();
  const port = fakeReadPort(queue, endpoint);
  let overs = 0;
  const ahead = new ReadAhead(port, {
    depth: 4,
    transferSize: undefined,
    resumes: true,
    ready: () => Promise.resolve(),
    ...options,
  });
  const stream = makeReadable(ahead, () => overs++);
  return { queue, kept: port.kept, stream, overs: () => overs };
}

const turns = () => delay(0);

Deno.test("packets that have come together are read together, and as many are requested", async () => {
  const { queue, stream } = start();
  const reader = stream.getReader();
  await turns();
  assertEquals(queue.flying.length, 0);
  const first = reader.read();
  await turns();
  assertEquals(queue.flying.map((each) => each.length), Array(4).fill(PACKET));
  queue.receive([1], [2, 3], [], [4]);
  assertEquals((await first).value, new Uint8Array([1, 2, 3, 4]));
  assertEquals(queue.flying.length, 4);
  queue.receive([5], [6], [7], [8]);
  await turns();
  assertEquals(queue.flying.length, 0); // until the next read
  assertEquals((await reader.read()).value, new Uint8Array([5, 6, 7, 8]));
  assertEquals(queue.flying.length, 4);
});

Deno.test("zero-length packets take no room at the head, and elsewhere only until they are read", async () => {
  const { queue, stream } = start();
  const reader = stream.getReader();
  const first = reader.read();
  await turns();
  for (let n = 0; n < 10; n++) queue.receive([]);
  assertEquals(queue.flying.length, 4);
  queue.receive([1]);
  assertEquals((await first).value, new Uint8Array([1]));
  queue.receive([2], [], [], []);
  assertEquals(queue.flying.length, 0);
  assertEquals((await reader.read()).value, new Uint8Array([2]));
  assertEquals(queue.flying.length, 4);
});

Deno.test("well filled memory goes to the reader, little is copied together", async () => {
  const { queue, stream } = start({ transferSize: 8192 });
  const reader = stream.getReader();
  const first = reader.read();
  await turns();
  const lent = queue.flying[2].memory.buffer;
  const full = Array(4096).fill(9);
  queue.receive([1], [2], full, [3]);
  assertEquals((await first).value, new Uint8Array([1, 2]));
  const second = (await reader.read()).value!;
  assertEquals(second, new Uint8Array(full));
  assertEquals(lent.detached, true); // the stream has transferred it
  assertEquals(second.buffer.byteLength, 8192);
  assertEquals((await reader.read()).value, new Uint8Array([3]));
});

Deno.test("the end of a connection comes behind its data, and the next one's data is for the next reader", async () => {
  const { queue, kept, stream, overs } = start({ resumes: false });
  const reader = stream.getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  assertEquals((await first).value, new Uint8Array([1]));
  queue.receive([2]);
  const [, , , last] = queue.flying;
  assertEquals(last, undefined);
  const [third, fourth] = [queue.flying[1], queue.flying[2]];
  // The kernel has lost the first one; the others complete before they can be
  // cancelled.
  queue.cancel = (request) => {
    request.memory.set([request === third ? 3 : 4]);
    queue.end(1, queue.flying.indexOf(request));
  };
  assertEquals(fourth.memory.byteLength, PACKET);
  queue.end(-Errno.ESHUTDOWN);
  assertEquals((await reader.read()).value, new Uint8Array([2]));
  assertEquals((await reader.read()).done, true);
  assertEquals(kept, [new Uint8Array([3]), new Uint8Array([4])]);
  assertEquals(overs(), 1);
});

Deno.test("an error comes behind the data before it, also for a reader that only waits for it", async () => {
  const { queue, stream } = start();
  const reader = stream.getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  queue.end(-Errno.EOVERFLOW);
  assertEquals((await first).value, new Uint8Array([1]));
  const error = await assertRejects(() => reader.closed, Error, "os error 75");
  assertEquals((error as { transferred?: number }).transferred, 0);
  assertEquals(queue.flying, []);
});

Deno.test("cancelling leaves unread data to the next reader, in order", async () => {
  const { queue, kept, stream } = start();
  const reader = stream.getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  assertEquals((await first).value, new Uint8Array([1]));
  queue.receive([2], [], [3]);
  await reader.cancel();
  assertEquals(kept, [new Uint8Array([2]), new Uint8Array([3])]);
  assertEquals(queue.flying, []);
});

Deno.test("a BYOB reader's memory has the only request, and another one after a zero-length packet", async () => {
  const { queue, kept, stream } = start({ transferSize: 4096 });
  const reader = stream.getReader({ mode: "byob" });
  const first = reader.read(new Uint8Array(10_000));
  await turns();
  assertEquals(queue.flying.map((each) => each.length), [4096]);
  queue.receive([]);
  await turns();
  assertEquals(queue.flying.length, 1);
  queue.receive([1, 2]);
  assertEquals((await first).value, new Uint8Array([1, 2]));
  await turns();
  assertEquals(queue.flying, []);
  // A small one gets a copy of one request, also after zero-length packets.
  const small = reader.read(new Uint8Array(1));
  await turns();
  queue.receive([]);
  assertEquals(queue.flying.length, 1);
  queue.receive([3, 4]);
  assertEquals((await small).value, new Uint8Array([3]));
  assertEquals(queue.flying, []);
  const large = reader.read(new Uint8Array(4096));
  assertEquals((await large).value, new Uint8Array([4]));
  const last = reader.read(new Uint8Array(4096));
  await turns();
  // It comes while the stream is being cancelled.
  queue.cancel = () => queue.receive([5]);
  await reader.cancel();
  assertEquals((await last).done, true);
  assertEquals(kept, [new Uint8Array([5])]);
});

Deno.test("data that a cancelled stream's read was about to get goes to the next reader", async () => {
  {
    const { queue, kept, stream } = start();
    const reader = stream.getReader();
    const read = reader.read();
    await turns();
    queue.receive([1, 2]);
    // It has not reached the stream yet.
    await reader.cancel();
    assertEquals((await read).done, true);
    assertEquals(kept, [Uint8Array.of(1, 2)]);
  }
  for (const size of [PACKET, 16]) {
    const { queue, kept, stream } = start();
    const reader = stream.getReader({ mode: "byob" });
    const read = reader.read(new Uint8Array(size));
    await turns();
    queue.receive([3, 4]);
    await reader.cancel();
    assertEquals((await read).done, true);
    assertEquals(kept, [Uint8Array.of(3, 4)]);
  }
});

Deno.test("a slot has room for the data of one interval", async () => {
  const { queue, stream } = start({}, {
    maxPacketSize: { high: 1024 },
    bytesPerInterval: { high: 3072 },
    transferType: "isochronous",
  });
  const reader = stream.getReader();
  const read = reader.read();
  await turns();
  assertEquals(queue.flying.map((each) => each.length), [
    3072,
    3072,
    3072,
    3072,
  ]);
  queue.receive([1]);
  assertEquals((await read).value, Uint8Array.of(1));
  await reader.cancel();
});
