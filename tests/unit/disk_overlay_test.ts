import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BlockDevice,
  memoryDisk,
  overlayDisk,
  readOnly,
  SenseError,
} from "../../src/classes/mass_storage/mod.ts";
import { BlockRanges } from "../../src/classes/mass_storage/block_device/block_ranges.ts";
import { arrayDisk, readBlocks } from "../support/data/disk_blocks.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";

const BLOCKS = 3000;

/** A disk that is read only later, as a file is. */
function later(disk: BlockDevice): BlockDevice {
  return {
    ...disk,
    read: (lba, into) => Promise.resolve().then(() => disk.read(lba, into)),
  };
}

for (const blockSize of [512, 2048, 4096]) {
  Deno.test(`overlayDisk() is a disk with the contents of its base, blocks of ${blockSize} bytes`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const contents = pattern(BLOCKS * blockSize, seed & 0xff);
    const base = arrayDisk(contents.slice(), blockSize);
    const disk = overlayDisk(random.chance() ? later(base) : readOnly(base));
    let expected = arrayDisk(contents.slice(), blockSize);
    /** Which blocks count as changed. */
    let written = new Uint8Array(BLOCKS);
    for (let round = 0; round < soak(3000, 400); round++) {
      const lba = random.int(0, BLOCKS - 1);
      const most = random.pick([1, 8, 64, BLOCKS]);
      const count = random.int(1, Math.min(most, BLOCKS - lba));
      const what = random.pick(["read", "read", "write", "write", "discard"]);
      const context =
        `GADGET_SEED=${seed}, round ${round}: ${what} ${count} at ${lba}`;
      if (what === "read") {
        const [found, wanted] = await Promise.all(
          [disk, expected].map((it) => readBlocks(it, lba, count)),
        );
        assertEquals(firstDifference(found, wanted), -1, context);
      } else if (what === "write") {
        const bytes = pattern(count * blockSize, round + 1);
        disk.write(lba, bytes);
        expected.write(lba, bytes);
        bytes.fill(0); // the disk has a copy
        written.fill(1, lba, lba + count);
      } else {
        disk.discard(lba, count);
        expected.discard(lba, count);
        written.fill(0, lba, lba + count);
      }
      if (random.chance(0.01)) {
        disk.reset();
        expected = arrayDisk(contents.slice(), blockSize);
        written = new Uint8Array(BLOCKS);
      }
      const changed = written.reduce((sum, it) => sum + it, 0) * blockSize;
      assertEquals(disk.changedBytes, changed, context);
    }
    assertEquals(
      firstDifference(await readBlocks(base, 0, BLOCKS), contents),
      -1,
      "the base has changed",
    );
  });
}

Deno.test("overlayDisk() does not read its base for a write, nor for a block that it has", async () => {
  const reads: [number, number][] = [];
  const disk = overlayDisk({
    blockSize: 512,
    blockCount: 100,
    read(lba, into) {
      reads.push([lba, into.byteLength / 512]);
      into.fill(7);
    },
  });
  disk.write(11, pattern(512));
  disk.write(13, pattern(512));
  disk.discard(20, 10);
  assertEquals(reads, []);
  const found = await readBlocks(disk, 10, 30);
  assertEquals(reads, [[10, 1], [12, 1], [14, 6], [30, 10]]);
  const expected = new Uint8Array(30 * 512).fill(7);
  expected.set(pattern(512), 512);
  expected.set(pattern(512), 3 * 512);
  expected.fill(0, 10 * 512, 20 * 512);
  assertEquals(found, expected);
});

Deno.test("overlayDisk() reads synchronously if its base does", () => {
  const disk = overlayDisk(memoryDisk(pattern(8 * 512)));
  const into = new Uint8Array(8 * 512);
  assertEquals(disk.read(0, into), undefined);
  assertEquals(into, pattern(8 * 512));
});

Deno.test("overlayDisk() takes no memory for what is discarded, nor time for what is not written", async () => {
  const disk = overlayDisk(memoryDisk(2 ** 50));
  disk.write(2 ** 40, pattern(512));
  assertEquals(disk.changedBytes, 512);
  disk.discard(0, 2 ** 41);
  assertEquals(disk.changedBytes, 0);
  assertEquals(await readBlocks(disk, 2 ** 40, 1), new Uint8Array(512));
});

Deno.test("overlayDisk() passes on what reading its base throws, with the blocks that it has done", async () => {
  for (const wrap of [(it: BlockDevice) => it, later]) {
    const disk = overlayDisk(wrap({
      blockSize: 512,
      blockCount: 8,
      read(lba) {
        throw new SenseError("unrecovered read error", { lba });
      },
    }));
    disk.write(0, pattern(512));
    const into = new Uint8Array(1024);
    const error = await assertRejects(
      async () => await disk.read(0, into),
      SenseError,
    );
    assertEquals(error.lba, 1);
    assertEquals(into.subarray(0, 512), pattern(512));
  }
});

Deno.test("overlayDisk() and readOnly() fail for what is no disk, and for blocks that do not exist", () => {
  const disk = memoryDisk(8 * 512);
  for (
    const [wrong, message] of [
      [undefined, "the disk must be an object, is undefined"],
      [{}, "blockSize of the disk must be 512 or 2048 or 4096, is undefined"],
      [{ ...disk, blockCount: 0 }, "blockCount of the disk must be an integer"],
      [{ ...disk, read: 1 }, "read of the disk must be a function, is 1"],
      [{ ...disk, write: 1 }, "write of the disk must be a function, is 1"],
    ] as const
  ) {
    for (const make of [overlayDisk, readOnly]) {
      const error = assertThrows(() => make(wrong as BlockDevice), TypeError);
      assert(error.message.includes(message), error.message);
    }
  }
  const overlay = overlayDisk(disk);
  const two = new Uint8Array(1024);
  assertThrows(() => overlay.read(7, two), RangeError);
  assertThrows(() => overlay.write(7, two), RangeError);
  assertThrows(() => overlay.discard(7, 2), RangeError);
});

Deno.test("readOnly() has the blocks of a disk, and no other method", async () => {
  const disk = { ...memoryDisk(pattern(8 * 512)), flush() {} };
  const protectedDisk = readOnly(disk);
  assertEquals(Object.keys(protectedDisk).sort(), [
    "blockCount",
    "blockSize",
    "read",
  ]);
  assertEquals(await readBlocks(protectedDisk, 0, 8), pattern(8 * 512));
  disk.write(3, new Uint8Array(512));
  assertEquals(await readBlocks(protectedDisk, 3, 1), new Uint8Array(512));
});

Deno.test("BlockRanges is a set of blocks", () => {
  const seed = testSeed();
  const random = new Random(seed);
  const ranges = new BlockRanges();
  const blocks = new Uint8Array(300);
  for (let round = 0; round < soak(20_000, 2000); round++) {
    const lba = random.int(0, 299);
    const count = random.int(1, Math.min(random.pick([1, 5, 100]), 300 - lba));
    const parts = [...ranges.parts(lba, count)];
    const found = parts.flatMap(({ count, inside }) =>
      new Array<number>(count).fill(inside ? 1 : 0)
    );
    const context = `GADGET_SEED=${seed}, round ${round}`;
    assertEquals(found, [...blocks.subarray(lba, lba + count)], context);
    let at = lba;
    parts.forEach((part, index) => {
      assertEquals(part.lba, at, context);
      at += part.count;
      if (index > 0) assert(part.inside !== parts[index - 1].inside, context);
    });
    if (random.chance(0.3)) {
      ranges.add(lba, count);
      blocks.fill(1, lba, lba + count);
    }
    if (random.chance(0.01)) {
      ranges.clear();
      blocks.fill(0);
    }
  }
});
