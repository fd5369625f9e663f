// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AbortedTransferError, bulkIn, SessionEndedError } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  type EndpointGadget,
  startEndpoints,
} from "../support/gadgets/endpoints.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { eventAfter } from "../support/waiting/life_events.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { failureOf, staysPending } from "../support/waiting/settling.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
/** More than fits into dummy_hcd's FIFO at every speed. */
const SIZE = 2 * PACKET;

type Tx = EndpointGadget<{ tx: ReturnType<typeof bulkIn> }>;

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

function receive({ host, endpoints: { tx } }: Tx, size: number) {
  return host.read(tx, size);
}

/** Asserts that there is nothing to get for the host. */
async function assertNothing({ host, endpoints: { tx } }: Tx) {
  const error = await assertRejects(() =>
    host.read(tx, PACKET, { timeout: 100 })
  );
  assert(isTransferError(error, "ETIMEDOUT"), String(error));
  assertEquals(error.transferred, 0);
}

/** What fails when a test has failed already. */
function quiet(): void {}

Deno.test("a write of the stream is done when the host has taken its chunk, and not before", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const writer = test.endpoints.tx.writable.getWriter();
  const order: string[] = [];
  for (let n = 0; n < 3; n++) {
    writer.write(pattern(SIZE, n)).then(() => order.push(`taken ${n}`), quiet);
  }
  assertEquals(writer.desiredSize, -2);
  assert(await staysPending(writer.ready));
  for (let n = 0; n < 3; n++) {
    assertEquals(order.length, 2 * n);
    assert(await staysPending(writer.ready));
    assertSame(await receive(test, SIZE), pattern(SIZE, n));
    order.push(`host ${n}`);
    while (order.length < 2 * n + 2) await delay(1);
  }
  assertEquals(order.filter((each) => each.startsWith("taken")).length, 3);
  await writer.ready;
  assertEquals(writer.desiredSize, 1);
});

Deno.test("a fast producer gets rid of depth chunks while the host takes nothing, and the event loop is free", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  for (const depth of [1, 4, 20]) {
    const stream = test.endpoints.tx.openWritable({ depth });
    const writer = stream.getWriter();
    let accepted = 0;
    let produced = 0;
    const producing = (async () => {
      for (; produced < 3 * depth; produced++) {
        await writer.ready;
        writer.write(pattern(SIZE, produced)).then(() => accepted++, quiet);
      }
    })();
    {
      using _loop = watchEventLoop();
      assert(await staysPending(producing, soak(5000, 500)));
    }
    // The last one is with the kernel, and its write is not done.
    assertEquals([produced, accepted], [depth, depth - 1]);
    for (let n = 0; n < 3 * depth; n++) {
      assertSame(await receive(test, SIZE), pattern(SIZE, n), `chunk ${n}`);
    }
    await producing;
    await writer.close();
  }
});

Deno.test("closing the stream waits for all chunks, and leaves the endpoint open", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { tx } = test.endpoints;
  for (const depth of [1, 3]) {
    const writer = tx.openWritable({ depth }).getWriter();
    for (let n = 0; n < 5; n++) writer.write(pattern(SIZE, n)).catch(quiet);
    const closing = writer.close();
    for (let n = 0; n < 5; n++) {
      assert(await staysPending(closing, 10));
      assertSame(await receive(test, SIZE), pattern(SIZE, n));
    }
    await closing;
    const written = tx.write(pattern(100));
    assertSame(await receive(test, PACKET * 2), pattern(100));
    await written;
  }
});

Deno.test("chunks of any size are transfers of their own, ended by a zero-length packet on request", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { tx } = test.endpoints;
  const sizes = [1, PACKET - 1, PACKET, PACKET + 1, 4096, (1 << 20) + PACKET];
  for (const depth of [1, 4]) {
    for (const zlp of ["auto", "never", undefined] as const) {
      tx.autoZlp = depth === 4; // counts where the stream has no say
      const ended = zlp === undefined ? tx.autoZlp : zlp === "auto";
      const stream = tx.openWritable({ depth, zlp });
      const chunks = sizes.map((size, n) => pattern(size, n));
      const piping = ReadableStream.from(chunks).pipeTo(stream);
      for (const chunk of chunks) {
        const { byteLength } = chunk;
        const visible = ended || byteLength % PACKET > 0;
        const most = byteLength + (visible ? PACKET - byteLength % PACKET : 0);
        assertSame(await receive(test, most), chunk);
      }
      await piping;
    }
  }
  tx.autoZlp = false;
  const writer = tx.writable.getWriter();
  const empty = writer.write(new Uint8Array(0));
  assertEquals((await receive(test, PACKET)).byteLength, 0);
  await empty;
});

Deno.test("aborting the stream withdraws what the host has not taken", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { tx } = test.endpoints;
  for (const depth of [1, 4]) {
    const stream = tx.openWritable({ depth });
    const writer = stream.getWriter();
    const writes = [0, 1, 2, 3, 4, 5].map((n) =>
      failureOf(writer.write(pattern(SIZE, n)))
    );
    assertSame(await receive(test, SIZE), pattern(SIZE));
    // With the first one done, the stream goes on to one more.
    await writes[depth - 1];
    await staysPending(writes[depth]);
    const reason = new Error("enough");
    const aborted = writer.abort(reason);
    // The next writer need not wait for the end of what is withdrawn.
    assert(tx.writable !== stream);
    await aborted;
    const failures = await Promise.all(writes);
    // Those that the stream had accepted before were done for it.
    const failed = failures.filter((each) => each !== undefined);
    assertEquals(failed.length, 6 - depth);
    assert(failed[0] instanceof AbortedTransferError, String(failed[0]));
    assertEquals(failed[0].cause, reason);
    for (const each of failed.slice(1)) assertEquals(each, reason);
    await assertNothing(test);
    const next = tx.writable.getWriter();
    const written = next.write(pattern(SIZE, 9));
    assertSame(await receive(test, SIZE), pattern(SIZE, 9));
    await written;
    await next.close();
  }
});

Deno.test("writable is the endpoint's one stream until it ends, and refuses anything but bytes", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { tx } = test.endpoints;
  const stream = tx.writable;
  assertEquals(tx.writable, stream);
  const writer = stream.getWriter();
  assertThrows(() => tx.writable.getWriter(), TypeError);
  assertThrows(
    () => tx.openWritable(),
    TypeError,
    "neither closed nor aborted",
  );
  await assertRejects(
    () => writer.write("text" as unknown as Uint8Array),
    TypeError,
    'a chunk must be a Uint8Array, is "text"',
  );
  await assertRejects(() => writer.closed, TypeError, "Uint8Array");
  assert(tx.writable !== stream);
  await tx.writable.close();
  for (const depth of [0, 1.5, -1, NaN]) {
    assertThrows(() => tx.openWritable({ depth }), RangeError, "positive");
  }
  const text = new TextEncoder().encode("gadget ".repeat(1000));
  const piping = ReadableStream.from([text])
    .pipeThrough(new CompressionStream("gzip"))
    .pipeThrough(new DecompressionStream("gzip"))
    .pipeTo(tx.writable);
  const got: number[] = [];
  while (got.length < text.byteLength) {
    const left = text.byteLength - got.length;
    got.push(...await receive(test, Math.ceil(left / PACKET) * PACKET));
  }
  assertSame(new Uint8Array(got), text);
  await piping;
});

Deno.test("a stream of a session ends with it; a stream of the function sends again", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, gadget, fs, host } = test;
  const udc = gadget.udc.name;
  for (const depth of [1, 3]) {
    const writer = (await test.session()).tx.openWritable({ depth })
      .getWriter();
    const writes = [0, 1, 2, 3].map((n) =>
      failureOf(writer.write(pattern(SIZE, n)))
    );
    unplug(gadget);
    const failures = (await Promise.all(writes)).slice(depth - 1);
    for (const error of failures) {
      assert(error instanceof SessionEndedError, String(error));
    }
    await assertRejects(() => writer.closed, SessionEndedError);
    // Without a host: it waits for the next one.
    const next = tx.openWritable({ depth }).getWriter();
    const written = [0, 1].map((n) => next.write(pattern(SIZE, n)));
    plug(gadget, udc);
    await host.plug();
    await eventAfter(fs, "enable", () => host.setInterface(0, 0));
    for (const n of [0, 1]) {
      assertSame(await receive(test, SIZE), pattern(SIZE, n));
    }
    await Promise.all(written);
    await next.close();
  }
});

Deno.test("a halted endpoint only delays the stream, which can be aborted all the same", async () => {
  await using test = await startEndpoints({ tx: bulkIn() });
  const { endpoints: { tx }, host } = test;
  await tx.halt();
  const writer = tx.writable.getWriter();
  const write = writer.write(pattern(SIZE));
  assert(await staysPending(write));
  await host.clearHalt(tx);
  assertSame(await receive(test, SIZE), pattern(SIZE));
  await write;
  await tx.halt();
  const lost = failureOf(writer.write(pattern(SIZE)));
  await writer.abort();
  assert(await lost instanceof AbortedTransferError);
  await tx.clearHalt();
  await assertNothing(test);
});

Deno.test("the stream fails when its function is closed under a chunk, and not if it is idle", async () => {
  for (const busy of [true, false]) {
    const test = await startEndpoints({ tx: bulkIn() });
    const { tx } = test.endpoints;
    const writer = tx.writable.getWriter();
    const write = busy ? failureOf(writer.write(pattern(SIZE))) : undefined;
    await test[Symbol.asyncDispose]();
    if (busy) {
      assert(await write instanceof Deno.errors.BadResource);
      await assertRejects(() => writer.closed, Deno.errors.BadResource);
    } else {
      await writer.close();
    }
    assertThrows(() => tx.writable, Deno.errors.BadResource);
  }
});
