// VM: a class of device
/**
 * Hosts that leave in the middle of a job: unplugged, reset, or killed. The next
 * one prints.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { SessionEndedError } from "@usb/gadget";
import { endMark } from "@usb/gadget/printer";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { startUsblp } from "../support/host/usblp.ts";
import { PrinterBench } from "../support/printer/bench.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const IDS = { vendorId: 0x1209, productId: 0x0001 };
/** Longer than any test waits. */
const NEVER = 600_000;
const SIZE = 20_000_000;

async function startBench(idleMs = NEVER): Promise<PrinterBench> {
  const bench = await PrinterBench.start({ idleMs, endOfJob: endMark("!") });
  await bench.file("large", pattern(SIZE).fill(0x78));
  return bench;
}

/** Begins a job, and returns its program when the printer has some of it. */
async function beginJob(bench: PrinterBench, random: Random) {
  const { length } = bench.jobs;
  const least = random.int(1, random.pick([1000, 1_000_000]));
  const program = startUsblp(bench.node, `write=${bench.folder}/large`);
  await until(
    () => (bench.jobs[length]?.received ?? 0) >= least,
    "the job has begun",
  );
  return { program, job: bench.jobs[length] };
}

for (const how of ["an unplugged cable", "a reset of the port"] as const) {
  Deno.test(`${how} fails the job in progress, and the next host prints`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using bench = await startBench();
    for (let round = 0; round < soak(50, 4); round++) {
      const where = `seed ${seed}, round ${round}`;
      const { program, job } = await beginJob(bench, random);
      if (how === "an unplugged cable") {
        await bench.unplug();
        await program.output();
        await bench.plug();
      } else {
        await using device = await UsbfsDevice.find(IDS);
        await device.reset();
        await program.output();
        await bench.find();
      }
      await until(() => job.isOver, "the job is over");
      assertInstanceOf(job.failure, SessionEndedError, where);
      await bench.run(`text=${round}!`);
      await until(() => bench.texts.length > round, where);
      assertEquals(bench.texts.at(-1), `${round}!`, where);
    }
  });
}

Deno.test("a program that is killed in the middle of a job ends it, and the next one prints", async () => {
  const random = new Random(testSeed());
  await using bench = await startBench(1000);
  for (let round = 0; round < soak(50, 4); round++) {
    const { program, job } = await beginJob(bench, random);
    await delay(random.int(0, 20));
    program.kill("SIGKILL");
    await program.output();
    // Nothing on the bus says so: the pause does.
    await until(() => job.isOver, "the job is over");
    assertEquals(job.failure, undefined);
    await bench.run(`text=${round}!`);
    await until(() => bench.texts.at(-1) === `${round}!`, "the next is whole");
  }
  assertEquals(bench.jobs.length, 2 * soak(50, 4));
});
