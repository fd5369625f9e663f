// VM: a class of device
/**
 * Hosts that leave in the middle of a transfer: reset, unplugged, or killed. The
 * next one finds a device that works.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { DfuBench, MemoryArea } from "../support/gadgets/dfu_bench.ts";
import { outputOf, startDfuUtil } from "../support/host/dfu_util.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** Blocks take a moment, after some quick ones. */
class SlowArea extends MemoryArea {
  /** How many blocks the host may write before the device takes its time. */
  quick = 0;
  reads = 0;

  override async write(
    offset: number,
    data: Uint8Array<ArrayBuffer>,
  ) {
    super.write(offset, data);
    if (this.quick-- <= 0) await delay(5);
  }

  override read(offset: number, length: number): Uint8Array {
    this.reads++;
    return super.read(offset, length);
  }
}

const WAYS = {
  "a reset of the port": (bench: DfuBench) => bench.resetPort(),
  "an unplugged cable": (bench: DfuBench) => bench.replug(),
  "a killed dfu-util": (_: DfuBench, program: Deno.ChildProcess) => {
    program.kill("SIGKILL");
    return program.status;
  },
};

for (const [what, leave] of Object.entries(WAYS)) {
  Deno.test(`${what} in the middle of a transfer leaves a device that works`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const area = new SlowArea();
    await using bench = await DfuBench.start({ areas: [area] });
    const old = pattern(400_000, 1);
    area.firmware = old;
    const large = pattern(400_000, 2);
    await Deno.writeFile(bench.file("large"), large);
    for (let round = 0; round < soak(25, 2); round++) {
      const where = `seed ${seed}, round ${round}`;
      for (const isUpload of [false, true]) {
        area.blocks = area.reads = 0;
        area.quick = random.int(0, 60);
        const args = isUpload
          ? ["-U", bench.file(`part${round}`)]
          : ["-D", bench.file("large")];
        const program = startDfuUtil(...args);
        const output = outputOf(program);
        const blocks = random.int(1, 60);
        const has = () => isUpload ? area.reads : area.blocks;
        await until(() => has() >= blocks, `${blocks} blocks, ${where}`);
        await leave(bench, program);
        // It may have come to its end before.
        const { code } = await output;
        const firmware = code === 0 && !isUpload ? large : old;
        assertEquals(firstDifference(area.firmware, firmware), -1, where);
        if (code === 0 && isUpload) {
          const got = await Deno.readFile(args[1]);
          assertEquals(firstDifference(got, old), -1, where);
        }
        area.quick = Infinity;
        const data = pattern(10_000, round);
        await bench.download(data);
        assertEquals(firstDifference(await bench.upload(), data), -1, where);
        area.firmware = old;
      }
    }
    assertEquals(bench.errors, []);
  });
}
