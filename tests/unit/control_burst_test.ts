import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { read, write } from "../../ffi/file.ts";
import { ControlBurst } from "../../src/functionfs/control/burst.ts";
import { pipe } from "../support/machine/pipe.ts";

/** A clock that stands still: everything happens at once. */
const now = () => 0;

/** A watch that records its calls. */
function fakeWatch() {
  const calls: string[] = [];
  return {
    calls,
    stop: () => Promise.resolve(),
    pause() {
      calls.push("pause");
    },
    resume() {
      calls.push("resume");
    },
  };
}

const byte = new Uint8Array(1);

Deno.test("the first request starts no burst: the reactor watches for the next", () => {
  using ends = pipe();
  const watch = fakeWatch();
  const burst = new ControlBurst(ends.readEnd, watch, now);
  burst.onAnswer();
  write(ends.writeEnd, byte);
  assertEquals(burst.waitForNext(), false);
  assertEquals(watch.calls, []);
});

Deno.test("a request right after another one begins a burst, which lasts while there are more", () => {
  using ends = pipe();
  const watch = fakeWatch();
  const burst = new ControlBurst(ends.readEnd, watch, now);
  burst.waitForNext();
  burst.onAnswer();
  assertEquals(watch.calls, ["pause"]);
  for (let round = 0; round < 3; round++) {
    write(ends.writeEnd, byte);
    assertEquals(burst.waitForNext(), true);
    read(ends.readEnd, byte);
    burst.onAnswer();
  }
  assertEquals(watch.calls, ["pause"]);
  assertEquals(burst.waitForNext(), false);
  assertEquals(watch.calls, ["pause", "resume"]);
});

Deno.test("after vain waits, fewer waits are made", () => {
  using ends = pipe();
  const watch = fakeWatch();
  const burst = new ControlBurst(ends.readEnd, watch, now);
  burst.waitForNext();
  for (let request = 0; request < 1000; request++) {
    burst.onAnswer();
    burst.waitForNext();
  }
  const waits = watch.calls.filter((call) => call === "pause").length;
  // 1, 2, 4, ... 64 requests from wait to wait, and then 64 each.
  assertEquals(waits, 7 + Math.floor((1000 - 127) / 64));
});

Deno.test("the reactor watches again soon, whatever happens to the answer", async () => {
  using ends = pipe();
  const watch = fakeWatch();
  const burst = new ControlBurst(ends.readEnd, watch, now);
  burst.waitForNext();
  burst.onAnswer();
  const resumed = Promise.withResolvers<void>();
  watch.resume = () => resumed.resolve();
  await resumed.promise;
  burst.end();
});
