// VM: a class of device
/**
 * Commands of Bulk-Only Transport that a host abandons: reset recovery, resets of
 * the port, and an unplugged cable, in each phase of a command.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { PHASES } from "../support/disk/abandon.ts";
import { type DiskBench, startDisk } from "../support/disk/bench.ts";
import { read10, testUnitReady, write10 } from "../support/disk/cdb.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { outcome } from "../support/gadgets/control.ts";
import { soak } from "../support/run/soak.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const BLOCK = 512;
const OLD = 1024;
const MAX_COUNT = soak(512, 128);

/** A command that is abandoned in a phase, and what is right after `recover`. */
async function abandon(
  bench: DiskBench,
  disk: TestDisk,
  phase: string,
  random: Random,
  recover: () => Promise<void>,
): Promise<void> {
  const lba = OLD + random.int(0, 500);
  const count = random.int(1, MAX_COUNT);
  const before = disk.blocks(lba, count);
  const data = pattern(count * BLOCK, random.int(0, 255));
  const what = { lba, count, data };
  await PHASES[phase](bench.host, what, random);
  await recover();
  const { host } = bench;
  // The first command has its own data.
  const first = random.int(0, 500);
  const length = random.int(1, MAX_COUNT);
  assertEquals(
    await host.pass(read10(first, length), { receive: length * BLOCK }),
    blockContents(first, length),
  );
  // The old command has written whole blocks of its own data, or nothing.
  const after = disk.blocks(lba, count);
  for (let block = 0; block < count; block++) {
    const range = [block * BLOCK, (block + 1) * BLOCK];
    const now = after.subarray(...range);
    const either = [before, data].some((it) =>
      it.subarray(...range).every((byte, index) => byte === now[index])
    );
    assert(either, `block ${block} of ${count}`);
  }
  // Now it does not write any more.
  const newer = pattern(count * BLOCK, random.int(0, 255));
  await host.pass(write10(lba, count), { send: newer });
  await host.pass(testUnitReady());
  assertEquals(disk.blocks(lba, count), newer);
  assertEquals(
    await host.pass(read10(lba, count), { receive: count * BLOCK }),
    newer,
  );
  assertEquals(disk.overlaps, 0);
}

/** Abandons commands in all phases, again and again. */
async function inEachPhase(
  delay: number | undefined,
  rounds: number,
  recover: (bench: DiskBench) => Promise<void>,
): Promise<void> {
  const seed = testSeed();
  const random = new Random(seed);
  const disk = new TestDisk({ delay });
  await using bench = await startDisk({ luns: [disk] });
  for (let round = 0; round < rounds; round++) {
    for (const phase of Object.keys(PHASES)) {
      try {
        await abandon(bench, disk, phase, random, () => recover(bench));
      } catch (cause) {
        const when = `GADGET_SEED=${seed}, round ${round}, ${phase}`;
        throw new Error(when, { cause });
      }
    }
  }
  assertEquals(bench.errors, []);
}

for (const delay of [undefined, 2]) {
  const kind = delay === undefined ? "synchronous" : "slow";
  Deno.test(`reset recovery ends a command in each phase: a ${kind} disk`, () =>
    inEachPhase(delay, soak(100, 2), ({ host }) => host.recover()));
}

Deno.test("a reset of the port ends a command in each phase", () =>
  inEachPhase(1, soak(20, 1), (bench) => bench.resetPort()));

Deno.test("an unplugged cable ends a command in each phase", () =>
  inEachPhase(1, soak(20, 1), (bench) => bench.replug()));

Deno.test("a command that was abandoned writes nothing after a later one", async () => {
  const disk = new TestDisk({ blockCount: 8192 });
  const other = new TestDisk({ salt: 1 });
  await using bench = await startDisk({ luns: [disk, other] });
  const { host } = bench;
  for (const phase of ["in the data", "after the data"]) {
    const isPart = phase === "in the data";
    const count = isPart ? 2000 : 8;
    disk.takeLog();
    disk.hold();
    const old = pattern(count * BLOCK, 1);
    await host.command({
      cdb: write10(0, count),
      length: old.length,
      direction: "out",
    });
    // The device takes as much as it has memory for, while the disk does nothing.
    const stop = new AbortController();
    const sending = outcome(host.pipe.send(old, { signal: stop.signal }));
    await until(() => disk.busy, "the disk writes");
    if (isPart) stop.abort();
    assertEquals(await sending, isPart ? "ENOENT" : old.length);
    await host.recover();
    assertEquals(disk.busy, true, "the first operation has not ended");
    // Another unit does not wait for it, and neither does what needs no disk.
    assertEquals(
      await host.pass(read10(1, 1), { receive: BLOCK, lun: 1 }),
      blockContents(1, 1, { salt: 1 }),
    );
    const newer = pattern(8 * BLOCK, 2);
    const written = host.pass(write10(0, 8), { send: newer });
    assertEquals(await staysPending(written), true, "it has not waited");
    assertEquals(disk.takeLog().length, 1);
    disk.release();
    await written;
    assertEquals(disk.takeLog(), ["write 0+8"]);
    assertEquals(disk.blocks(0, 8), newer);
    assertEquals(disk.overlaps, 0);
  }
  // A read: what it has read is lost.
  disk.hold();
  await host.command({ cdb: read10(4000, 100), length: 51_200 });
  await until(() => disk.busy, "the disk reads");
  await host.recover();
  const reading = host.pass(read10(5000, 1), { receive: BLOCK });
  assertEquals(await staysPending(reading), true, "it has not waited");
  disk.release();
  assertEquals(await reading, blockContents(5000));
  assertEquals(bench.errors, []);
});
