// VM: a class of device
/**
 * Commands of disks and CD drives over the bus. What they return is tested without
 * one, in tests/unit/disk_*_test.ts; here are what a session ends, and stalls
 * between any two commands.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { BlockDevice } from "@usb/gadget/mass-storage";
import { pattern } from "../support/data/pattern.ts";
import { type DiskBench, startDisk } from "../support/disk/bench.ts";
import {
  inquiry,
  preventRemoval,
  read10,
  readCapacity10,
  StartStop,
  startStop,
  testUnitReady,
  verify10,
  write10,
  writeSame10,
} from "../support/disk/cdb.ts";
import { sendRandomCommands } from "../support/disk/random_commands.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { soak } from "../support/run/soak.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const NO_MEDIUM = "2/3a/00";
const CHANGED = "6/28/00";
const LOCKED = "5/53/02";
const BLOCK = 512;

for (const type of ["disk", "cdrom"] as const) {
  for (const stall of [true, false]) {
    Deno.test(`a ${type} survives any CDB with any data, stalls: ${stall}`, async () => {
      const blockSize = type === "disk" ? 512 : 2048;
      const disk = new TestDisk({ blockSize, blockCount: 512 });
      const medium = type === "disk" ? disk : disk.without("write");
      await using bench = await startDisk({ luns: [{ type, medium }], stall });
      await sendRandomCommands(bench.host, bench.storage, soak(5000, 80));
      assertEquals(disk.overlaps, 0);
      assertEquals(bench.errors, []);
    });
  }
}

/** Ways in which a session ends. */
const ends: Record<string, (bench: DiskBench) => Promise<void>> = {
  "a reset of the port": (bench) => bench.resetPort(),
  "an unplugged cable": (bench) => bench.replug(),
};

for (const [name, end] of Object.entries(ends)) {
  Deno.test(`${name} ends a lock, and the program's wait for the medium`, async () => {
    const disk = new TestDisk();
    await using bench = await startDisk({ luns: [disk, new TestDisk()] });
    const [unit, other] = bench.storage.luns;
    for (const lun of [0, 1]) await bench.host.pass(preventRemoval(1), { lun });
    assertEquals(await bench.host.fail(startStop(StartStop.eject)), LOCKED);
    const ejecting = unit.eject();
    assert(await staysPending(ejecting), "a locked medium was taken");
    await end(bench);
    assertStrictEquals(await ejecting, disk);
    assertEquals([unit.locked, other.locked], [false, false]);
    assertEquals(await bench.host.fail(testUnitReady()), NO_MEDIUM);
    await bench.host.pass(startStop(StartStop.eject), { lun: 1 });
    assertEquals(other.medium, undefined);
  });

  Deno.test(`${name} does not change what a later host reads`, async () => {
    const disk = new TestDisk();
    await using bench = await startDisk({ luns: [disk, {}] });
    const [, second] = bench.storage.luns;
    const data = pattern(8 * BLOCK, 1);
    await bench.host.pass(write10(100, 8), { send: data });
    // No host has seen this error, or this medium.
    await bench.host.run(read10(2047, 2), { receive: 2 * BLOCK });
    second.insert(new TestDisk({ salt: 1 }));
    await end(bench);
    assertEquals(await bench.host.sense(), "0/00/00");
    assertEquals(
      await bench.host.pass(read10(100, 8), { receive: 8 * BLOCK }),
      data,
    );
    assertEquals(await bench.host.fail(testUnitReady(), { lun: 1 }), CHANGED);
    assertEquals(
      await bench.host.pass(read10(4, 1), { receive: BLOCK, lun: 1 }),
      blockContents(4, 1, { salt: 1 }),
    );
  });
}

Deno.test("the medium changes while the host uses another unit", async () => {
  const ejected: BlockDevice[] = [];
  const disk = new TestDisk();
  await using bench = await startDisk({
    luns: [new TestDisk(), {
      medium: disk,
      onEject: (medium) => ejected.push(medium),
    }],
  });
  const { host, storage: { luns: [, unit] } } = bench;
  for (let salt = 2; salt < 8; salt++) {
    assertEquals(
      await host.pass(read10(salt, 100), { receive: 100 * BLOCK }),
      blockContents(salt, 100),
    );
    if (salt % 2 === 0) await unit.eject();
    else await host.pass(startStop(StartStop.eject), { lun: 1 });
    assertEquals(
      await host.fail(readCapacity10(), { receive: 8, lun: 1 }),
      NO_MEDIUM,
    );
    unit.insert(new TestDisk({ salt, blockCount: 100 + salt }));
    assertEquals(
      await host.fail(read10(0, 1), { receive: BLOCK, lun: 1 }),
      CHANGED,
    );
    assertEquals(
      await host.pass(read10(salt, 100), { receive: 100 * BLOCK, lun: 1 }),
      blockContents(salt, 100, { salt }),
    );
  }
  assertEquals(ejected.length, 3);
  assertEquals(bench.errors, []);
});

Deno.test("commands without data that take long are abandoned in the middle", async () => {
  const disk = new TestDisk({ blockCount: 65_000, delay: 1 });
  await using bench = await startDisk({ luns: [disk, new TestDisk()] });
  const { host } = bench;
  const block = new Uint8Array(BLOCK).fill(0xee);
  for (
    const [cdb, send] of [
      [verify10(0, 65_000), undefined],
      [writeSame10(0, 65_000), block],
      [verify10(0, 65_000, 3), block],
    ] as const
  ) {
    disk.bytes.fill(0xee);
    disk.takeLog();
    await host.command({
      cdb,
      length: send?.length,
      direction: send && "out",
    });
    if (send !== undefined) await host.pipe.send(send);
    await until(() => disk.log.length > 2, "the disk works");
    await host.recover();
    // The call that was under way ends before this one begins.
    const next = pattern(BLOCK, 7);
    await host.pass(write10(1, 1), { send: next });
    const log = disk.takeLog();
    assertEquals(log.at(-1), "write 1+1");
    assert(log.length < 65_000 / 512, "it was done to its end");
    await host.pass(testUnitReady());
    assertEquals(disk.takeLog(), []);
    assertEquals(disk.blocks(0, 3), Uint8Array.of(...block, ...next, ...block));
    assertEquals((await host.ask(inquiry(), 255, 1))[0], 0);
  }
  assertEquals(disk.overlaps, 0);
});
