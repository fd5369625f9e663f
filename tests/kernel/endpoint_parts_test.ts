import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AbortedTransferError,
  bulkIn,
  bulkPair,
  SessionEndedError,
} from "@usb/gadget";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const MIB = 1 << 20;

/** Whole packets at every speed: less than that waits for more. */
const WHOLE = 1024;

/** Cuts an array into three parts. */
function three(bytes: Uint8Array): Uint8Array[] {
  const [first, second] = [12, bytes.length - 7].map((at) => Math.max(0, at));
  return [
    bytes.subarray(0, first),
    bytes.subarray(first, second),
    bytes.subarray(Math.max(first, second)),
  ];
}

/** Yields parts in memory of its own, which it uses again. */
async function* reusing(
  parts: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  const memory = new Uint8Array(MIB);
  for (const part of parts) {
    memory.set(part);
    yield memory.subarray(0, part.length);
    memory.fill(0xee, 0, part.length);
  }
}

/** Parts that come when the test says so. */
class SlowParts implements AsyncIterable<Uint8Array> {
  /** Whether the iterator was closed. */
  closed = false;
  #asked = 0;
  #given = 0;
  readonly #parts: PromiseWithResolvers<Uint8Array | undefined>[] = [];

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = await this.#at(this.#asked++).promise;
        return value === undefined
          ? { done: true, value }
          : { done: false, value };
      },
      return: () => {
        this.closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  give(part: Uint8Array | undefined): void {
    this.#at(this.#given++).resolve(part);
  }

  end(): void {
    this.give(undefined);
  }

  #at(index: number) {
    return this.#parts[index] ??= Promise.withResolvers();
  }
}

Deno.test("three parts are one transfer, whose end the host sees as zlp says", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const sizes = [0, 19, PACKET - 1, PACKET, PACKET + 1, 4 * PACKET, MIB / 2];
  for (const size of sizes) {
    for (const zlp of ["auto", "never"] as const) {
      for (const streamed of [false, true]) {
        const what = `${size} bytes, ${zlp}, ${streamed ? "streamed" : "list"}`;
        const bytes = pattern(size, size);
        const parts = three(bytes);
        // The option counts, and not the endpoint.
        link.autoZlp = zlp === "never";
        const written = link.write(streamed ? reusing(parts) : parts, { zlp });
        const ends = size === 0 || size % PACKET > 0 || zlp === "auto";
        const wanted = ends ? size + 4 * PACKET : size;
        const chunk = await host.read(link, wanted);
        assertEquals(firstDifference(chunk, bytes), -1, what);
        assertEquals(await written, size, what);
        if (ends) continue;
        // The transfer goes on.
        const more = link.write(pattern(700), { zlp: "never" });
        const rest = await host.read(link, 1024);
        assertEquals(firstDifference(rest, pattern(700)), -1, what);
        await more;
      }
    }
  }
});

Deno.test("the zero-length packet of a plain write is decided by the call, too", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const writes = [
    tx.write(pattern(2 * PACKET, 1), { zlp: "auto" }),
    tx.write(pattern(2 * PACKET, 2)),
    tx.write(pattern(2 * PACKET, 3), { zlp: "never" }),
    tx.write(pattern(2 * PACKET, 4), { zlp: "auto" }),
  ];
  const lengths = [];
  for (const _ of [1, 2]) {
    lengths.push((await host.read(tx, 8 * PACKET)).length / PACKET);
  }
  assertEquals(lengths, [2, 6]);
  await Promise.all(writes);
});

Deno.test("many parts of any size are one transfer of several kernel requests", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const bytes = pattern(3 * MIB + 5);
  const parts: Uint8Array[] = [];
  for (let at = 0, size = 1; at < bytes.length; at += size) {
    size = (size * 37 + 11) % 9001;
    parts.push(bytes.subarray(at, at + size));
  }
  for (const data of [parts, [bytes], reusing(parts)]) {
    const written = link.write(data);
    for (let at = 0; at < bytes.length; at += MIB) {
      const chunk = await host.read(link, MIB);
      const expected = bytes.subarray(at, at + MIB);
      assertEquals(firstDifference(chunk, expected), -1, `at ${at}`);
    }
    assertEquals(await written, bytes.length);
  }
});

Deno.test("an iterable is asked only as the host takes its data", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const part = pattern(64 << 10);
  let given = 0;
  const written = tx.write((async function* () {
    for (let n = 0; n < 160; n++) {
      given += part.length;
      yield part;
    }
  })());
  for (let taken = 0; taken < 160 * part.length; taken += MIB) {
    await until(
      () => given >= Math.min(taken + 3 * MIB, 160 * part.length),
      "3 to 4 MiB wait for the host",
    );
    assert(await staysPending(written, 5));
    assert(given <= taken + 4 * MIB, `${given} given, ${taken} taken`);
    assertEquals((await host.read(tx, MIB)).length, MIB);
  }
  assertEquals(await written, 160 * part.length);
});

Deno.test("what is called later follows the end of an iterable", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const slow = new SlowParts();
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const all = [
    tx.write(slow).then(note("parts")),
    tx.write(pattern(500, 2)).then(note("bytes")),
    tx.halt().then(note("halt")),
    tx.write([pattern(300, 3)]).then(note("list")),
  ];
  const receiving = host.read(tx, 16 * 1024);
  for (let n = 0; n < 5; n++) {
    slow.give(pattern(1500, n));
    assert(await staysPending(Promise.race([receiving, ...all]), 5));
  }
  slow.end();
  const bytes = Uint8Array.from(
    [0, 1, 2, 3, 4].flatMap((n) => [...pattern(1500, n)]),
  );
  assertEquals(firstDifference(await receiving, bytes), -1);
  assertEquals(await host.read(tx, 8192), pattern(500, 2));
  await all[2];
  assertEquals(order, ["parts", "bytes", "halt"]);
  const stalled = await host.read(tx, 8192).catch((error) => error);
  assert(isTransferError(stalled, "EPIPE"), String(stalled));
  await host.clearHalt(tx);
  assertEquals(await host.read(tx, 8192), pattern(300, 3));
  await Promise.all(all);
});

Deno.test("an aborted write closes its iterator, and the host gets nothing after that", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const controller = new AbortController();
  const slow = new SlowParts();
  const writing = tx.write(slow, { signal: controller.signal });
  slow.give(pattern(4 * WHOLE));
  const first = await host.read(tx, 4 * WHOLE);
  assertEquals(firstDifference(first, pattern(4 * WHOLE)), -1);
  slow.give(pattern(4 * WHOLE));
  slow.give(pattern(4 * WHOLE));
  controller.abort("enough");
  const error = await assertRejects(() => writing, AbortedTransferError);
  assertEquals([error.cause, error.transferred], ["enough", 4 * WHOLE]);
  const next = tx.write(pattern(700, 7));
  assertEquals(await host.read(tx, 8192), pattern(700, 7));
  await next;
  assert(slow.closed);
});

Deno.test("a write fails with the error of its iterable, and no short packet ends it", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  link.autoZlp = true;
  const error = new Error("no paper");
  const taken = Promise.withResolvers<void>();
  const writing = link.write((async function* () {
    yield pattern(2 * WHOLE + 9);
    await taken.promise;
    throw error;
  })());
  const reading = host.read(link, 16 * WHOLE);
  assert(await staysPending(Promise.race([writing, reading])));
  taken.resolve();
  assertEquals(await writing.catch((it) => it), error);
  assert(await staysPending(reading));
  // The next one goes on where it was cut short.
  await link.write(pattern(7, 7));
  const chunk = await reading;
  assertEquals(chunk.length, 2 * WHOLE + 7);
  assertEquals(chunk.subarray(2 * WHOLE), pattern(7, 7));
});

Deno.test("a part of another type fails its write alone", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  let closed = false;
  const refused = assertRejects(
    () =>
      tx.write((async function* () {
        try {
          yield "text" as unknown as Uint8Array;
        } finally {
          closed = true;
        }
      })()),
    TypeError,
    'a part of the data must be a Uint8Array, is "text"',
  );
  const next = tx.write(pattern(700));
  assertEquals(await host.read(tx, 8192), pattern(700));
  await Promise.all([refused, next]);
  await until(() => closed, "the generator ends");
});

Deno.test("a host that resets gets the unfinished pieces again, and the rest", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const bytes = pattern(6 * MIB + 5);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 100_000) {
    parts.push(bytes.subarray(at, at + 100_000));
  }
  for (const data of [parts, reusing(parts)]) {
    const written = link.write(data);
    // The first piece of an iterable is what comes first.
    const first = data === parts ? MIB : Math.floor(100_000 / 1024) * 1024;
    const start = await host.read(link, first);
    assertEquals(firstDifference(start, bytes.subarray(0, first)), -1);
    await host.read(link, 4 * WHOLE);
    await host.setInterface(0, 0);
    for (let at = first; at < bytes.length;) {
      const chunk = await host.read(link, MIB);
      const expected = bytes.subarray(at, at + MIB);
      assertEquals(firstDifference(chunk, expected), -1, `at ${at}`);
      at += chunk.length;
    }
    assertEquals(await written, bytes.length);
  }
});

Deno.test("a session ends a write between two parts, and the next host gets nothing of it", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  const slow = new SlowParts();
  const writing = assertRejects(
    async () => (await test.session()).tx.write(slow),
    SessionEndedError,
  );
  slow.give(pattern(4 * WHOLE));
  await host.read(tx, 4 * WHOLE);
  await host.setInterface(0, 0);
  await writing;
  slow.give(pattern(4 * WHOLE, 1));
  const next = tx.write(pattern(700, 7));
  assertEquals(await host.read(tx, 8192), pattern(700, 7));
  await next;
  assert(slow.closed);
});

Deno.test("closing the function ends writes from parts, and closes their iterators", async () => {
  const test = await startEndpoints({ link: bulkPair() });
  const { link } = test.endpoints;
  const [begun, waiting] = [new SlowParts(), new SlowParts()];
  const writes = [
    link.write(begun),
    link.write([pattern(10 * MIB), pattern(3)]),
    link.write(waiting),
  ].map((each) =>
    assertRejects(() => each, Deno.errors.BadResource, "function is closed")
  );
  begun.give(pattern(2 * WHOLE));
  await test[Symbol.asyncDispose]();
  await Promise.all(writes);
  assert(begun.closed && waiting.closed);
  const late = new SlowParts();
  await assertRejects(() => link.write(late), Deno.errors.BadResource);
  assert(late.closed);
});
