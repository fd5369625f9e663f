/**
 * What a block device throws, as the host sees it.
 *
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type BlockDevice,
  SenseError,
  type SenseName,
} from "@usb/gadget/mass-storage";
import { pattern } from "../support/data/pattern.ts";
import {
  read10,
  StartStop,
  startStop,
  synchronizeCache10,
  testUnitReady,
  unmap,
  UNMAP_BIT,
  unmapList,
  verify10,
  write10,
  writeSame10,
} from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { FAILED, PASSED } from "../support/host/bulk_only_host.ts";
import { staysPending } from "../support/waiting/settling.ts";

const BLOCK = 512;
/** Larger than what is moved at once. */
const MANY = 1500;

/** Ways in which a call fails. */
const ways: Record<string, (error: unknown) => never | Promise<never>> = {
  "thrown": (error) => {
    throw error;
  },
  "a rejection": (error) => Promise.reject(error),
};

/** A disk that fails in a way of its own if a block is among those of a call. */
function failing(
  disk: TestDisk,
  bad: number,
  fail: () => void | Promise<void>,
): BlockDevice {
  const has = (lba: number, bytes: Uint8Array) =>
    lba <= bad && bad < lba + bytes.length / BLOCK;
  return {
    ...disk.without(),
    read: (lba, into) => has(lba, into) ? fail() : disk.read(lba, into),
    write: (lba, from) => has(lba, from) ? fail() : disk.write(lba, from),
    flush: fail,
    discard: fail,
  };
}

for (const [name, way] of Object.entries(ways)) {
  Deno.test(`an error that names no block: the ones that fail are found (${name})`, async () => {
    const disk = new TestDisk();
    for (const error of [new Error("Broken"), undefined, null, "text", 7]) {
      for (const bad of [0, 1, 511, 512, 513, MANY - 1]) {
        const luns = [failing(disk, bad, () => way(error))];
        await using bench = serveDisk({ luns });
        const { host } = bench;
        const receive = MANY * BLOCK;
        const { data, ...result } = await host.run(read10(0, MANY), {
          receive,
        });
        const residue = (MANY - bad) * BLOCK;
        assertEquals(
          { status: result.status, residue: result.residue },
          { status: FAILED, residue },
        );
        assertEquals(data, blockContents(0, bad));
        assertEquals(await host.sense(), `3/11/00 block ${bad}`);
        if (error !== undefined) continue;
        const copy = new TestDisk();
        const other = serveDisk({
          luns: [failing(copy, bad, () => way(error))],
        });
        const send = pattern(receive, bad);
        const written = await other.host.run(write10(0, MANY), { send });
        assertEquals([written.status, written.residue], [FAILED, residue]);
        assertEquals(await other.host.sense(), `3/0c/00 block ${bad}`);
        assertEquals(copy.blocks(0, bad), send.slice(0, bad * BLOCK));
        assertEquals(copy.blocks(bad, 9), blockContents(bad, 9));
        await other[Symbol.asyncDispose]();
      }
    }
    const luns = [failing(disk, 9, () => way(new Error("Broken")))];
    await using bench = serveDisk({ luns });
    const { host } = bench;
    const block = { send: new Uint8Array(BLOCK) };
    assertEquals(await host.fail(verify10(0, 20)), "3/11/00 block 9");
    assertEquals(
      await host.fail(writeSame10(0, 20), block),
      "3/0c/00 block 9",
    );
    for (
      const [cdb, phase] of [
        [synchronizeCache10(), {}],
        [startStop(StartStop.stop), {}],
        [startStop(StartStop.eject), {}],
        [writeSame10(0, 5, UNMAP_BIT), block],
        [unmap(24), { send: unmapList([0, 1]) }],
        [write10(0, 1, 0x08), block], // FUA
      ] as const
    ) {
      const { status } = await host.run(cdb, phase);
      assertEquals([status, await host.sense()], [FAILED, "3/0c/00"]);
    }
    await host.pass(testUnitReady());
  });

  Deno.test(`a SenseError chooses the sense and the block (${name})`, async () => {
    const senses: Partial<Record<SenseName, string>> = {
      "unrecovered read error": "3/11/00",
      "write error": "3/0c/00",
      "write protected": "7/27/00",
      "medium not present": "2/3a/00",
      "logical unit is in process of becoming ready": "2/04/01",
      "internal target failure": "4/44/00",
    };
    for (const [sense, text] of Object.entries(senses)) {
      const disk = new TestDisk();
      for (const lba of [undefined, 7, 8, 200]) {
        const error = new SenseError(sense as SenseName, { lba });
        const luns = [failing(disk, 8, () => way(error))];
        await using bench = serveDisk({ luns });
        const { host } = bench;
        const { data } = await host.run(read10(5, 8), { receive: 8 * BLOCK });
        // A block that is none of the command's names none.
        const first = lba === 7 ? 7 : 8;
        assertEquals(data, blockContents(5, first - 5));
        assertEquals(await host.sense(), `${text} block ${first}`);
        const own = lba === undefined ? text : `${text} block ${lba}`;
        assertEquals(await host.fail(synchronizeCache10()), own);
      }
    }
  });
}

Deno.test("a read that fails once, and not block by block, succeeds", async () => {
  const disk = new TestDisk();
  let failures = 0;
  const once: BlockDevice = {
    ...disk.without(),
    read(lba, into) {
      if (into.length > BLOCK && ++failures > 0) throw new Error("Too long");
      return disk.read(lba, into);
    },
  };
  await using bench = serveDisk({ luns: [once] });
  assertEquals(
    await bench.host.pass(read10(3, 40), { receive: 40 * BLOCK }),
    blockContents(3, 40),
  );
  assertEquals(failures, 1);
});

Deno.test("an error fails its command only, and not those of other units", async () => {
  const disks = [new TestDisk(), new TestDisk({ salt: 1 })];
  disks[0].bad.add(4);
  await using bench = serveDisk({ luns: disks });
  const { host } = bench;
  for (let round = 0; round < 3; round++) {
    const { status } = await host.run(read10(0, 8), { receive: 8 * BLOCK });
    assertEquals(status, FAILED);
    await host.pass(read10(0, 8), { receive: 8 * BLOCK, lun: 1 });
    assertEquals(await host.sense(1), "0/00/00");
    assertEquals(await host.sense(0), "3/11/00 block 4");
    await host.pass(read10(0, 4), { receive: 4 * BLOCK });
    await host.pass(read10(5, 4), { receive: 4 * BLOCK });
  }
});

Deno.test("data that the host ends early fails the command, and writes whole blocks only", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  for (const sent of [0, 1, 511, 512, 513, 1025, 4095]) {
    const length = 8 * BLOCK;
    const data = pattern(sent, sent);
    // A short packet ends the transfer; a whole one would not.
    if (sent > 0 && sent % host.packetSize === 0) continue;
    await host.command({ cdb: write10(0, 8), length, direction: "out" });
    await host.pipe.send(data);
    const { status, residue } = await host.status();
    assertEquals(status, FAILED);
    assertEquals(residue % BLOCK, 0);
    assert(length - residue <= sent, `${sent} sent, residue ${residue}`);
    assertEquals((await host.sense()).slice(0, 7), "b/4b/00");
    const written = length - residue;
    assertEquals(disk.blocks(0, written / BLOCK), data.slice(0, written));
    assertEquals(
      disk.blocks(written / BLOCK, 8),
      blockContents(written / BLOCK, 8),
    );
    disk.bytes.set(blockContents(0, 8));
    await host.pass(testUnitReady());
  }
});

Deno.test("a forced eject ends a command after the call that is under way", async () => {
  const disk = new TestDisk({ blockCount: 4096 });
  await using bench = serveDisk({ luns: [disk] });
  const { host, storage: { luns: [unit] } } = bench;
  disk.hold();
  const writing = host.run(write10(0, 4096), {
    send: pattern(4096 * BLOCK, 1),
  });
  assert(await staysPending(writing), "the disk did not hold it");
  assertStrictEquals(await unit.eject({ force: true }), disk);
  assertEquals(disk.takeLog().length, 1);
  disk.release();
  const { status } = await writing;
  // The medium belongs to the program now.
  assertEquals(disk.takeLog(), []);
  assertEquals(status === PASSED, false);
});
