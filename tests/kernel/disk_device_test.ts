// VM: any speed, newest kernel
/**
 * fileDisk() on block devices and file systems that fail, that are slow, and that
 * need whole sectors.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BlockDevice,
  fileDisk,
  SenseError,
} from "../../src/classes/mass_storage/mod.ts";
import { arrayDisk, readBlocks } from "../support/data/disk_blocks.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import {
  loopDevice,
  mappedDevice,
  mounted,
} from "../support/machine/block_devices.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const MIB = 1 << 20;

/** Compares a disk with an array, from memory at any address. */
async function compareAtRandom(disk: BlockDevice): Promise<void> {
  const { blockSize, blockCount } = disk;
  const seed = testSeed();
  const random = new Random(seed);
  const expected = arrayDisk(await readBlocks(disk, 0, blockCount), blockSize);
  const memory = new Uint8Array(blockCount * blockSize + 16);
  for (let round = 0; round < soak(2000, 40); round++) {
    const lba = random.int(0, blockCount - 1);
    const most = random.pick([1, 8, 64, blockCount]);
    const count = random.int(1, Math.min(most, blockCount - lba));
    const start = random.int(0, 16);
    const bytes = memory.subarray(start, start + count * blockSize);
    const what = random.pick(["read", "write", "discard"]);
    if (what === "read") {
      bytes.fill(0xee);
      await disk.read(lba, bytes);
      const wanted = await readBlocks(expected, lba, count);
      const context = `GADGET_SEED=${seed}, round ${round}: ${count} at ${lba}`;
      assertEquals(firstDifference(bytes, wanted), -1, context);
    } else if (what === "write") {
      bytes.set(pattern(count * blockSize, round + 1));
      await disk.write!(lba, bytes);
      expected.write(lba, bytes);
    } else {
      await disk.discard?.(lba, count);
      if (disk.discard !== undefined) expected.discard(lba, count);
    }
  }
}

async function failure(call: () => void | Promise<void>): Promise<SenseError> {
  return await assertRejects(async () => await call(), SenseError);
}

for (const direct of [false, true]) {
  for (const blockSize of [512, 4096]) {
    Deno.test(`fileDisk() is a disk on a block device with sectors of ${blockSize} bytes${direct ? ", direct" : ""}`, async () => {
      await using device = await loopDevice(
        2 * MIB,
        `--sector-size ${blockSize}`,
      );
      using disk = fileDisk(device.path, { direct, blockSize });
      assertEquals(disk.blockCount, 2 * MIB / blockSize);
      assert(disk.discard !== undefined);
      await compareAtRandom(disk);
      await disk.write!(3, pattern(blockSize));
      await disk.flush!();
      const file = await Deno.readFile(device.file);
      assertEquals(
        file.subarray(3 * blockSize, 4 * blockSize),
        pattern(blockSize),
      );
    });
  }

  Deno.test(`fileDisk() names the block that a device cannot read or write${direct ? ", direct" : ""}`, async () => {
    const BAD = 2001;
    await using loop = await loopDevice(2 * MIB);
    await Deno.writeFile(loop.file, pattern(2 * MIB));
    await using device = await mappedDevice(
      [BAD, `linear ${loop.path} 0`],
      [1, "error"],
      [4096 - BAD - 1, `linear ${loop.path} ${BAD + 1}`],
    );
    using disk = fileDisk(device.path, { direct });
    const into = new Uint8Array(2 * MIB);
    const error = await failure(() => disk.read(0, into));
    assertEquals(error.sense, "unrecovered read error");
    assertEquals((error.cause as { code: string }).code, "EIO");
    // The page cache has pages of up to 256 KiB.
    const lba = error.lba!;
    if (direct) assertEquals(lba, BAD);
    else assert(lba <= BAD && lba >= 1536, `${lba}`);
    const good = lba * 512;
    assertEquals(
      firstDifference(into.subarray(0, good), pattern(2 * MIB).slice(0, good)),
      -1,
    );
    assertEquals(
      await readBlocks(disk, 3000, 1),
      pattern(2 * MIB).slice(3000 * 512, 3001 * 512),
    );
    if (!direct) return;
    const another = await failure(() =>
      disk.write!(BAD - 9, into.subarray(0, 8192))
    );
    assertEquals([another.sense, another.lba], ["write error", BAD]);
  });
}

Deno.test("fileDisk() reads at once what the page cache has", async () => {
  await using device = await loopDevice(2 * MIB);
  await Deno.writeFile(device.file, pattern(2 * MIB));
  using disk = fileDisk(device.path);
  await readBlocks(disk, 0, 4096);
  const into = new Uint8Array(256 * 1024);
  assertEquals(disk.read(8, into), undefined);
  assertEquals(into, pattern(2 * MIB).slice(4096, 4096 + 256 * 1024));
  // More is copied in pieces, with turns of the event loop in between.
  const all = new Uint8Array(2 * MIB);
  assert(disk.read(0, all) instanceof Promise);
});

Deno.test("fileDisk() writes at once where the file system can", async () => {
  await using device = await loopDevice(512 * MIB);
  await shell(`modprobe -q xfs || true
    mkfs.xfs -q ${device.path}`);
  await using xfs = await mounted(device.path);
  using disk = fileDisk(`${xfs.folder}/disk.img`, { create: 2 * MIB });
  await disk.write!(0, pattern(MIB));
  // Not the first one after a tick of the clock, which changes the file's time.
  let atOnce = 0;
  for (let round = 0; round < 100; round++) {
    const write = disk.write!(8, pattern(4096, round));
    if (write === undefined) atOnce++;
    await write;
  }
  assert(atOnce > 0);
  const expected = pattern(MIB);
  expected.set(pattern(4096, 99), 4096);
  assertEquals(await readBlocks(disk, 0, 2048), expected);
});

Deno.test("fileDisk() does direct I/O on a file", async () => {
  await using device = await loopDevice(64 * MIB);
  await shell(`mkfs.ext4 -q ${device.path}`);
  await using ext4 = await mounted(device.path);
  const path = `${ext4.folder}/disk.img`;
  using disk = fileDisk(path, { direct: true, create: 2 * MIB });
  await compareAtRandom(disk);
  await disk.flush!();
});

Deno.test("fileDisk() fails if its blocks are smaller than those of direct I/O", async () => {
  await using device = await loopDevice(2 * MIB, "--sector-size 4096");
  assertThrows(
    () => fileDisk(device.path, { direct: true }),
    RangeError,
    `Cannot make file disk: "blockSize" must be a multiple of 4096 for direct I/O, is 512: ${device.path}`,
  );
});

Deno.test("fileDisk() does not write to a device that is mounted, nor to a file system that is read-only", async () => {
  await using device = await loopDevice(64 * MIB);
  await shell(`mkfs.ext4 -q ${device.path}`);
  await using ext4 = await mounted(device.path);
  assertThrows(
    () => fileDisk(device.path),
    Deno.errors.Busy,
    `(os error 16): ${device.path}: it is mounted, or another program uses it`,
  );
  fileDisk(device.path, { readOnly: true }).close();
  const path = `${ext4.folder}/disk.img`;
  fileDisk(path, { create: MIB }).close();
  await shell(`mount -o remount,ro ${ext4.folder}`);
  assertThrows(
    () => fileDisk(path),
    Error,
    `Read-only file system (os error 30): ${path}: it was to be opened for writing`,
  );
  fileDisk(path, { readOnly: true }).close();
});

Deno.test("fileDisk() reports a file system without room, at the block that was the first without", async () => {
  await using tmpfs = await mounted("none", "-t tmpfs -o size=1M");
  using disk = fileDisk(`${tmpfs.folder}/disk.img`, { create: 4 * MIB });
  const error = await failure(() => disk.write!(8, pattern(2 * MIB)));
  assertEquals(error.sense, "space allocation failed write protect");
  assertEquals((error.cause as { code: string }).code, "ENOSPC");
  const written = error.lba! - 8;
  assert(written > 1024 && written <= 2048, `${written}`);
  assertEquals(
    await readBlocks(disk, 8, written),
    pattern(2 * MIB).slice(0, written * 512),
  );
});

Deno.test("fileDisk() fails a flush once if data was lost", async () => {
  await using loop = await loopDevice(2 * MIB);
  await using device = await mappedDevice(
    [8, "error"],
    [4088, `linear ${loop.path} 8`],
  );
  using disk = fileDisk(device.path);
  await disk.write!(0, pattern(4096));
  const error = await failure(() => disk.flush!());
  assertEquals([error.sense, error.lba], ["write error", undefined]);
  await disk.flush!();
});

for (const direct of [false, true]) {
  Deno.test(`the event loop goes on while a disk hangs${direct ? ", direct" : ""}`, async () => {
    await using loop = await loopDevice(2 * MIB);
    await Deno.writeFile(loop.file, pattern(2 * MIB));
    await using device = await mappedDevice([4096, `linear ${loop.path} 0`]);
    using disk = fileDisk(device.path, { direct });
    if (!direct) await disk.write!(0, new Uint8Array(4096));
    await device.suspend();
    const calls = [
      readBlocks(disk, 2048, 1024),
      direct ? disk.write!(0, new Uint8Array(4096)) : disk.flush!(),
    ].map((it) => Promise.resolve(it));
    let ended = 0;
    for (const call of calls) call.then(() => ended++);
    // Only an event loop that goes on notices that these programs end.
    await shell("true");
    assertEquals(ended, 0);
    await device.resume();
    assertEquals(await calls[0], pattern(2 * MIB).slice(MIB, MIB + 512 * 1024));
    await calls[1];
  });
}

Deno.test("the event loop goes on while the reason of a failure is found out on a disk that hangs", async () => {
  await using bad = await mappedDevice([4096, "error"]);
  await using device = await mappedDevice(
    [4096, `delay ${bad.path} 0 ${HOUR}`],
  );
  using disk = fileDisk(device.path, { direct: true });
  const failed = failure(() => disk.read(7, new Uint8Array(512)));
  let ended = false;
  failed.then(() => ended = true);
  while (!ended) {
    await until(
      () => ended || device.status().startsWith("delay 1 "),
      "a request is delayed",
    );
    // Its delay ends, and it fails. The next one hangs, and is delayed then.
    await device.suspend();
    await device.resume();
  }
  const error = await failed;
  assertEquals(error.lba, 7);
  assertEquals((error.cause as { code: string }).code, "EIO");
});

const HOUR = 3_600_000;
