import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../ffi/errno.ts";
import { ReadQueue } from "../../src/functionfs/read/queue.ts";
import {
  ExactReader,
  TransferReader,
} from "../../src/functionfs/read/reader.ts";
import { makeReadable } from "../../src/functionfs/read/readable.ts";
import {
  SessionEndedError,
  SessionLife,
} from "../../src/functionfs/session.ts";
import { AbortedTransferError } from "../../src/functionfs/transfer/error.ts";
import type { SizedEndpoint } from "../../src/functionfs/transfer/packet_sizes.ts";
import {
  fakeReadPort,
  FakeRequests,
} from "../support/gadgets/fake_requests.ts";
import { countCopies } from "../support/measure/copy_counter.ts";
import { until } from "../support/waiting/until.ts";
import "../support/run/aio_libraries.ts";

const MIB = 1 << 20;
const PACKET = 1024;

type Bytes = Uint8Array<ArrayBuffer>;

function start(endpoint?: SizedEndpoint, packetSize?: number) {
  const queue = new FakeRequests();
  const reads = new ReadQueue(fakeReadPort(queue, endpoint, packetSize));
  const read = (sizeOrTarget: number | Bytes, signal?: AbortSignal) =>
    new Promise<Bytes>((resolve, reject) =>
      reads.add(
        new TransferReader(reads, sizeOrTarget, { signal }, {
          resolve,
          reject,
        }),
      )
    );
  const readExactly = (size: number, session?: SessionLife) =>
    new Promise<Bytes>((resolve, reject) => {
      reads.add(
        new ExactReader(reads, size, { session }, { resolve, reject }),
      );
      reads.ahead ??= { takesBytes: true, size: undefined, depth: 4, session };
    });
  let overs = 0;
  let end: (error?: Error) => void = () => {};
  const open = (size?: number, session?: SessionLife) =>
    makeReadable({
      reads,
      size,
      depth: 4,
      session,
      onEnd: (callback) => {
        end = callback;
        return () => {};
      },
      onOver: () => overs++,
    });
  /** The sizes of the requests in the kernel. */
  const sizes = () => queue.flying.map(({ length }) => length);
  return {
    queue,
    reads,
    read,
    readExactly,
    open,
    sizes,
    end: (error?: Error) => end(error),
    overs: () => overs,
  };
}

const turns = () => delay(0);
const bytes = (...values: number[]): Bytes => new Uint8Array(values);

Deno.test("an abort that comes too late for one request of a read ends the read after it", async () => {
  for (const target of [3 * MIB, new Uint8Array(3 * MIB)]) {
    const { queue, reads, read } = start();
    // The kernel is quicker.
    queue.cancel = (request) => queue.cancelled.push(request);
    const controller = new AbortController();
    const lost = read(target, controller.signal);
    // Another size: the request of the first read is of no use for it.
    const next = read(8);
    controller.abort();
    assertEquals(queue.cancelled, queue.flying);
    queue.end(MIB);
    const error = await assertRejects(() => lost, AbortedTransferError);
    assertEquals(error.transferred, MIB);
    // What had come is for the next one.
    assertEquals(await next, new Uint8Array(8));
    assertEquals(reads.kept(undefined).first!.bytes.byteLength, MIB - 8);
    assertEquals(queue.flying, []);
  }
});

Deno.test("a size for which there is no memory fails alone", async () => {
  const { queue, read } = start();
  const before = read(1024);
  await assertRejects(
    () => read(2 ** 52),
    RangeError,
    'Cannot read from endpoint "rx": there is no memory for 4503599627370496 bytes',
  );
  const after = read(1024);
  queue.end(1024);
  queue.end(1);
  assertEquals((await before).byteLength, 1024);
  assertEquals((await after).byteLength, 1);
});

Deno.test("small reads get copies, and use the memory of their requests again", async () => {
  const { queue, read } = start();
  const results: Bytes[] = [];
  const memories = new Set<Bytes>();
  for (let round = 0; round < 3; round++) {
    for (const target of [PACKET, 64, new Uint8Array(64)]) {
      const reading = read(target);
      memories.add(queue.flying[0].memory);
      queue.receive([round, results.length]);
      results.push(await reading);
    }
  }
  assertEquals(memories.size, 1);
  assertEquals(
    results.map((result) => result[1]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
});

Deno.test("small transfers are copied, and their memory is requested again", async () => {
  const { queue, reads, read } = start();
  const ahead = { takesBytes: false, size: 65_536, depth: 2 };
  reads.ahead = { ...ahead, session: undefined };
  const memories = new Set<Bytes>();
  const results: Bytes[] = [];
  for (let round = 0; round < 6; round++) {
    for (const { memory } of queue.flying) memories.add(memory);
    queue.receive([round, 1], [round, 2]);
    results.push(await read(65_536), await read(65_536));
  }
  assertEquals(memories.size, 2);
  assertEquals(
    results.map(([round]) => round),
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
  );
  // A large one goes to the caller with its memory.
  queue.receive(Array(2000).fill(7));
  const large = await read(65_536);
  assertEquals(large.buffer.byteLength, 65_536);
  assertEquals(
    queue.flying.some(({ memory }) => memory.buffer === large.buffer),
    false,
  );
});

Deno.test("what the kernel may still write into is not used again", async () => {
  const { queue, reads, read } = start();
  const controller = new AbortController();
  const aborted = read(64, controller.signal);
  const session = new SessionLife(1);
  const ended = new Promise<Bytes>((resolve, reject) =>
    reads.add(
      new TransferReader(reads, PACKET, { session }, { resolve, reject }),
    )
  );
  controller.abort();
  reads.endSession(session);
  await assertRejects(() => aborted, AbortedTransferError);
  await assertRejects(() => ended);
  const others = [read(PACKET), read(PACKET)];
  const inKernel = queue.flying.map((each) => each.memory);
  assertEquals(new Set(inKernel).size, inKernel.length);
  queue.receive(...inKernel.map((_, index) => [index]));
  await Promise.all(others);
});

Deno.test("exact reads collect bytes over transfers, and requests stand between them", async () => {
  const { queue, readExactly, sizes } = start();
  const first = readExactly(3);
  const second = readExactly(2);
  assertEquals(sizes(), Array(4).fill(PACKET));
  queue.receive([1, 2], [], [3, 4, 5, 6]);
  assertEquals(await first, bytes(1, 2, 3));
  assertEquals(await second, bytes(4, 5));
  // One place is taken by what is left.
  assertEquals(queue.flying.length, 3);
  queue.receive([7], [], []);
  assertEquals(await readExactly(2), bytes(6, 7));
  assertEquals(queue.flying.length, 4);
});

Deno.test("an exact read of many packets requests them together, and never more than it lacks", async () => {
  const { queue, readExactly, sizes } = start();
  const reading = readExactly(100 * PACKET + 5);
  assertEquals(sizes()[0], 100 * PACKET);
  assertEquals(sizes().slice(1), Array(3).fill(PACKET));
  // A short packet ends the large request: the rest is requested again.
  queue.receive([1]);
  assertEquals(sizes().reduce((sum, size) => sum + size), 100 * PACKET);
  for (let left = 100 * PACKET + 4; left > 0;) {
    const count = Math.min(queue.flying[0].length, left);
    left -= count;
    queue.end(count);
  }
  assertEquals((await reading).byteLength, 100 * PACKET + 5);
});

Deno.test("on a slow connection, too, each request for bytes is one packet", async () => {
  const { queue, readExactly, sizes } = start(undefined, 64);
  const first = readExactly(1);
  assertEquals(sizes(), [64, 64, 64, 64]);
  queue.receive([1]);
  await first;
  // What a call lacks beyond that is requested at once.
  const second = readExactly(9 * PACKET);
  queue.end(64);
  assertEquals(sizes(), [64, 64, 64, 5 * PACKET]);
  for (let left = 9 * PACKET - 64; left > 0;) {
    const count = Math.min(queue.flying[0].length, left);
    left -= count;
    queue.end(count);
  }
  assertEquals((await second).byteLength, 9 * PACKET);
});

Deno.test("a read of one transfer withdraws the requests of exact reads, and gets what came", async () => {
  const { queue, read, readExactly, sizes } = start();
  const first = readExactly(1);
  queue.receive([1, 2], [3]);
  assertEquals(await first, bytes(1));
  assertEquals(await read(PACKET), bytes(2));
  assertEquals(await read(PACKET), bytes(3));
  const third = read(2 * PACKET);
  assertEquals(sizes(), [2 * PACKET]);
  queue.receive([4]);
  assertEquals(await third, bytes(4));
});

Deno.test("the end of a session ends its reads, and the next one gets nothing of its data", async () => {
  const { queue, reads, readExactly } = start();
  const old = new SessionLife(1);
  const first = readExactly(2, old);
  queue.flying.forEach((each) => each.connection = 1);
  queue.receive([1]);
  const late = queue.flying[0];
  // Its completion comes after the event.
  queue.cancel = () => {};
  old.end("disabled");
  reads.endSession(old);
  const error = await assertRejects(() => first);
  assertEquals((error as { transferred?: number }).transferred, 1);
  const next = new SessionLife(2);
  const second = readExactly(2, next);
  late.connection = 1;
  queue.receive([9]);
  queue.flying.forEach((each) => each.connection = 2);
  queue.receive([5, 6]);
  assertEquals(await second, bytes(5, 6));
});

Deno.test("a session's stream gets no data of an earlier session, whether a read waits for data or not", async () => {
  const { queue, reads, open } = start();
  const arrive = (connection: number, ...values: number[]) => {
    for (const each of queue.flying) each.connection = connection;
    queue.receive(values);
  };
  const old = new SessionLife(1);
  const lost = open(undefined, old).getReader().read();
  await turns();
  // What it has in the kernel completes after the event.
  old.end("disabled");
  reads.endSession(old);
  await assertRejects(() => lost, SessionEndedError);
  arrive(1, 1);
  const reader = open(undefined, new SessionLife(2)).getReader();
  const first = reader.read();
  await turns();
  arrive(1, 2);
  arrive(2, 5);
  assertEquals((await first).value, bytes(5));
  arrive(1, 3);
  arrive(2, 6);
  assertEquals((await reader.read()).value, bytes(6));
});

Deno.test("discard() drops what has come and what comes before the requests are gone", async () => {
  const { queue, reads, read, readExactly } = start();
  const exact = readExactly(5);
  queue.receive([1, 2]);
  const pending = assertRejects(() => exact, AbortedTransferError, "discard()");
  // The kernel has received something before it can cancel.
  queue.cancel = (request) => {
    request.memory[0] = 3;
    queue.end(1, queue.flying.indexOf(request));
  };
  const discarded = reads.discard();
  const next = read(PACKET);
  await pending;
  await discarded;
  assertEquals(queue.flying.length, 1);
  queue.receive([4]);
  assertEquals(await next, bytes(4));
});

Deno.test("packets that have come together are read together, and as many are requested", async () => {
  const { queue, open, sizes } = start();
  const reader = open().getReader();
  await turns();
  assertEquals(queue.flying.length, 0);
  const first = reader.read();
  await turns();
  assertEquals(sizes(), Array(4).fill(PACKET));
  queue.receive([1], [2, 3], [], [4]);
  assertEquals((await first).value, bytes(1, 2, 3, 4));
  assertEquals(queue.flying.length, 4);
  queue.receive([5], [6], [7], [8]);
  await turns();
  assertEquals(queue.flying.length, 0); // until the next read
  assertEquals((await reader.read()).value, bytes(5, 6, 7, 8));
  assertEquals(queue.flying.length, 4);
});

Deno.test("zero-length packets take no room in a stream", async () => {
  const { queue, open } = start();
  const reader = open().getReader();
  const first = reader.read();
  await turns();
  for (let n = 0; n < 10; n++) queue.receive([]);
  assertEquals(queue.flying.length, 4);
  queue.receive([1]);
  assertEquals((await first).value, bytes(1));
});

Deno.test("well filled memory goes to the reader, little is copied together", async () => {
  const { queue, open } = start();
  const reader = open(8192).getReader();
  const first = reader.read();
  await turns();
  const lent = queue.flying[2].memory.buffer;
  const full = Array(4096).fill(9);
  queue.receive([1], [2], full, [3]);
  assertEquals((await first).value, bytes(1, 2));
  const second = (await reader.read()).value!;
  assertEquals(second, new Uint8Array(full));
  assertEquals(lent.detached, true); // the stream has transferred it
  assertEquals(second.buffer.byteLength, 8192);
  assertEquals((await reader.read()).value, bytes(3));
});

Deno.test("a stream that ends is closed after what has come before", async () => {
  const { queue, open, end, overs } = start();
  const reader = open().getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  assertEquals((await first).value, bytes(1));
  queue.receive([2]);
  end();
  assertEquals((await reader.read()).value, bytes(2));
  assertEquals((await reader.read()).done, true);
  assertEquals(overs(), 1);
});

Deno.test("an error comes behind the data before it", async () => {
  const { queue, open } = start();
  const reader = open().getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  queue.end(-Errno.EOVERFLOW);
  assertEquals((await first).value, bytes(1));
  const error = await assertRejects(() => reader.read(), Error, "os error 75");
  assertEquals((error as { transferred?: number }).transferred, 0);
});

Deno.test("cancelling a stream leaves unread data to the next reader, in order", async () => {
  const { queue, reads, open, read } = start();
  const reader = open().getReader();
  const first = reader.read();
  await turns();
  queue.receive([1]);
  assertEquals((await first).value, bytes(1));
  queue.receive([2], [], [3]);
  await reader.cancel();
  assertEquals(queue.flying, []);
  assertEquals(reads.kept(undefined).length, 2);
  assertEquals(await read(8), bytes(2));
  assertEquals(await read(8), bytes(3));
});

Deno.test("data that a cancelled stream's read was about to get goes to the next reader", async () => {
  for (const view of [undefined, new Uint8Array(PACKET), new Uint8Array(1)]) {
    const { queue, open, read } = start();
    const stream = open();
    const reader = view === undefined
      ? stream.getReader()
      : stream.getReader({ mode: "byob" });
    const reading = view === undefined
      ? (reader as ReadableStreamDefaultReader).read()
      : (reader as ReadableStreamBYOBReader).read(view);
    await turns();
    queue.receive([1, 2]);
    // It has not reached the stream yet.
    await reader.cancel();
    assertEquals((await reading).done, true);
    assertEquals(await read(8), bytes(1, 2));
  }
});

Deno.test("BYOB readers get copies in any size", async () => {
  const { queue, open } = start();
  const reader = open().getReader({ mode: "byob" });
  const first = reader.read(new Uint8Array(10_000));
  await turns();
  queue.receive([], [1, 2], [3, 4]);
  assertEquals((await first).value, bytes(1, 2, 3, 4));
  const small = reader.read(new Uint8Array(1));
  await turns();
  queue.receive([5, 6]);
  assertEquals((await small).value, bytes(5));
  const least = reader.read(new Uint8Array(100), { min: 3 });
  await turns();
  queue.receive([7]);
  await turns();
  queue.receive([8]);
  assertEquals((await least).value, bytes(6, 7, 8));
});

Deno.test("a BYOB reader whose memory is filled by one request exchanges it with that of the request", async () => {
  const SIZE = 8192;
  const { queue, open } = start();
  const reader = open(SIZE).getReader({ mode: "byob" });
  const full = (value: number) => new Uint8Array(SIZE).fill(value);
  const read = async (value: number) => {
    using copies = countCopies();
    const reading = reader.read(full(100 + value));
    await turns();
    queue.receive([...full(value)]);
    const before = copies.bytes;
    const result = (await reading).value!;
    assertEquals(copies.bytes - before, 0);
    return result;
  };
  const results: Bytes[] = [];
  for (let value = 0; value < 6; value++) results.push(await read(value));
  // The fifth request and those behind it have the memory of earlier readers.
  await turns();
  assertEquals(queue.flying.map(({ memory }) => memory[0]), [
    102,
    103,
    104,
    105,
  ]);
  for (let value = 0; value < 6; value++) {
    assertEquals(results[value], full(value));
  }
});

Deno.test("a BYOB reader whose memory has another size gets a copy, and the rest of it stays as it was", async () => {
  const SIZE = 8192;
  const { queue, open } = start();
  const reader = open(SIZE).getReader({ mode: "byob" });
  const full = new Uint8Array(SIZE).fill(1);
  for (
    const view of [
      new Uint8Array(SIZE + 1).fill(9),
      new Uint8Array(SIZE + 1).fill(9).subarray(1),
      new Uint8Array(SIZE + 1).fill(9).subarray(0, SIZE),
      new Uint8Array(new ArrayBuffer(SIZE, { maxByteLength: 2 * SIZE })).fill(
        9,
      ),
    ]
  ) {
    const { buffer, byteOffset } = view;
    const size = buffer.byteLength;
    const reading = reader.read(view);
    await turns();
    queue.receive([...full]);
    const result = (await reading).value!;
    assertEquals(result, full);
    assertEquals(result.byteOffset, byteOffset);
    assertEquals(result.buffer.byteLength, size);
    const rest = new Uint8Array(result.buffer).filter((byte) => byte !== 1);
    assertEquals(rest, new Uint8Array(size - SIZE).fill(9));
  }
});

Deno.test("a request has room for the data of one interval", async () => {
  const { queue, open, sizes } = start({
    maxPacketSize: { high: 1024 },
    bytesPerInterval: { high: 3072 },
    transferType: "isochronous",
  });
  const reader = open().getReader();
  const read = reader.read();
  await turns();
  assertEquals(sizes(), Array(4).fill(3072));
  queue.receive([1]);
  assertEquals((await read).value, bytes(1));
  await reader.cancel();
});

Deno.test("a read whose reader lets go at once does not block later reads", async () => {
  for (const pause of [() => Promise.resolve(), turns]) {
    const { queue, open } = start();
    const stream = open();
    for (let round = 0; round < 3; round++) {
      const hasty = stream.getReader({ mode: "byob" });
      const left = hasty.read(new Uint8Array(PACKET));
      hasty.releaseLock();
      await assertRejects(() => left, TypeError);
      const reader = stream.getReader({ mode: "byob" });
      const reading = reader.read(new Uint8Array(PACKET));
      await pause();
      await until(() => queue.flying.length > 0, "the stream is pulled");
      queue.receive([round]);
      assertEquals((await reading).value, bytes(round));
      reader.releaseLock();
    }
  }
});
