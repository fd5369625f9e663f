import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { POLLIN } from "../../ffi/abi.ts";
import { CompletionLoop } from "../../ffi/aio/completion_loop.ts";
import { AioContext } from "../../ffi/aio/context.ts";
import { write } from "../../ffi/file.ts";
import { openEndpoints } from "../support/measure/endpoints_on_files.ts";
import { WAYS } from "../support/measure/transfer_ways.ts";
import { pipe } from "../support/machine/pipe.ts";
import { until } from "../support/waiting/until.ts";
import { aioPoll, aioRead, aioWrite } from "../support/machine/aio.ts";
import "../support/run/aio_libraries.ts";

/** Counts calls of `setImmediate`. */
class Turns implements Disposable {
  count = 0;
  readonly #setImmediate = globalThis.setImmediate;

  constructor() {
    globalThis.setImmediate = ((callback: () => void) => {
      this.count++;
      return this.#setImmediate(callback);
    }) as typeof setImmediate;
  }

  [Symbol.dispose](): void {
    globalThis.setImmediate = this.#setImmediate;
  }
}

Deno.test("timers run while transfers never pause", async () => {
  await using endpoints = openEndpoints();
  let over = false;
  let writes = 0;
  const flood = async () => {
    while (!over) {
      await endpoints.write(new Uint8Array(64));
      writes++;
    }
  };
  const floods = [flood(), flood()];
  for (let turn = 0; turn < 10; turn++) await delay(1);
  over = true;
  await Promise.all(floods);
  assert(writes > 10, `${writes} writes`);
});

Deno.test("the loop rests in a pause, and handles a completion after it", async () => {
  using ends = pipe();
  using turns = new Turns();
  await using aio = new AioContext();
  aio.retain();
  const ready = aioPoll(aio, ends.readEnd, POLLIN);
  // It looks for a few turns; then it is parked, whatever the timers do.
  let before = -1;
  while (turns.count !== before) {
    before = turns.count;
    await delay(20);
  }
  assert(before > 0, "it did not look at all");
  await delay(100);
  assertEquals(turns.count, before);
  write(ends.writeEnd, new Uint8Array(1));
  assertEquals(await ready & POLLIN, POLLIN);
  await aio.release();
});

Deno.test("completions in quick succession are found without the parked poll", async () => {
  using turns = new Turns();
  await using endpoints = openEndpoints();
  await WAYS.write(endpoints, 64, 1, 1000);
  assert(turns.count > 50 && turns.count <= 1010, `${turns.count} turns`);
});

/** Records the limits of waits in microseconds; each ends as `wait` says. */
async function limitsOfWaits(
  wait: (index: number) => number,
): Promise<number[]> {
  const limits: number[] = [];
  let over = false;
  const loop = new CompletionLoop({
    busy: true,
    drain: () => 0,
    wait: ([, nanoseconds]) => {
      limits.push(Number(nanoseconds) / 1000);
      const count = wait(limits.length - 1);
      over = count === 0;
      return count;
    },
  });
  loop.counterFd; // for the kernel
  loop.submitted();
  await until(() => over, "a wait has failed");
  await delay(10); // more turns than there may be waits
  await loop.stop();
  loop.close();
  return limits;
}

const times = (count: number, value: number) => Array(count).fill(value);

Deno.test("waits may be long in a steady flow, and the first that fails is the last", async () => {
  const limits = await limitsOfWaits((index) => index < 68 ? 1 : 0);
  assertEquals(limits, [...times(64, 500), ...times(5, 4000)]);
});

Deno.test("a flow is not steady any more after a wait that was long", async () => {
  const limits = await limitsOfWaits((index) => {
    const end = performance.now() + (index === 65 ? 2 : 0);
    while (performance.now() < end);
    return index < 136 ? 1 : 0;
  });
  assertEquals(limits, [
    ...times(64, 500),
    ...times(2, 4000),
    ...times(64, 500),
    ...times(7, 4000),
  ]);
});

Deno.test("each of many completions is handled once, in order, around the end of the ring", async () => {
  using ends = pipe();
  await using aio = new AioContext({ capacity: 4 });
  const order: number[] = [];
  const count = 3000;
  for (let index = 0; index < count; index++) {
    const bytes = new Uint8Array(1);
    await Promise.all([
      aioWrite(aio, ends.writeEnd, bytes).then(() => order.push(2 * index)),
      aioRead(aio, ends.readEnd, bytes).then(() => order.push(2 * index + 1)),
    ]);
  }
  assertEquals(order, Array.from({ length: 2 * count }, (_, index) => index));
});
