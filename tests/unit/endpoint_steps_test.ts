/**
 * Steps that follow each other: how many calls of `io_submit` they cost, and
 * in which turn of the event loop they are made.
 */
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { POLLIN } from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { write } from "../../ffi/file.ts";
import { countCalls } from "../support/measure/call_counter.ts";
import { openEndpoints } from "../support/measure/endpoints_on_files.ts";
import { aioPoll, aioWrite } from "../support/machine/aio.ts";
import { pipe } from "../support/machine/pipe.ts";

const calls = countCalls();
// Not before: it opens the libraries.
await import("../support/run/aio_libraries.ts");
const submits = () => calls.io_submit ?? 0;

const DATA = new Uint8Array(4096);
const STATUS = new Uint8Array(13);

Deno.test("steps that are queued together, behind any calls, cost one io_submit", async () => {
  await using endpoints = openEndpoints();
  // The first write also finds out what the kernel can do.
  await endpoints.write(DATA);
  const read = async () => await (async () => await endpoints.read(1024))();
  const send = async (data: Uint8Array<ArrayBuffer>) =>
    await endpoints.write(data);
  let next = read();
  for (let command = 0; command < 10; command++) {
    await next;
    const before = submits();
    next = read();
    await Promise.all([send(DATA), send(STATUS)]);
    assertEquals(submits() - before, 1, `command ${command}`);
  }
  await next;
});

Deno.test("a halt between two writes costs one more io_submit", async () => {
  await using endpoints = openEndpoints();
  // The first write also finds out what the kernel can do.
  await endpoints.write(DATA);
  for (let command = 0; command < 10; command++) {
    const before = submits();
    await Promise.all([
      endpoints.read(1024),
      endpoints.write(DATA),
      endpoints.in.halt(),
      endpoints.write(STATUS),
    ]);
    assertEquals(submits() - before, 2, `command ${command}`);
  }
});

Deno.test("what follows a completion is submitted in its turn, also after a pause", async () => {
  using ends = pipe();
  using sink = pipe();
  await using aio = new AioContext();
  aio.retain();
  for (const pause of [0, 0, 50, 0, 50]) {
    const ready = aioPoll(aio, ends.readEnd, POLLIN);
    await delay(pause);
    let inTurn: boolean | undefined;
    const step = (async () => {
      await ready;
      const before = submits();
      // It runs before any other callback of the event loop.
      setImmediate(() => inTurn = submits() > before);
      await aioWrite(aio, sink.writeEnd, new Uint8Array(1));
    })();
    write(ends.writeEnd, new Uint8Array(1));
    await step;
    await new Promise((resolve) => setImmediate(resolve));
    assert(inTurn, `after ${pause} ms`);
  }
  await aio.release();
});
