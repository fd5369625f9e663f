// VM: a class of device
/**
 * Printers under CUPS, whose backend uses them by libusb.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Cups } from "../support/host/cups.ts";
import { PrinterBench } from "../support/printer/bench.ts";
import { JobRecord } from "../support/printer/jobs.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** The backend waits up to eight seconds for an answer before it ends a job. */
const IDLE_MS = 1500;

/** A printer that says when a job is over, as PJL printers do, and a queue for it. */
async function startCups() {
  const record = new JobRecord();
  const bench = await PrinterBench.start({
    idleMs: IDLE_MS,
    async print(job) {
      const { failure } = await record.print(job);
      if (failure !== undefined) throw failure;
      await job.send(new TextEncoder().encode("@PJL USTATUS JOB\r\nEND\r\n"));
    },
  });
  await Deno.mkdir(`${bench.folder}/cups`);
  const cups = await Cups.start(`${bench.folder}/cups`, {
    manufacturer: "Example",
    model: "Jet",
    serialNumber: "1",
  });
  return {
    bench,
    cups,
    jobs: record.jobs,
    async [Symbol.asyncDispose]() {
      await cups[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
    },
  };
}

Deno.test("each job of a raw queue is one job of the printer, with all of its bytes", async () => {
  await using test = await startCups();
  const { bench, cups, jobs } = test;
  const count = soak(20, 3);
  for (let index = 0; index < count; index++) {
    // Whole packets, whole transfers, and neither
    const size = [8192 * 30, 1, 100_000, 512, 1 << 20][index % 5];
    await cups.print(await bench.file(`job${index}`, pattern(size, index)));
  }
  const isOver = () => jobs.filter((it) => it.isOver).length === count;
  await until(isOver, "all jobs are printed");
  for (const [index, { data, failure }] of jobs.entries()) {
    const file = await Deno.readFile(`${bench.folder}/job${index}`);
    assertEquals(failure, undefined);
    assertEquals(firstDifference(data, file), -1, `job ${index}`);
  }
  assertStringIncludes(cups.log(), "bytes of back-channel data");
});

Deno.test("a backend that is killed in the middle of a job leaves a printer that prints", async () => {
  await using test = await startCups();
  const { bench, cups, jobs } = test;
  const small = await bench.file("small", pattern(1000));
  const large = await bench.file("large", pattern(30_000_000));
  for (let round = 0; round < soak(5, 1); round++) {
    await cups.print(large);
    await until(() => (jobs.at(-1)?.received ?? 0) > 100_000, "it has begun");
    const cut = jobs.at(-1)!;
    await cups.run("cupsdisable test");
    for (const id of cups.backends()) Deno.kill(id, "SIGKILL");
    await until(() => cut.isOver, "the pause has ended the job");
    assert(cut.data.length < 30_000_000);
    await cups.run("cancel -a test; cupsenable test");
    await cups.print(small);
    const isPrinted = () => jobs.at(-1)!.isOver && jobs.at(-1) !== cut;
    await until(isPrinted, "the next job is printed");
    assertEquals(firstDifference(jobs.at(-1)!.data, pattern(1000)), -1);
  }
});
