/**
 * Transactions that the host cancels, in each phase, over endpoints in memory.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { dataContainer, type MtpHost } from "../support/host/mtp_host.ts";
import {
  Op,
  serveOperations,
  type TransportBench,
} from "../support/mtp/transport_bench.ts";
import { soak } from "../support/run/soak.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const SPEEDS = ["full", "high", "super"] as const;
const OK = 0x2001;
const BUSY = 0x2019;
const LARGE = 10_000_000;

/** Runs an operation whose result shows whether anything of an older one is left. */
async function checkNext({ host, record }: TransportBench): Promise<void> {
  const send = pattern(70_000, 9);
  await host.pass(Op.PUT, [], { send });
  assertEquals(firstDifference(record.received, send), -1);
  const data = await host.pass(Op.GET, [70_000, 8]);
  assertEquals(firstDifference(data, pattern(70_000, 8)), -1);
  assertEquals(record.open, 0);
}

/** Sends a part of the data of an operation, in whole packets. */
async function sendPart(
  host: MtpHost,
  transactionId: number,
  packets: number,
): Promise<void> {
  if (packets === 0) return;
  const size = packets * host.pipe.packetSize;
  const container = dataContainer({
    length: LARGE,
    code: Op.PUT,
    transactionId,
  }, pattern(size - 12));
  await host.pipe.send(container, false);
}

for (const speed of SPEEDS) {
  Deno.test(`a transaction whose data is sent is cancelled: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host } = bench;
    const { packetSize } = host.pipe;
    await host.pass(Op.OPEN, [1]);
    for (const received of [0, 1, 2, 500]) {
      for (const twice of [true, false]) {
        const id = await host.command(Op.GET, [LARGE]);
        if (received > 0) await host.pipe.receive(received * packetSize);
        await host.cancel(id);
        if (twice) await host.cancel(id);
        await host.untilReady();
        assertEquals(await host.status(), [OK]);
        await checkNext(bench);
      }
    }
  });

  Deno.test(`a transaction whose data is received is cancelled: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    for (const packets of [0, 1, 2, 500, 3000]) {
      for (const twice of [true, false]) {
        const id = await host.command(Op.PUT);
        await sendPart(host, id, packets);
        await host.cancel(id);
        if (twice) await host.cancel(id);
        await checkNext(bench);
      }
    }
    assert(record.failures.length > 0);
    assertEquals(
      record.failures.filter((it) => !`${it}`.includes("Cancelled")),
      [],
    );
  });

  Deno.test(`a command that comes before the cancellation is served: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    for (const packets of [0, 1, 2, 500, 3000]) {
      const id = await host.command(Op.PUT);
      await sendPart(host, id, packets);
      // It ends the read that has the old data.
      await host.command(Op.ECHO, [packets]);
      await host.cancel(id);
      await host.cancel(id);
      const { parameters } = await host.result();
      assertEquals(parameters, [packets]);
      await checkNext(bench);
    }
    record.runs.splice(0);
  });
}

Deno.test("a command and the cancellation before it come in any order", async () => {
  await using bench = serveOperations("high");
  const { host } = bench;
  await host.pass(Op.OPEN, [1]);
  for (const packets of [0, 1, 2, 500, 3000]) {
    for (let turns = 0; turns < 40; turns++) {
      const id = await host.command(Op.PUT);
      await sendPart(host, id, packets);
      const cancelled = host.cancel(id);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const send = pattern(turns * 100, turns);
      const [result] = await Promise.all([
        host.run(Op.PUT, [], { send }),
        cancelled,
      ]);
      assertEquals(result.response, "OK", `${packets} packets, ${turns}`);
      assertEquals(firstDifference(bench.record.received, send), -1);
      await checkNext(bench);
    }
  }
});

Deno.test("only the current transaction is cancelled, or the next one in advance", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  await host.pass(Op.OPEN, [1]);
  // Older ones have ended.
  const { transaction } = host;
  await host.command(Op.GET, [100_000, 1]);
  await host.cancel(transaction - 1);
  const { data } = await host.result();
  assertEquals(firstDifference(data, pattern(100_000, 1)), -1);
  // One whose command has not come is dropped with its data.
  await host.cancel(host.transaction);
  await host.command(Op.PUT);
  await host.sendData(Op.PUT, pattern(100_000));
  await checkNext(bench);
  // Not if another one comes first.
  await host.cancel(host.transaction + 1);
  await checkNext(bench);
  assertEquals(record.failures, []);
});

Deno.test("a cancellation does not wait for the program, but the next operation does", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  await host.pass(Op.OPEN, [1]);
  for (const code of [Op.HANG, Op.GET, Op.PUT]) {
    record.holds = true;
    const id = await host.command(code, [100_000]);
    if (code === Op.PUT) {
      const container = dataContainer({
        length: LARGE,
        code,
        transactionId: id,
      }, pattern(LARGE / 2));
      const sent = host.pipe.send(container, false);
      await until(() => record.waiting === 1, "it waits");
      assert(await staysPending(sent), "all of it was taken");
      sent.catch(() => {});
    }
    await until(() => record.waiting === 1, "it waits");
    await host.cancel(id);
    await host.untilReady();
    record.runs.splice(0);
    const next = host.run(Op.ECHO, [id]);
    assert(await staysPending(next), "it has not waited");
    assertEquals(record.runs, []);
    record.release();
    assertEquals((await next).parameters, [id]);
    assertEquals(record.open, 0);
    await checkNext(bench);
  }
});

Deno.test("the device is busy until a cancellation is done", async () => {
  await using bench = serveOperations("high");
  const { host } = bench;
  await host.pass(Op.OPEN, [1]);
  const id = await host.command(Op.GET, [LARGE]);
  await host.cancel(id);
  assertEquals(await host.status(), [BUSY]);
  await host.untilReady();
  await checkNext(bench);
});

for (const speed of SPEEDS) {
  Deno.test(`a reset of the device closes the session, and drops everything: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    const phases = [
      () => Promise.resolve(),
      () => host.command(Op.PUT),
      async () => await sendPart(host, await host.command(Op.PUT), 30),
      () => host.command(Op.GET, [LARGE]),
      async () => {
        await host.command(Op.GET, [LARGE]);
        await host.pipe.receive(4 * host.pipe.packetSize);
      },
      () => host.pipe.send(new Uint8Array(5), true),
    ];
    for (const phase of phases) {
      await host.pass(Op.OPEN, [1]);
      await phase();
      await host.reset();
      await host.pipe.clearHalt();
      // Numbers begin anew.
      host.transaction = 1;
      assertEquals((await host.run(Op.ECHO)).response, "Session_Not_Open");
      await host.pass(Op.OPEN, [1]);
      await checkNext(bench);
      await host.pass(Op.CLOSE);
    }
    assertEquals(record.opened, record.closed);
  });

  Deno.test(`cancellations at random moments leave nothing behind: ${speed} speed`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    for (let round = 0; round < soak(2000, 60); round++) {
      const where = `seed ${seed}, round ${round}`;
      const isGet = random.chance();
      const size = random.int(0, random.pick([600, 70_000, 2_000_000]));
      const abort = new AbortController();
      const running = (async () => {
        const { signal } = abort;
        if (isGet) {
          await host.command(Op.GET, [size, 1], { signal });
          await host.pipe.receive(size + 2048, { signal });
          await host.pipe.receive(1024, { signal });
        } else {
          await host.command(Op.PUT, [], { signal });
          await host.sendData(Op.PUT, pattern(size), {}, { signal });
          await host.pipe.receive(1024, { signal });
        }
      })().catch(() => {});
      const id = host.transaction - 1;
      for (let turn = random.int(0, 500); turn > 0; turn--) {
        await Promise.resolve();
      }
      abort.abort();
      await running;
      await host.cancel(id);
      if (random.chance()) await host.cancel(id);
      if (random.chance()) await host.cancel(id - 1);
      if (random.chance()) await host.untilReady();
      record.received = new Uint8Array(0);
      const next = pattern(random.int(0, 3000), round);
      const result = await host.run(Op.PUT, [], { send: next });
      assertEquals(result.response, "OK", where);
      assertEquals(firstDifference(record.received, next), -1, where);
      const data = await host.pass(Op.GET, [next.length, round]);
      assertEquals(firstDifference(data, next), -1, where);
    }
    await until(() => record.open === 0, "all data is closed");
  });
}
