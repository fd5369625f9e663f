/**
 * Jobs of a printer, over endpoints in memory: their ends, and hosts that cut them.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { AbortedTransferError, SessionEndedError } from "@usb/gadget";
import { endMark, PrinterResetError, type PrintJob } from "@usb/gadget/printer";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { servePrinter } from "../support/printer/session.ts";
import { soak } from "../support/run/soak.ts";
import { failureOf, staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const SPEEDS = ["full", "high", "super"] as const;
/** Longer than any test waits. */
const NEVER = 60_000;

for (const speed of SPEEDS) {
  Deno.test(`a job ends when no data comes, whatever its size and its packets: ${speed} speed`, async () => {
    await using bench = servePrinter({ idleMs: 100 }, speed);
    const sizes = [1, 64, 512, 1024, 8192, 65_536, 1_000_003];
    for (const [index, size] of sizes.entries()) {
      const data = pattern(size, index);
      // As usblp does, in pieces that may end in the middle of a job.
      for (let at = 0; at < size; at += 8192) {
        await bench.send(data.subarray(at, at + 8192));
      }
      await until(() => bench.jobs[index]?.isOver, `job ${index} has ended`);
      assertEquals(firstDifference(bench.jobs[index].data, data), -1);
    }
    assertEquals(bench.jobs.map(({ id }) => id), sizes.map((_, it) => it + 1));
    assertEquals(bench.jobs.filter(({ failure }) => failure), []);
  });
}

Deno.test("short and empty packets do not end a job", async () => {
  await using bench = servePrinter({ idleMs: NEVER, endOfJob: endMark("!") });
  for (let piece = 0; piece < 20; piece++) {
    await bench.send("x".repeat(512), "auto");
    await bench.send(new Uint8Array(0));
    await bench.send("short");
  }
  await bench.send("!");
  await until(() => bench.jobs[0]?.isOver, "the job has ended");
  assertEquals(bench.jobs.length, 1);
  assertEquals(bench.jobs[0].data.byteLength, 20 * (512 + 5) + 1);
});

Deno.test("the time in which a job is not read does not end it, and the host waits", async () => {
  const jobs: PrintJob[] = [];
  const done = Promise.withResolvers<void>();
  await using bench = servePrinter({
    print(job) {
      jobs.push(job);
      return done.promise;
    },
  });
  const sent = bench.send(pattern(200_000));
  assert(await staysPending(sent, 100));
  const reader = jobs[0].readable.getReader();
  let received = 0;
  while (received < 200_000) {
    received += (await reader.read()).value!.byteLength;
    if (received < 50_000) await delay(5);
  }
  await sent;
  assertEquals((await reader.read()).done, true);
  done.resolve();
});

Deno.test("what comes while the event loop is blocked belongs to the job", async () => {
  await using bench = servePrinter({ idleMs: 100 });
  await bench.send("one ");
  await until(() => bench.jobs[0]?.received > 0, "the job has begun");
  for (let round = 0; round < 5; round++) {
    await delay(0);
    const end = performance.now() + 250;
    while (performance.now() < end);
    // As a completion, which the loop finds after timers that are due.
    await delay(1);
    await bench.send("more ");
  }
  await until(() => bench.jobs[0].isOver, "the job has ended");
  assertEquals(bench.texts, ["one " + "more ".repeat(5)]);
});

Deno.test("the host waits with a job until the one before it is printed", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const texts: string[] = [];
  await using bench = servePrinter({
    async print({ readable }) {
      texts.push(await new Response(readable).text());
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    },
  });
  await bench.send("first");
  await until(() => gates.length === 1, "the first job is printed");
  const rest = bench.send(pattern(500_000));
  assert(await staysPending(rest, 100));
  gates[0].resolve();
  await rest;
  await until(() => gates.length === 2, "the second job is printed");
  assertEquals(texts[0], "first");
  gates[1].resolve();
});

Deno.test("a mark ends jobs that follow each other at once, wherever packets end", async () => {
  const random = new Random(testSeed());
  await using bench = servePrinter({
    idleMs: NEVER,
    endOfJob: endMark("\x04\x04!"),
  });
  const texts = Array.from(
    { length: soak(1000, 60) },
    (_, index) =>
      `${index}:${"\x04".repeat(random.int(0, 4))}${
        "x".repeat(random.int(0, 2000))
      }\x04\x04!`,
  );
  const all = new TextEncoder().encode(texts.join(""));
  for (let at = 0; at < all.length;) {
    const size = random.int(1, 700);
    await bench.send(all.slice(at, at + size));
    at += size;
  }
  await until(() => bench.texts.length === texts.length, "all jobs have ended");
  assertEquals(bench.texts, texts);
});

Deno.test("a job with a mark ends without it when no data comes", async () => {
  await using bench = servePrinter({ endOfJob: endMark("END") });
  await bench.send("one END two EN");
  await until(() => bench.texts.length === 2, "both jobs have ended");
  await bench.send("D");
  await until(() => bench.texts.length === 3, "the third has ended");
  assertEquals(bench.texts, ["one END", " two EN", "D"]);
});

Deno.test("a finder can end a job before bytes that have come", async () => {
  // Each job begins with "#".
  const findHash = () => {
    let isFirst = true;
    return (bytes: Uint8Array) => {
      const found = bytes.indexOf(0x23, isFirst ? 1 : 0);
      isFirst = false;
      return found < 0 ? undefined : found;
    };
  };
  await using bench = servePrinter({ endOfJob: findHash, idleMs: 200 });
  for (const text of ["#a", "b", "#c#d", "#e"]) await bench.send(text);
  await until(() => bench.texts.length === 4, "all jobs have ended");
  assertEquals(bench.texts, ["#ab", "#c", "#d", "#e"]);
});

Deno.test("a finder that fails or finds nonsense is reported, and the next job is printed", async () => {
  const ends: unknown[] = ["x", 0, 4, -1, 1.5, "throw", undefined];
  await using bench = servePrinter({
    endOfJob: () => () => {
      const end = ends.shift();
      if (end === "throw") throw new Error("broken");
      return end as number;
    },
  });
  for (let round = 0; round < 6; round++) {
    await bench.send("abc");
    await until(() => bench.jobs[round]?.isOver, "the job is over");
    const [error] = bench.takeReported();
    assertEquals(bench.jobs[round].failure, error);
    assert(/Cannot end job|broken/.test(String(error)));
  }
  await bench.send("good");
  await until(() => bench.texts.length === 1, "the next job has ended");
  assertEquals(bench.texts, ["good"]);
});

for (const recipient of ["interface", "other"] as const) {
  Deno.test(`a reset to "${recipient}" drops the job in progress, and all that is queued`, async () => {
    await using bench = servePrinter({ idleMs: NEVER });
    for (const size of [1, 512, 100_000]) {
      const { length } = bench.jobs;
      await bench.send(pattern(size));
      await until(() => bench.jobs.length > length, "the job has begun");
      const answer = failureOf(bench.printer.send(pattern(1000)));
      await bench.reset(recipient);
      const job = bench.jobs.at(-1)!;
      await until(() => job.isOver, "the job is over");
      assertInstanceOf(job.failure, PrinterResetError);
      assertInstanceOf(await answer, PrinterResetError);
    }
    bench.printer.send(new TextEncoder().encode("ready"));
    assertEquals(
      new TextDecoder().decode(await bench.receive(512)),
      "ready",
    );
  });
}

Deno.test("a reset drops data of which nothing was read, and one without a job has no effect", async () => {
  const gate = Promise.withResolvers<void>();
  const jobs: PrintJob[] = [];
  await using bench = servePrinter({
    async print(job) {
      jobs.push(job);
      if (jobs.length === 1) await gate.promise;
      else await new Response(job.readable).text();
    },
  });
  await bench.reset();
  await Promise.all([bench.reset(), bench.reset("other")]);
  await bench.send("one");
  await until(() => jobs.length === 1, "the job has begun");
  await bench.send("more");
  await bench.reset();
  assert(jobs[0].signal.aborted);
  await bench.send("two");
  assertEquals(jobs.length, 1);
  // Waits for "print" of the first job.
  await bench.reset();
  await bench.send("three");
  gate.resolve();
  await until(() => jobs.length === 2, "the next job has begun");
  assertEquals(jobs[1].signal.aborted, false);
  assertEquals(jobs[1].id, 2);
});

Deno.test("a reset aborts the signal of a job that is complete, as long as it is printed", async () => {
  const signals: AbortSignal[] = [];
  const gate = Promise.withResolvers<void>();
  await using bench = servePrinter({
    async print({ readable, signal }) {
      await new Response(readable).text();
      signals.push(signal);
      if (signals.length === 1) await gate.promise;
    },
  });
  await bench.send("one");
  await until(() => signals.length === 1, "the job is complete");
  await bench.reset();
  assertInstanceOf(signals[0].reason, PrinterResetError);
  gate.resolve();
  await bench.send("two");
  await until(() => signals.length === 2, "the second job is complete");
  await delay(0);
  await bench.reset();
  assertEquals(signals[1].aborted, false);
});

Deno.test("a host that is gone fails its job, and the next host's is whole", async () => {
  await using bench = servePrinter({ idleMs: NEVER, endOfJob: endMark("!") });
  for (let round = 0; round < 3; round++) {
    await bench.send("half");
    await until(() => bench.jobs.length === 2 * round + 1, "it has begun");
    const job = bench.jobs[2 * round];
    const answer = failureOf(bench.printer.send(pattern(1000)));
    await bench.unplug();
    await until(() => job.isOver, "it is over");
    assertInstanceOf(job.failure, SessionEndedError);
    assertInstanceOf(await answer, SessionEndedError);
    await assertRejects(
      () => bench.printer.send(pattern(3)),
      TypeError,
    );
    assertEquals(bench.takeReported(), []);
    bench.plug();
    await bench.send(`whole ${round}!`);
    await until(
      () => bench.texts.length === round + 1,
      "the next one is whole",
    );
  }
  assertEquals(bench.texts, ["whole 0!", "whole 1!", "whole 2!"]);
});

Deno.test("a complete job goes on when its host is gone, and the next host waits for it", async () => {
  const gate = Promise.withResolvers<void>();
  const jobs: PrintJob[] = [];
  let complete = 0;
  await using bench = servePrinter({
    async print(job) {
      jobs.push(job);
      await new Response(job.readable).text();
      complete++;
      await gate.promise;
    },
  });
  await bench.send("one");
  await until(() => complete === 1, "it is complete");
  await bench.unplug();
  bench.plug();
  await bench.send("two");
  assert(await staysPending(until(() => jobs.length === 2, "the next begins")));
  assertEquals(jobs[0].signal.aborted, false);
  await assertRejects(() => jobs[0].send(pattern(1)), SessionEndedError);
  gate.resolve();
  await until(() => complete === 2, "the second is complete");
});

Deno.test("what print() does not read is dropped, and the next job is printed", async () => {
  const ways: ((job: PrintJob) => unknown)[] = [
    () => {},
    () => {
      throw new Error("jam");
    },
    ({ readable }) => readable.cancel(),
    async ({ readable }) => {
      for await (const _part of readable) break;
    },
    async ({ readable }) => {
      await readable.getReader().read();
    },
    ({ readable }) => void readable.getReader().read().catch(() => {}),
  ];
  const texts: string[] = [];
  const way = { now: 0 };
  await using bench = servePrinter({
    idleMs: NEVER,
    endOfJob: endMark("!"),
    async print(job) {
      if (job.id % 2 === 1) await ways[way.now](job);
      else texts.push(await new Response(job.readable).text());
    },
  });
  for (way.now = 0; way.now < ways.length; way.now++) {
    await bench.send(`${"x".repeat(300_000)}!${way.now}!`);
    await until(() => texts.length === way.now + 1, `way ${way.now}`);
    const reported = bench.takeReported().map(String);
    assertEquals(reported, way.now === 1 ? ["Error: jam"] : []);
  }
  assertEquals(texts, ["0!", "1!", "2!", "3!", "4!", "5!"]);
});

Deno.test("a job that is still read when print() has returned cannot be read on", async () => {
  const reads: Promise<unknown>[] = [];
  await using bench = servePrinter({
    print({ readable }) {
      reads.push(failureOf(new Response(readable).text()));
    },
  });
  await bench.send("text");
  await until(() => reads.length === 1, "it is read");
  const error = await reads[0];
  assertInstanceOf(error, TypeError);
  assertEquals(error.message, 'Cannot read job 1: "print" has returned');
});

Deno.test("answers reach the host whole, with an end that it sees", async () => {
  await using bench = servePrinter({
    async print(job) {
      const text = await new Response(job.readable).text();
      await job.send(pattern(Number(text)));
    },
  });
  for (const size of [1, 511, 512, 513, 1024, 100_000]) {
    await bench.send(`${size}`);
    const answer = await bench.receive(200_000);
    assertEquals(firstDifference(answer, pattern(size)), -1);
  }
  const stop = new AbortController();
  const sending = failureOf(bench.printer.send(pattern(9), stop));
  stop.abort();
  assertInstanceOf(await sending, AbortedTransferError);
});

Deno.test("jobs, resets and unplugged cables in any order leave a printer that works", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using bench = servePrinter({ endOfJob: endMark("!") });
  for (let round = 0; round < soak(2000, 150); round++) {
    const where = `seed ${seed}, round ${round}`;
    const sending = Promise.allSettled(
      Array.from(
        { length: random.int(0, 4) },
        () => bench.send("x".repeat(random.int(1, 3000))),
      ),
    );
    if (random.chance()) await sending;
    if (random.chance()) await bench.reset(random.pick(["interface", "other"]));
    if (random.chance()) {
      await bench.unplug();
      bench.plug();
    }
    await sending;
    await bench.reset();
    const { length } = bench.texts;
    await bench.send(`${round}!`);
    await until(() => bench.texts.length > length, where);
    assertEquals(bench.texts.at(-1), `${round}!`, where);
  }
});
