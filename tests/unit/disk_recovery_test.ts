/**
 * Commands of Bulk-Only Transport that a host abandons, many times; see also
 * tests/kernel/disk_recovery_test.ts.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { until } from "../support/waiting/until.ts";
import { abandonCommands } from "../support/disk/abandon.ts";
import { read10, testUnitReady, write10 } from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { soak } from "../support/run/soak.ts";
import { staysPending } from "../support/waiting/settling.ts";

const BLOCK = 512;

for (const speed of ["full", "high", "super"] as const) {
  for (const stall of [true, false]) {
    const how = `${speed} speed, stalls: ${stall}`;
    Deno.test(`reset recovery ends a command in each phase: ${how}`, async () => {
      const disk = new TestDisk({ delay: stall ? 0 : undefined });
      await using bench = serveDisk({ luns: [disk], stall }, speed);
      await abandonCommands({
        disk,
        rounds: soak(60, 4),
        most: 700,
        host: () => bench.host,
        recover: () => bench.host.recover(),
      });
    });
  }
}

Deno.test("the end of a session ends a command in each phase", async () => {
  const disk = new TestDisk({ delay: 0 });
  await using bench = serveDisk({ luns: [disk] });
  await abandonCommands({
    disk,
    rounds: soak(60, 4),
    most: 700,
    host: () => bench.host,
    recover: () => bench.reconnect(),
  });
});

Deno.test("a session ends although the disk does not, and the next one waits for it", async () => {
  const disk = new TestDisk();
  const other = new TestDisk({ salt: 1 });
  await using bench = serveDisk({ luns: [disk, other] });
  disk.hold();
  const send = new Uint8Array(8 * BLOCK).fill(7);
  await bench.host.command({
    cdb: write10(0, 8),
    length: send.length,
    direction: "out",
  });
  await bench.host.pipe.send(send);
  await until(() => disk.busy, "the disk writes");
  // The command that waits ends with its session, too.
  for (let session = 0; session < 3; session++) {
    await bench.reconnect();
    await bench.host.pass(testUnitReady(), { lun: 1 });
    await bench.host.command({ cdb: read10(0, 8), length: 8 * BLOCK });
  }
  await bench.reconnect();
  const reading = bench.host.pass(read10(0, 8), { receive: 8 * BLOCK });
  assert(await staysPending(reading), "it has not waited");
  assertEquals(disk.takeLog(), ["write 0+8"]);
  disk.release();
  assertEquals(await reading, send);
  assertEquals(disk.takeLog(), ["read 0+8"]);
  assertEquals(
    await bench.host.pass(read10(1, 1), { receive: BLOCK, lun: 1 }),
    blockContents(1, 1, { salt: 1 }),
  );
  assertEquals(disk.overlaps, 0);
});
