/**
 * Commands for the blocks of a disk (SBC-3): ranges, counts, flags and data.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import {
  bytesOf,
  NDOB,
  read10,
  read12,
  read16,
  read6,
  readCapacity10,
  readCapacity16,
  readFormatCapacities,
  synchronizeCache10,
  synchronizeCache16,
  unmap,
  UNMAP_BIT,
  unmapList,
  verify10,
  verify12,
  verify16,
  write10,
  write12,
  write16,
  write6,
  writeSame10,
  writeSame16,
} from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { type BulkOnlyHost, FAILED } from "../support/host/bulk_only_host.ts";

const OUT_OF_RANGE = "5/21/00";
const INVALID_FIELD = "5/24/00";
const BLOCK = 512;

const reads = { read6, read10, read12, read16 };
const writes = { write6, write10, write12, write16 };
const verifies = { verify10, verify12, verify16 };
const writeSames = { writeSame10, writeSame16 };

/** Runs a command that may have any data; returns its sense, or "passed". */
async function outcomeOf(
  host: BulkOnlyHost,
  cdb: readonly number[],
  receive = 0,
): Promise<string> {
  const { status } = await host.run(cdb, { receive });
  return status === FAILED ? await host.sense() : "passed";
}

Deno.test("READ and WRITE: the last block is one, the next one is not", async () => {
  const disk = new TestDisk({ blockCount: 1000 });
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  for (const [name, read] of Object.entries(reads)) {
    for (const [lba, count] of [[0, 1], [999, 1], [744, 256], [500, 3]]) {
      assertEquals(
        await host.pass(read(lba, count), { receive: count * BLOCK }),
        blockContents(lba, count),
        name,
      );
    }
    for (
      const [lba, count] of [[1000, 1], [999, 2], [745, 256], [0x1fffff, 1]]
    ) {
      const receive = count * BLOCK;
      assertEquals(
        await host.fail(read(lba, count), { receive }),
        OUT_OF_RANGE,
        `${name} ${lba}+${count}`,
      );
    }
  }
  disk.takeLog();
  for (const [name, write] of Object.entries(writes)) {
    for (const [lba, count] of [[0, 1], [999, 1], [744, 256]]) {
      const send = pattern(count * BLOCK, lba);
      await host.pass(write(lba, count), { send });
      assertEquals(disk.blocks(lba, count), send, name);
    }
    disk.takeLog();
    for (const [lba, count] of [[1000, 1], [999, 2], [745, 256]]) {
      const send = pattern(count * BLOCK, lba);
      assertEquals(await host.fail(write(lba, count), { send }), OUT_OF_RANGE);
    }
    assertEquals(disk.takeLog(), []);
  }
});

Deno.test("numbers of blocks up to 2^64 - 1, and counts up to 2^32 - 1", async () => {
  const disk = new TestDisk({ blockCount: 1000 });
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  const most = 0xffff_ffff;
  const last = 2n ** 64n - 1n;
  const huge = [
    read10(most, 1),
    read10(most, 0xffff),
    read10(0, 0xffff),
    read12(0, most),
    read12(999, most),
    read12(most, most),
    read16(0, most),
    read16(999, most),
    read16(most, most),
    read16(2n ** 32n, 1),
    read16(2n ** 53n, 1),
    read16(2n ** 63n, 1),
    read16(last, 1),
    read16(last, most),
    write10(most, 1),
    write12(0, most),
    write16(0, most),
    write16(last, 1),
    write16(last, most),
    ...Object.values(verifies).flatMap((verify) =>
      [0, 1, 3].flatMap((bytchk) => [
        verify(most, 1, bytchk),
        verify(999, 2, bytchk),
        verify(0, 0xffff, bytchk),
      ])
    ),
    verify16(last, most),
    verify16(last, 1, 1),
    verify16(2n ** 32n, 1),
    ...Object.values(writeSames).flatMap((writeSame) => [
      writeSame(most, 1),
      writeSame(999, 2),
      writeSame(0, 0xffff),
      writeSame(999, 2, UNMAP_BIT),
    ]),
    writeSame16(last, most),
    writeSame16(last, 1, UNMAP_BIT),
    writeSame16(2n ** 32n, 1, NDOB),
    synchronizeCache10(most, 1),
    synchronizeCache10(999, 2),
    synchronizeCache16(last, 1),
    synchronizeCache16(last, most),
  ];
  for (const cdb of huge) {
    const name = cdb.join(" ");
    assertEquals(await outcomeOf(host, cdb), OUT_OF_RANGE, name);
    assertEquals(await outcomeOf(host, cdb, 4096), OUT_OF_RANGE, name);
    const { status } = await host.run(cdb, { send: new Uint8Array(512) });
    assertEquals([status, await host.sense()], [FAILED, OUT_OF_RANGE], name);
  }
  assertEquals(disk.takeLog(), []);
});

Deno.test("no blocks are no error, up to the end of the disk; 6 bytes cannot say so", async () => {
  const disk = new TestDisk({ blockCount: 1000 });
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  for (
    const command of [
      ...[read10, read12, read16, write10, write12, write16],
      ...Object.values(verifies),
    ]
  ) {
    for (const lba of [0, 500, 999]) await host.pass(command(lba, 0));
    assertEquals(await host.fail(command(1001, 0)), OUT_OF_RANGE);
    assertEquals(await host.fail(command(0xffff_ffff, 0)), OUT_OF_RANGE);
  }
  for (const verify of Object.values(verifies)) {
    for (const bytchk of [1, 3]) await host.pass(verify(500, 0, bytchk));
  }
  assertEquals(disk.takeLog(), []);
  assertEquals(
    await host.pass(read6(5, 0), { receive: 256 * BLOCK }),
    blockContents(5, 256),
  );
  const send = pattern(256 * BLOCK);
  await host.pass(write6(5, 0), { send });
  assertEquals(disk.blocks(5, 256), send);
});

Deno.test("a disk of 4096-byte blocks counts in them", async () => {
  const blockSize = 4096;
  const disk = new TestDisk({ blockSize, blockCount: 600 });
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  for (const read of Object.values(reads)) {
    for (const [lba, count] of [[0, 1], [599, 1], [100, 200]]) {
      assertEquals(
        await host.pass(read(lba, count), { receive: count * blockSize }),
        blockContents(lba, count, { blockSize }),
      );
    }
  }
  const send = pattern(130 * blockSize);
  await host.pass(write10(470, 130), { send });
  assertEquals(disk.blocks(470, 130), send);
  assertEquals(
    (await host.pass(readCapacity10(), { receive: 8 })).toHex(),
    "0000025700001000",
  );
  assertEquals(disk.overlaps, 0);
});

Deno.test("protection information is not supported, FUA and DPO are", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({
    luns: [disk, disk.without("flush")],
  });
  const { host } = bench;
  const send = pattern(BLOCK);
  for (let protect = 1; protect < 8; protect++) {
    const flags = protect << 5;
    for (const read of [read10, read12, read16]) {
      const cdb = read(0, 1, flags);
      assertEquals(await host.fail(cdb, { receive: BLOCK }), INVALID_FIELD);
    }
    for (const write of [write10, write12, write16]) {
      assertEquals(
        await host.fail(write(0, 1, flags), { send }),
        INVALID_FIELD,
      );
    }
    for (const verify of Object.values(verifies)) {
      const cdb = verify(0, 1).with(1, flags);
      assertEquals(await host.fail(cdb), INVALID_FIELD);
    }
    for (const writeSame of Object.values(writeSames)) {
      const cdb = writeSame(0, 1, flags);
      assertEquals(await host.fail(cdb, { send }), INVALID_FIELD);
    }
  }
  assertEquals(disk.takeLog(), []);
  const [dpo, fua] = [0x10, 0x08];
  for (const read of [read10, read12, read16]) {
    await host.pass(read(0, 1, dpo | fua), { receive: BLOCK });
  }
  disk.takeLog();
  for (const write of [write10, write12, write16]) {
    await host.pass(write(0, 1, dpo), { send });
    assertEquals(disk.takeLog(), ["write 0+1"]);
    await host.pass(write(0, 1, fua), { send });
    assertEquals(disk.takeLog(), ["write 0+1", "flush"]);
    await host.pass(write(0, 1, fua), { send, lun: 1 });
    assertEquals(disk.takeLog(), ["write 0+1"]);
  }
});

Deno.test("READ CAPACITY: the last block and the block size", async () => {
  const at = (blockCount: number) => ({
    blockSize: 512,
    blockCount,
    read() {},
  });
  await using bench = serveDisk({
    luns: [
      at(1),
      at(2 ** 32),
      at(2 ** 32 + 1),
      at(2 ** 43),
      new TestDisk({ blockCount: 8 }),
    ],
  });
  const { host } = bench;
  const expected = [
    ["0000000000000200", "0000000000000000"],
    ["ffffffff00000200", "00000000ffffffff"],
    ["ffffffff00000200", "0000000100000000"],
    ["ffffffff00000200", "000007ffffffffff"],
    ["0000000700000200", "0000000000000007"],
  ];
  for (const [lun, [short, last]] of expected.entries()) {
    assertEquals(
      (await host.pass(readCapacity10(), { receive: 8, lun })).toHex(),
      short,
    );
    const long = await host.pass(readCapacity16(), { receive: 32, lun });
    assertEquals(long.subarray(0, 12).toHex(), `${last}00000200`);
    assertEquals(long[14], lun === 4 ? 0x80 : 0, "LBPME");
    assertEquals(long.subarray(15), new Uint8Array(17));
    for (const length of [0, 1, 12, 31, 32, 0xffff_ffff]) {
      assertEquals(
        await host.ask(readCapacity16(length), 4096, lun),
        long.subarray(0, length),
      );
    }
    // Blocks beyond 2^32 can be read.
    const lba = BigInt(`0x${last}`);
    await host.pass(read16(lba, 1), { receive: BLOCK, lun });
    assertEquals(
      await host.fail(read16(lba + 1n, 1), { receive: BLOCK, lun }),
      OUT_OF_RANGE,
    );
  }
  for (let action = 0; action < 32; action++) {
    if (action === 0x10) continue;
    const cdb = readCapacity16().with(1, action);
    assertEquals(await host.fail(cdb, { receive: 32 }), INVALID_FIELD);
  }
});

Deno.test("READ FORMAT CAPACITIES: one, formatted or without a medium", async () => {
  await using bench = serveDisk({
    luns: [new TestDisk({ blockCount: 0x12345 }), {}],
  });
  const { host } = bench;
  assertEquals(
    (await host.ask(readFormatCapacities(), 252)).toHex(),
    "00000008" + "00012345" + "02000200",
  );
  const empty = await host.ask(readFormatCapacities(), 252, 1);
  assertEquals([empty[3], empty[8]], [8, 3]);
  for (const length of [0, 1, 4, 12]) {
    const data = await host.ask(readFormatCapacities(length), 252);
    assertEquals(data.length, length);
  }
});

Deno.test("VERIFY: readable, or equal to what the host sends", async () => {
  const disk = new TestDisk({ blockCount: 4096 });
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  const same = pattern(BLOCK, 5);
  for (let lba = 1000; lba < 3000; lba++) disk.bytes.set(same, lba * BLOCK);
  for (const verify of Object.values(verifies)) {
    disk.bad.clear();
    disk.takeLog();
    await host.pass(verify(0, 4096));
    assert(disk.takeLog().length > 0, "nothing was read");
    for (const count of [1, 2, 513, 2000]) {
      await host.pass(verify(100, count, 1), { send: disk.blocks(100, count) });
      await host.pass(verify(1000, count, 3), { send: same });
    }
    // A difference in one byte, in any block
    for (
      const [count, bad] of [[1, 0], [2, 1], [700, 0], [700, 512], [700, 699]]
    ) {
      const send = disk.blocks(100, count);
      send[bad * BLOCK + 511] ^= 0x80;
      assertEquals(
        await host.fail(verify(100, count, 1), { send }),
        `e/1d/00 block ${100 + bad}`,
      );
      const at = (1000 + bad) * BLOCK;
      disk.bytes[at] ^= 1;
      assertEquals(
        await host.fail(verify(1000, count, 3), { send: same }),
        `e/1d/00 block ${1000 + bad}`,
      );
      disk.bytes[at] ^= 1;
    }
    assertEquals(await host.fail(verify(0, 1, 2)), INVALID_FIELD);
    assertEquals(
      await host.fail(verify(0, 1, 2), { send: disk.blocks(0) }),
      INVALID_FIELD,
    );
    disk.bad.add(2050);
    assertEquals(await host.fail(verify(0, 4096)), "3/11/00 block 2050");
    assertEquals(await host.fail(verify(2050, 1)), "3/11/00 block 2050");
    assertEquals(
      await host.fail(verify(2040, 20, 1), { send: disk.blocks(2040, 20) }),
      "3/11/00 block 2050",
    );
    assertEquals(
      await host.fail(verify(2040, 20, 3), { send: same }),
      "3/11/00 block 2050",
    );
    await host.pass(verify(2051, 100));
  }
  assertEquals(disk.takeLog().some((it) => !it.startsWith("read")), false);
  assertEquals(disk.overlaps, 0);
});

Deno.test("WRITE SAME: one block for all, zeros without data, or a discard", async () => {
  const disk = new TestDisk({ blockCount: 4096 });
  await using bench = serveDisk({ luns: [disk, disk.without("discard")] });
  const { host } = bench;
  const block = pattern(BLOCK, 3);
  const zeros = new Uint8Array(BLOCK);
  const repeated = (data: Uint8Array, count: number) =>
    Uint8Array.from({ length: count * BLOCK }, (_, at) => data[at % BLOCK]);
  for (const writeSame of Object.values(writeSames)) {
    for (const count of [1, 2, 700, 2000]) {
      const before = disk.blocks(0, 4096);
      await host.pass(writeSame(100, count), { send: block });
      before.set(repeated(block, count), 100 * BLOCK);
      assertEquals(disk.blocks(0, 4096), before);
    }
    disk.takeLog();
    await host.pass(writeSame(100, 2000, UNMAP_BIT), { send: zeros });
    assertEquals(disk.takeLog(), ["discard 100+2000"]);
    // What is discarded may not keep these.
    await host.pass(writeSame(100, 5, UNMAP_BIT), { send: block });
    assertEquals(disk.blocks(100, 5), repeated(block, 5));
    disk.takeLog();
    const anchor = 0x10;
    for (const flags of [anchor, anchor | UNMAP_BIT, 0x02, 0x04]) {
      assertEquals(
        await host.fail(writeSame(0, 1, flags), { send: zeros }),
        INVALID_FIELD,
      );
    }
    const send = zeros;
    assertEquals(
      await host.fail(writeSame(0, 1, UNMAP_BIT), { send, lun: 1 }),
      INVALID_FIELD,
      "without discard",
    );
    await host.pass(writeSame(0, 1), { send: block, lun: 1 });
    // WSNZ: no number of blocks is not the whole disk.
    assertEquals(await host.fail(writeSame(0, 0), { send }), INVALID_FIELD);
  }
  await host.pass(writeSame16(7, 600, NDOB));
  assertEquals(disk.blocks(7, 600), new Uint8Array(600 * BLOCK));
  disk.takeLog();
  await host.pass(writeSame16(7, 600, NDOB | UNMAP_BIT));
  assertEquals(disk.takeLog(), ["discard 7+600"]);
  disk.bad.add(1000);
  assertEquals(
    await host.fail(writeSame16(900, 600), { send: block }),
    "3/0c/00 block 1000",
  );
  assertEquals(disk.overlaps, 0);
});

Deno.test("UNMAP: ranges in a list, which is checked before anything is discarded", async () => {
  const disk = new TestDisk({ blockCount: 4096 });
  await using bench = serveDisk({
    luns: [disk, disk.without("discard"), disk.without("write")],
  });
  const { host } = bench;
  const run = async (list: Uint8Array<ArrayBuffer>, lun = 0) => {
    const send = list;
    const { status } = await host.run(unmap(list.length), { send, lun });
    return status === FAILED
      ? await host.sense(lun)
      : disk.takeLog().join(", ");
  };
  assertEquals(await run(unmapList([0, 1])), "discard 0+1");
  assertEquals(
    await run(unmapList([0, 1], [4095, 1], [100, 0], [200, 300])),
    "discard 0+1, discard 4095+1, discard 200+300",
  );
  const many = Array.from(
    { length: 4000 },
    (_, at) => [at, 1] as const,
  );
  assertEquals((await run(unmapList(...many))).split(", ").length, 4000);
  // Nothing to do
  await host.pass(unmap(0));
  assertEquals(await run(unmapList()), "");
  // A list that is too short
  for (let length = 1; length < 8; length++) {
    const send = unmapList([0, 1]).slice(0, length);
    assertEquals(await run(send), "5/1a/00", `${length} bytes`);
  }
  // Its lengths: descriptors that are cut off are ignored.
  const list = unmapList([10, 1], [20, 1]);
  assertEquals(await run(list.slice(0, 39)), "discard 10+1");
  const withLength = (length: number) => {
    const changed = list.slice();
    changed.set(bytesOf(length, 2), 2);
    return changed;
  };
  for (const length of [0, 1, 15]) {
    assertEquals(await run(withLength(length)), "", `${length}`);
  }
  for (const length of [16, 17, 31]) {
    assertEquals(await run(withLength(length)), "discard 10+1", `${length}`);
  }
  const more = await run(withLength(0xffff));
  assert(["discard 10+1, discard 20+1", "5/26/00"].includes(more), more);
  // One range out of range: none is discarded.
  for (
    const range of [
      [4096, 1],
      [4095, 2],
      [0, 0xffff_ffff],
      [0xffff_ffff, 0xffff_ffff],
      [2n ** 64n - 1n, 1],
      [2n ** 64n - 1n, 0xffff_ffff],
    ] as const
  ) {
    assertEquals(await run(unmapList([0, 1], range)), OUT_OF_RANGE);
  }
  assertEquals(disk.takeLog(), []);
  assertEquals(
    await host.fail(unmap(24, 1), { send: unmapList([0, 1]) }),
    INVALID_FIELD,
    "ANCHOR",
  );
  assertEquals(await run(unmapList([0, 1]), 1), "5/20/00");
  assertEquals(await run(unmapList([0, 1]), 2), "7/27/00");
});

Deno.test("SYNCHRONIZE CACHE: flushes, if there is anything to flush", async () => {
  const disk = new TestDisk({ blockCount: 1000 });
  await using bench = serveDisk({
    luns: [disk, disk.without("flush"), disk.without("write")],
  });
  const { host } = bench;
  for (const synchronize of [synchronizeCache10, synchronizeCache16]) {
    for (const [lba, count] of [[0, 0], [0, 1000], [999, 1], [500, 0]]) {
      // IMMED or not
      for (const flags of [0, 2]) {
        await host.pass(synchronize(lba, count, flags));
        assertEquals(disk.takeLog(), ["flush"]);
      }
    }
    await host.pass(synchronize(), { lun: 1 });
    assertEquals(disk.takeLog(), []);
    await host.pass(synchronize(), { lun: 2 });
    disk.takeLog();
  }
});

Deno.test("a write-protected disk refuses whatever would change it", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk.without("write")] });
  const { host } = bench;
  const send = new Uint8Array(BLOCK);
  for (
    const cdb of [
      write6(0, 1),
      write10(0, 1),
      write12(0, 1),
      write16(0, 1),
      writeSame10(0, 1),
      writeSame16(0, 1),
      writeSame16(0, 1, UNMAP_BIT),
    ]
  ) {
    assertEquals(await host.fail(cdb, { send }), "7/27/00");
  }
  assertEquals(await host.fail(writeSame16(0, 1, NDOB)), "7/27/00");
  assertEquals(
    await host.fail(unmap(24), { send: unmapList([0, 1]) }),
    "7/27/00",
  );
  assertEquals(disk.takeLog(), []);
  await host.pass(read10(0, 1), { receive: BLOCK });
  await host.pass(verify10(0, 1));
});
