// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bulkOut,
  type OutEndpoint,
  type ReadableOptions,
  SessionEndedError,
} from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  type EndpointGadget,
  startEndpoints,
} from "../support/gadgets/endpoints.ts";
import { countCopies } from "../support/measure/copy_counter.ts";
import { eventAfter } from "../support/waiting/life_events.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

type Rx = EndpointGadget<{ rx: ReturnType<typeof bulkOut> }>;

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

/** Sends bytes; without a time limit they must all be taken. */
function send(
  { host, endpoints: { rx } }: Rx,
  bytes: Uint8Array<ArrayBuffer>,
) {
  return host.write(rx, bytes);
}

/** Asserts that the host has to wait with the next byte. */
async function assertNak({ host, endpoints: { rx } }: Rx) {
  const error = await assertRejects(() =>
    host.write(rx, pattern(1), { timeout: 100 })
  );
  assert(isTransferError(error, "ETIMEDOUT"), String(error));
  assertEquals(error.transferred, 0);
}

/** Reads until so many bytes are there. */
async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const { value } = await reader.read();
    assert(value !== undefined, `the stream has ended after ${at} bytes`);
    bytes.set(value, at);
    at += value.byteLength;
  }
  return bytes;
}

Deno.test("readable gives every packet when it comes, whether or not the host ends its transfer", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const reader = test.endpoints.rx.readable.getReader();
  for (const size of [1, PACKET, PACKET - 1, 3 * PACKET, 7 * PACKET + 1]) {
    const reading = readAll(reader, size);
    await send(test, pattern(size, size));
    assertSame(await reading, pattern(size, size), `${size} bytes`);
  }
  // A zero-length packet is nothing in a stream.
  for (let n = 0; n < 100; n++) await send(test, new Uint8Array(0));
  await send(test, pattern(5));
  assertSame((await reader.read()).value!, pattern(5));
});

Deno.test("a request of several packets ends when it is full or with a short packet", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const reader = rx.openReadable({ transferSize: 4096 }).getReader();
  const first = reader.read();
  await send(test, pattern(2 * PACKET));
  assert(await staysPending(first));
  await send(test, new Uint8Array(0));
  assertSame((await first).value!, pattern(2 * PACKET));
  await send(test, pattern(4096, 1));
  assertSame((await reader.read()).value!, pattern(4096, 1));
  await send(test, pattern(4096 + 3, 2));
  assertSame(await readAll(reader, 4096 + 3), pattern(4096 + 3, 2));
});

const AHEAD: readonly [ReadableOptions, number][] = [
  [{}, 64 * PACKET],
  [{ depth: 1 }, PACKET],
  [{ depth: 5 }, 5 * PACKET],
  [{ transferSize: 4096 }, 4 * 4096],
  [{ transferSize: 4096, depth: 1 }, 4096],
  [{ transferSize: 65_536, depth: 8 }, 8 * 65_536],
  [{ transferSize: 1, depth: 3 }, 3 * 1024], // whole packets of every speed
];

Deno.test("the host has to wait after depth times transferSize bytes that are not read", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  for (const [options, ahead] of AHEAD) {
    const stream = rx.openReadable(options);
    const reader = stream.getReader();
    await assertNak(test); // nothing is taken before the first read
    const reading = reader.read();
    await send(test, pattern(3));
    assertSame((await reading).value!, pattern(3));
    const bytes = pattern(ahead, 1);
    await send(test, bytes);
    await assertNak(test);
    // Reading on makes room again, for as much as was read.
    const { value } = await reader.read();
    const size = value!.byteLength;
    assertSame(value!, bytes.subarray(0, size));
    const more = pattern(Math.max(PACKET, size - size % PACKET), 2);
    await send(test, more);
    await assertNak(test);
    assertSame(await readAll(reader, ahead - size), bytes.subarray(size));
    assertSame(await readAll(reader, more.byteLength), more);
    await reader.cancel();
  }
});

Deno.test("a BYOB reader gets its own memory back, with what has come", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const options = { transferSize: 65_536, depth: 4 };
  const reader = rx.openReadable(options).getReader({ mode: "byob" });
  let memory = new ArrayBuffer(16 + 65_536);
  for (const size of [100, 65_536, PACKET, 4096]) {
    const reading = reader.read(new Uint8Array(memory, 16));
    await send(test, pattern(size, size));
    if (size % PACKET === 0 && size < 65_536) {
      assert(await staysPending(reading));
      await send(test, new Uint8Array(0));
    }
    const { value } = await reading;
    assertSame(value!, pattern(size, size));
    assertEquals(value!.byteOffset, 16);
    memory = value!.buffer;
    assertEquals(memory.byteLength, 16 + 65_536);
  }
  const least = reader.read(new Uint8Array(memory), { min: 300 });
  await send(test, pattern(100));
  assert(await staysPending(least));
  await send(test, pattern(200, 1));
  const both = new Uint8Array([...pattern(100), ...pattern(200, 1)]);
  assertSame((await least).value!, both);
});

Deno.test("reads of large pieces copy nothing", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const size = 65_536;
  const bytes = pattern(size);
  const stream = rx.openReadable({ transferSize: size, depth: 2 });
  using copies = countCopies();
  const reader = stream.getReader();
  for (let n = 0; n < 5; n++) {
    const reading = reader.read();
    await send(test, bytes);
    assertEquals((await reading).value!.byteLength, size);
  }
  assertEquals(copies.bytes, 0);
  // The counter does count.
  const reading = reader.read();
  await send(test, pattern(10));
  await reading;
  assertEquals(copies.bytes, 10);
});

Deno.test("a BYOB reader's memory may have any size and any type", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const reader = rx.openReadable().getReader({ mode: "byob" });
  const bytes = pattern(3 * PACKET + 10);
  const sent = send(test, bytes);
  for (let at = 0, size = 1; at < bytes.byteLength; size = 3 * size + 1) {
    const { value } = await reader.read(new Uint8Array(size));
    const { byteLength } = value!;
    assert(byteLength > 0 && byteLength <= size);
    assertSame(value!, bytes.subarray(at, at + byteLength), `from ${at}`);
    at += byteLength;
  }
  await sent;
  const words = reader.read(new Uint32Array(4));
  await send(test, pattern(6));
  const { value } = await words;
  assertEquals(value!.length, 1);
  const rest = await reader.read(new Uint8Array(64));
  assertEquals(rest.value!.byteLength, 2); // of the six
  const resizable = new ArrayBuffer(4096, { maxByteLength: 8192 });
  const reading = reader.read(new Uint8Array(resizable));
  await send(test, pattern(9));
  assertSame((await reading).value!, pattern(9));
});

Deno.test("readers may take turns, and lose nothing", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const stream = test.endpoints.rx.openReadable({ depth: 6 });
  const bytes = pattern(40 * PACKET + 1);
  const sent = send(test, bytes);
  const got = new Uint8Array(bytes.byteLength);
  for (let at = 0, turn = 0; at < got.byteLength; turn++) {
    let value: Uint8Array | undefined;
    if (turn % 2 === 0) {
      const reader = stream.getReader();
      value = (await reader.read()).value;
      reader.releaseLock();
    } else {
      const reader = stream.getReader({ mode: "byob" });
      value = (await reader.read(new Uint8Array(2 * PACKET))).value;
      reader.releaseLock();
    }
    got.set(value!, at);
    at += value!.byteLength;
  }
  assertSame(got, bytes);
  await sent;
  // A reader that lets go in the middle of a read leaves the data to the next.
  for (const mode of ["byob", undefined] as const) {
    const reader = stream.getReader({ mode: mode as "byob" });
    const read = reader.read(new Uint8Array(2 * PACKET));
    reader.releaseLock();
    await assertRejects(() => read, TypeError);
    // Of the same kind: what goes to a BYOB read that is over lies in the
    // stream's own queue, where the platform shows it to a default reader only
    // when more comes.
    const next = stream.getReader({ mode: mode as "byob" });
    const both = (async () => {
      const got: number[] = [];
      while (got.length < 30) {
        got.push(...(await next.read(new Uint8Array(PACKET))).value!);
      }
      return new Uint8Array(got);
    })();
    await send(test, pattern(10));
    await send(test, pattern(20, 1));
    const expected = new Uint8Array([...pattern(10), ...pattern(20, 1)]);
    assertSame(await both, expected);
    next.releaseLock();
  }
});

Deno.test("a BYOB reader that releases its lock right after another one's read does not block later reads", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const stream = test.endpoints.rx.openReadable({ depth: 2 });
  for (const mode of [undefined, "byob"] as const) {
    const first = stream.getReader({ mode: mode as "byob" });
    const read = first.read(new Uint8Array(PACKET));
    const sent = send(test, pattern(5));
    const { value } = await read;
    // From here to the next await, the pull of that read is not over.
    first.releaseLock();
    const hasty = stream.getReader({ mode: "byob" });
    const left = hasty.read(new Uint8Array(PACKET));
    hasty.releaseLock();
    await assertRejects(() => left, TypeError);
    assertSame(value!, pattern(5));
    await sent;
    const next = stream.getReader({ mode: "byob" });
    const bytes = next.read(new Uint8Array(PACKET));
    await send(test, pattern(7));
    assertSame((await bytes).value!, pattern(7));
    next.releaseLock();
  }
});

Deno.test("readable is the endpoint's one stream until it ends, and locks as all streams do", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const stream = rx.readable;
  assertEquals(rx.readable, stream);
  const reader = stream.getReader();
  assertThrows(() => rx.readable.getReader(), TypeError);
  await assertRejects(() => stream.cancel(), TypeError);
  assertThrows(
    () => rx.openReadable(),
    TypeError,
    "it has one that is neither",
  );
  await reader.cancel();
  assert(rx.readable !== stream);
  await rx.readable.cancel();
  for (const depth of [0, 1.5, -1, NaN]) {
    assertThrows(() => rx.openReadable({ depth }), RangeError, "positive");
  }
  for (const transferSize of [0, -1, 1.5, 1 << 21]) {
    assertThrows(() => rx.openReadable({ transferSize }), RangeError);
  }
  const other = rx.openReadable({ depth: 2 });
  assertEquals(rx.readable, other);
});

Deno.test("what came before a stream was cancelled is for the next reader", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const bytes = pattern(20 * PACKET);
  const reader = rx.readable.getReader();
  const reading = reader.read();
  await send(test, bytes);
  const { value } = await reading;
  let at = value!.byteLength;
  assertSame(value!, bytes.subarray(0, at));
  await reader.cancel();
  for (const read of [() => rx.read(100), () => rx.read(PACKET + 1)]) {
    if (at === bytes.byteLength) break;
    const piece = await read();
    assertSame(piece, bytes.subarray(at, at + piece.byteLength));
    at += piece.byteLength;
  }
  const next = rx.readable.getReader();
  const remaining = readAll(next, bytes.byteLength - at + 9);
  await send(test, pattern(9, 1));
  const rest = await remaining;
  assertSame(rest.subarray(0, -9), bytes.subarray(at));
  assertSame(rest.subarray(-9), pattern(9, 1));
});

Deno.test("a BYOB read that is cancelled gives its request back", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  for (let round = 0; round < 20; round++) {
    const reader = rx.readable.getReader({ mode: "byob" });
    const reading = reader.read(new Uint8Array(4096));
    const sent = round % 2 === 0 ? send(test, pattern(5, round)) : undefined;
    if (round % 4 > 1) await delay(0);
    await reader.cancel();
    const { value } = await reading;
    if (sent !== undefined) {
      // It came, or it is there for the next one.
      if (value === undefined || value.byteLength === 0) {
        assertSame(await rx.read(100), pattern(5, round));
      }
      await sent;
    }
    await assertNak(test);
  }
});

Deno.test("a stream of a session ends with its error, and the next one gets what comes later", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { gadget, fs, host } = test;
  const udc = gadget.udc.name;
  const reader = (await test.session()).rx.readable.getReader();
  const first = readAll(reader, 100);
  await send(test, pattern(100));
  assertSame(await first, pattern(100));
  const waiting = assertRejects(() => reader.read(), SessionEndedError);
  unplug(gadget);
  await waiting;
  await assertRejects(() => reader.closed, SessionEndedError);
  plug(gadget, udc);
  await host.plug();
  const next = (await test.session()).rx.readable.getReader();
  const reading = next.read();
  await send(test, pattern(50, 2));
  assertSame((await reading).value!, pattern(50, 2));
  // Also without a read.
  await eventAfter(fs, "enable", () => host.setInterface(0, 0));
  await assertRejects(() => next.closed, SessionEndedError);
  const third = (await test.session()).rx.readable.getReader({ mode: "byob" });
  const filling = third.read(new Uint8Array(4096));
  await send(test, pattern(7, 3));
  assertSame((await filling).value!, pattern(7, 3));
  await third.cancel();
});

/** Reads on after a first read, until so many bytes have come. */
async function collect(
  first: Promise<{ value?: Uint8Array }>,
  read: () => Promise<{ value?: Uint8Array }>,
  size: number,
): Promise<Uint8Array> {
  const bytes = [...(await first).value!];
  while (bytes.length < size) bytes.push(...(await read()).value!);
  return new Uint8Array(bytes);
}

Deno.test("a stream of the function goes on after resets and an unplugged cable", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { endpoints: { rx }, gadget, host } = test;
  const udc = gadget.udc.name;
  for (const mode of ["byob", undefined] as const) {
    const reader = rx.readable.getReader({ mode: mode as "byob" });
    const read = () => reader.read(new Uint8Array(4096));
    for (const event of ["setting", "reset", "unplug"]) {
      // Several packets at full speed, and nothing is taken ahead of a BYOB
      // reader: the host goes on when that reads on.
      const [before] = await Promise.all([
        collect(read(), read, 99),
        send(test, pattern(99, 1)),
      ]);
      assertSame(before, pattern(99, 1), event);
      const waiting = read();
      if (event === "setting") await host.setInterface(0, 0);
      else if (event === "reset") await host.reset();
      else {
        unplug(gadget);
        plug(gadget, udc);
        await host.plug();
      }
      const [after] = await Promise.all([
        collect(waiting, read, 500),
        send(test, pattern(500, 2)),
      ]);
      assertSame(after, pattern(500, 2), event);
    }
    await reader.cancel();
  }
});

Deno.test("the stream ends when its function is closed", async () => {
  for (const began of [true, false]) {
    const test = await startEndpoints({ rx: bulkOut() });
    const { rx } = test.endpoints;
    const reader = rx.readable.getReader();
    const reading = began ? reader.read() : undefined;
    await test[Symbol.asyncDispose]();
    if (began) assertEquals((await reading)!.done, true);
    await reader.closed;
    assertThrows(() => rx.readable, Deno.errors.BadResource);
  }
});

/** Waits until a pipe that has ended has let the stream go, and cancels that. */
async function letGo(rx: OutEndpoint): Promise<void> {
  while (rx.readable.locked) await delay(1);
  await rx.readable.cancel();
}

Deno.test("the platform's tools work on the stream: tee, pipeThrough, for await, Response", async () => {
  await using test = await startEndpoints({ rx: bulkOut() });
  const { rx } = test.endpoints;
  const text =
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich ✓\n"
      .repeat(100);
  const bytes = new TextEncoder().encode(text);
  {
    let got = "";
    const sent = send(test, bytes);
    const chunks = rx.readable.pipeThrough(new TextDecoderStream());
    for await (const chunk of chunks) {
      got += chunk;
      if (got.length >= text.length) break;
    }
    assertEquals(got, text);
    await sent;
    await letGo(rx);
  }
  {
    const compressed = new Uint8Array(
      await new Response(
        ReadableStream.from([bytes]).pipeThrough(new CompressionStream("gzip")),
      ).arrayBuffer(),
    );
    const sent = send(test, compressed);
    const stream = rx.openReadable({ transferSize: 4096 })
      .pipeThrough(new DecompressionStream("gzip"));
    let got = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      got += decoder.decode(chunk, { stream: true });
      if (got.length >= text.length) break;
    }
    assertEquals(got, text);
    await sent;
    await letGo(rx);
  }
  {
    const [left, right] = rx.readable.tee();
    const readers = [left, right].map((branch) => branch.getReader());
    const sent = send(test, bytes);
    for (const reader of readers) {
      assertSame(await readAll(reader, bytes.byteLength), bytes);
    }
    await sent;
    await Promise.all(readers.map((reader) => reader.cancel()));
  }
  const signal = AbortSignal.timeout(50);
  const sink = new WritableStream();
  await assertRejects(() => rx.readable.pipeTo(sink, { signal }));
  const failing = new WritableStream({
    write() {
      throw new Error("full");
    },
  });
  const piping = assertRejects(
    () => rx.readable.pipeTo(failing),
    Error,
    "full",
  );
  await send(test, pattern(10));
  await piping;
  const second = send(test, pattern(10, 1));
  assertSame(await rx.read(100), pattern(10, 1));
  await second;
});
