import { setImmediate as turn } from "node:timers/promises";
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../ffi/errno.ts";
import { SessionEndedError } from "../../src/functionfs/session.ts";
import { AbortedTransferError } from "../../src/functionfs/transfer/error.ts";
import { InBench } from "../support/gadgets/fault_bench.ts";
import { until } from "../support/waiting/until.ts";

Deno.test("without a fault, writes go to the host as they are, one request at a time", async () => {
  const bench = new InBench({ fault: "drop", at: 100 });
  const parts = [new Uint8Array(300), new Uint8Array(21)];
  const writes = [
    bench.write(10),
    bench.write(parts),
    bench.write(0),
    bench.write(128, {}, true),
  ];
  await bench.takeAll();
  assertEquals(await Promise.all(writes), [10, 321, 0, 128]);
  assertEquals(bench.bus, [10, 256, 65, 0, 128, 0]);
});

Deno.test("a dropped or shortened write succeeds, and its rest does not go to the host", async () => {
  const bench = new InBench(
    { fault: "drop", at: [1, 3] },
    { fault: "shorten", bytes: 260, at: [2, 5] },
  );
  async function* parts() {
    yield new Uint8Array(400);
    await turn();
    yield new Uint8Array(300);
  }
  const writes = [
    bench.write(100),
    bench.write([new Uint8Array(700)]),
    bench.write(parts()),
    bench.write(1),
    bench.write(320, {}, true),
    bench.write(2),
  ];
  await bench.takeAll();
  assertEquals(await Promise.all(writes), [100, 700, 700, 1, 320, 2]);
  assertEquals(bench.bus, [256, 4, 1, 260, 2]);
});

Deno.test("a stall comes after its bytes, and the next write after the stall", async () => {
  const bench = new InBench(
    { fault: "stall", at: 2 },
    { fault: "stall", bytes: 64, at: 4 },
    { fault: "stall", bytes: 500, at: 6 },
  );
  const writes = [1, 600, 3, 600, 5, 600, 7].map((it) => bench.write(it));
  await bench.takeAll();
  assertEquals(await Promise.all(writes), [1, 600, 3, 600, 5, 600, 7]);
  assertEquals(bench.bus, [1, "halt", 3, 64, "halt", 5, 500, "halt", 7]);
});

Deno.test("a halt that the controller refuses is tried again before later writes", async () => {
  const bench = new InBench({ fault: "stall", at: 1 });
  bench.haltResult = -Errno.EAGAIN;
  const writes = [bench.write(1), bench.write(2)];
  await bench.settle();
  assertEquals(bench.kernel, []);
  bench.haltResult = 0;
  await until(() => {
    bench.aio.turn();
    return bench.kernel.length > 0;
  }, "the endpoint is halted");
  await bench.takeAll();
  assertEquals(await Promise.all(writes), [1, 2]);
  assertEquals(bench.bus, ["halt", 2]);
});

Deno.test("a halt that comes too late does not reach the next session", async () => {
  const bench = new InBench({ fault: "stall", at: 1 });
  bench.haltResult = -Errno.EAGAIN;
  const write = bench.write(1, { session: bench.session });
  await bench.settle();
  assertEquals(await write, 1);
  bench.endSession();
  bench.haltResult = 0;
  const next = bench.write(2, { session: bench.session });
  await until(() => {
    bench.aio.turn();
    return bench.kernel.length > 0;
  }, "the write is in the kernel");
  await bench.takeAll();
  assertEquals(await next, 2);
  assertEquals(bench.bus, [2]);
});

Deno.test("a delayed write waits, and ends with its session or its signal", async () => {
  const bench = new InBench({ fault: "delay", ms: 60_000, at: [1, 3] }, {
    fault: "delay",
    ms: 30,
    at: 4,
  });
  const { session } = bench;
  const lost = bench.write(1, { session });
  const behind = bench.write(2);
  await bench.settle();
  assertEquals(bench.kernel, []);
  bench.endSession();
  await assertRejects(() => lost, SessionEndedError);
  await bench.takeAll();
  assertEquals(await behind, 2);
  const abort = new AbortController();
  const aborted = bench.write(3, { signal: abort.signal });
  await bench.settle();
  abort.abort();
  await assertRejects(() => aborted, AbortedTransferError);
  const begin = performance.now();
  const late = bench.write(4);
  await bench.settle();
  assertEquals(bench.kernel, []);
  await until(() => {
    bench.aio.turn();
    return bench.kernel.length > 0;
  }, "the delay is over");
  assert(performance.now() - begin > 25);
  await bench.takeAll();
  assertEquals(await late, 4);
  assertEquals(bench.bus, [2, 4]);
});

Deno.test("a write that a disconnect has kept back goes on with the next connection, or fails with its session", async () => {
  for (const inSession of [false, true]) {
    const bench = new InBench({ fault: "disconnect", ms: 1, at: 2 });
    const { session } = bench;
    const writes = [1, 2, 3].map((it) =>
      bench.write(it, inSession ? { session } : {})
    );
    await bench.settle();
    bench.bus.push(...bench.kernel);
    bench.complete(({ length }) => length);
    assertEquals(await writes[0], 1);
    bench.aio.turn();
    assertEquals(bench.bus, [1, "disconnect"]);
    assertEquals(bench.kernel, []);
    bench.endSession();
    await bench.takeAll();
    if (inSession) {
      await assertRejects(() => writes[1], SessionEndedError);
      await assertRejects(() => writes[2], SessionEndedError);
    } else {
      assertEquals(await Promise.all(writes), [1, 2, 3]);
    }
    assertEquals(bench.run.injected.length, 1);
  }
});

Deno.test("a shortened write that a reset interrupts is shortened in the next connection", async () => {
  const bench = new InBench({ fault: "shorten", bytes: 10, at: 1 });
  const write = bench.write(128, {}, true);
  await bench.settle();
  assertEquals(bench.kernel, [10]);
  bench.endSession();
  await bench.takeAll();
  assertEquals(await write, 128);
  assertEquals(bench.bus, [10]);
});
