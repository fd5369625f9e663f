// VM: a class of device
/**
 * Commands of Bulk-Only Transport that a host abandons: reset recovery, resets of
 * the port, and an unplugged cable, in each phase of a command.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { abandonCommands } from "../support/disk/abandon.ts";
import { type DiskBench, startDisk } from "../support/disk/bench.ts";
import { read10, write10 } from "../support/disk/cdb.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { outcome } from "../support/gadgets/control.ts";
import { soak } from "../support/run/soak.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const BLOCK = 512;

async function inEachPhase(
  { delay, stall = true, rounds }: {
    delay?: number;
    stall?: boolean;
    rounds: number;
  },
  recover: (bench: DiskBench) => Promise<void>,
): Promise<void> {
  const disk = new TestDisk({ delay });
  await using bench = await startDisk({ luns: [disk], stall });
  await abandonCommands({
    disk,
    rounds,
    most: soak(512, 128),
    host: () => bench.host,
    recover: () => recover(bench),
  });
  assertEquals(bench.errors, []);
}

Deno.test("reset recovery ends a command in each phase", () =>
  inEachPhase({ rounds: soak(100, 2) }, ({ host }) => host.recover()));

Deno.test("reset recovery ends a command in each phase: a slow disk, without stalls", () =>
  inEachPhase(
    { delay: 2, stall: false, rounds: soak(100, 2) },
    ({ host }) => host.recover(),
  ));

Deno.test("a reset of the port ends a command in each phase", () =>
  inEachPhase({ delay: 1, rounds: soak(20, 1) }, (bench) => bench.resetPort()));

Deno.test("an unplugged cable ends a command in each phase", () =>
  inEachPhase({ delay: 1, rounds: soak(20, 1) }, (bench) => bench.replug()));

Deno.test("a selected setting ends a command in each phase", () =>
  inEachPhase(
    { delay: 1, rounds: soak(20, 1) },
    ({ host: { device } }) => device.setInterface(0, 0),
  ));

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
  // A read: what it has read is lost. One that waits for it can be abandoned, too.
  disk.hold();
  await host.command({ cdb: read10(4000, 100), length: 51_200 });
  await until(() => disk.busy, "the disk reads");
  await host.recover();
  await host.command({ cdb: read10(4100, 100), length: 51_200 });
  await host.recover();
  assertEquals(disk.takeLog().length, 1);
  const reading = host.pass(read10(5000, 1), { receive: BLOCK });
  assertEquals(await staysPending(reading), true, "it has not waited");
  disk.release();
  assertEquals(await reading, blockContents(5000));
  assertEquals(disk.takeLog(), ["read 5000+1"]);
  assertEquals(bench.errors, []);
});
