import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SessionEndedError } from "../../src/functionfs/session.ts";
import { AbortedTransferError } from "../../src/functionfs/transfer/error.ts";
import { OutBench } from "../support/gadgets/fault_bench.ts";
import { until } from "../support/waiting/until.ts";

Deno.test("a dropped transfer is not read, and a shortened one in part", async () => {
  const bench = new OutBench(
    { fault: "drop", at: [1, 2, 4] },
    { fault: "shorten", bytes: 1, at: 3 },
    { fault: "shorten", bytes: 0, at: 6 },
  );
  const reads = [64, 64, 100, 64].map((size) => bench.read(size));
  await bench.send([1], [2], [3, 3], [4], [5, 5], [6], [7]);
  assertEquals(
    (await Promise.all(reads)).map((it) => [...it]),
    [[3], [5, 5], [], [7]],
  );
  assertEquals(
    bench.run.injected.map(({ transfer, fault }) => `${transfer} ${fault}`),
    ["1 drop", "2 drop", "3 shorten", "4 drop", "6 shorten"],
  );
});

Deno.test("readExactly() gets the packets that are left", async () => {
  const bench = new OutBench(
    { fault: "drop", every: 2 },
    { fault: "shorten", bytes: 2, at: 3 },
  );
  const reads = [bench.readExactly(3), bench.readExactly(2)];
  await bench.send([1, 1], [2, 2], [3, 3, 3], [4], [5]);
  assertEquals(
    (await Promise.all(reads)).map((it) => [...it]),
    [[1, 1, 3], [3, 5]],
  );
});

Deno.test("a stall or delay comes right before its transfer, once", async () => {
  const bench = new OutBench(
    { fault: "stall", at: 2 },
    { fault: "delay", ms: 30, at: 3 },
  );
  const reads = [bench.read(64), bench.read(64), bench.read(64)];
  await bench.settle();
  assertEquals(bench.bus, []);
  await bench.send([1]);
  assertEquals(bench.bus, ["halt"]);
  assertEquals(bench.kernel, [64]);
  await bench.send([2]);
  const begin = performance.now();
  assertEquals(bench.kernel, []);
  await until(() => {
    bench.aio.turn();
    return bench.kernel.length > 0;
  }, "the delay is over");
  assert(performance.now() - begin > 25);
  await bench.send([3]);
  assertEquals(
    (await Promise.all(reads)).map((it) => [...it]),
    [[1], [2], [3]],
  );
  assertEquals(bench.bus, ["halt"]);
});

Deno.test("a read withdrawn during a delay leaves no timer, and the transfer keeps its number", async () => {
  const bench = new OutBench(
    { fault: "delay", ms: 60_000, at: 1 },
    { fault: "drop", at: 2 },
  );
  const abort = new AbortController();
  const withdrawn = bench.read(64, { signal: abort.signal });
  await bench.settle();
  abort.abort();
  await assertRejects(() => withdrawn, AbortedTransferError);
  const read = bench.read(100);
  await bench.send([1]);
  const next = bench.read(100);
  await bench.send([2], [3]);
  assertEquals([[...await read], [...await next]], [[1], [3]]);
});

Deno.test("a disconnect takes the transfer with it", async () => {
  const bench = new OutBench({ fault: "disconnect", ms: 1, at: 2 });
  const life = { session: bench.session };
  const reads = [bench.read(64, life), bench.read(64, life)];
  await bench.send([1], [2]);
  assertEquals([...await reads[0]], [1]);
  assertEquals(bench.bus, ["disconnect"]);
  const { session } = bench;
  bench.session.end("disabled");
  bench.reads.endSession(session);
  bench.endSession();
  await assertRejects(() => reads[1], SessionEndedError);
  const next = bench.read(64, { session: bench.session });
  await bench.send([3]);
  assertEquals([...await next], [3]);
});

Deno.test("discard() and close() end what a drop has put back", async () => {
  const bench = new OutBench({ fault: "drop", every: 1 });
  const read = bench.read(64);
  await bench.send([1], [2]);
  const discarded = bench.reads.discard();
  bench.complete(({ memory }) => {
    memory.set([3]);
    return 1;
  });
  await discarded;
  await assertRejects(() => read, AbortedTransferError);
  const last = bench.read(64);
  await bench.settle();
  bench.reads.close();
  const closed = bench.queue.close();
  bench.complete(() => 1);
  await closed;
  await assertRejects(() => last, Deno.errors.BadResource);
  assertEquals(bench.kernel, []);
});
