import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  fileDisk,
  type FileDiskOptions,
  SenseError,
} from "../../src/classes/mass_storage/mod.ts";
import { arrayDisk, readBlocks } from "../support/data/disk_blocks.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;

/** A path that is gone after the test. */
function temporaryPath(): { path: string } & Disposable {
  const folder = Deno.makeTempDirSync();
  return {
    path: `${folder}/disk.img`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** Bytes that a file takes on its disk. */
function takenBy(path: string): number {
  return Deno.statSync(path).blocks! * 512;
}

/** Whether this process has a file open. */
function isOpen(path: string): boolean {
  return [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false; // it was closed meanwhile
    }
  });
}

for (const blockSize of [512, 2048, 4096]) {
  Deno.test(`fileDisk() is a disk, blocks of ${blockSize} bytes`, async () => {
    using file = temporaryPath();
    const blocks = 2 * MIB / blockSize;
    const seed = testSeed();
    const random = new Random(seed);
    const contents = pattern(blocks * blockSize, seed & 0xff);
    Deno.writeFileSync(file.path, contents);
    using disk = fileDisk(file.path, { blockSize });
    assertEquals([disk.blockSize, disk.blockCount], [blockSize, blocks]);
    const expected = arrayDisk(contents, blockSize);
    /** Memory that does not begin where pages do. */
    const memory = new Uint8Array(2 * MIB + 16);
    for (let round = 0; round < soak(3000, 300); round++) {
      const lba = random.int(0, blocks - 1);
      const most = random.pick([1, 8, 64, blocks]);
      const count = random.int(1, Math.min(most, blocks - lba));
      const start = random.int(0, 16);
      const bytes = memory.subarray(start, start + count * blockSize);
      const what = random.pick(["read", "read", "write", "write", "discard"]);
      const context =
        `GADGET_SEED=${seed}, round ${round}: ${what} ${count} at ${lba}`;
      if (what === "read") {
        bytes.fill(0xee);
        await disk.read(lba, bytes);
        const wanted = await readBlocks(expected, lba, count);
        assertEquals(firstDifference(bytes, wanted), -1, context);
      } else if (what === "write") {
        bytes.set(pattern(count * blockSize, round + 1));
        await disk.write!(lba, bytes);
        expected.write(lba, bytes);
      } else {
        await disk.discard!(lba, count);
        expected.discard(lba, count);
      }
      if (random.chance(0.02)) await disk.flush!();
    }
    assertEquals(firstDifference(Deno.readFileSync(file.path), contents), -1);
  });
}

Deno.test("fileDisk() makes a file that takes no room, and is written beyond 2^32 bytes", async () => {
  using file = temporaryPath();
  const length = 2 ** 40;
  {
    using disk = fileDisk(file.path, { create: length });
    assertEquals(disk.blockCount, length / 512);
    assertEquals(Deno.statSync(file.path).size, length);
    assertEquals(takenBy(file.path), 0);
    for (const lba of [2 ** 23 - 1, 2 ** 30, 2 ** 31 - 8]) {
      await disk.write!(lba, pattern(8 * 512, lba % 251));
    }
    await disk.flush!();
    assert(takenBy(file.path) < MIB);
  }
  // It is not made a second time: the same length, the same contents.
  using disk = fileDisk(file.path, { create: 64 * MIB });
  assertEquals(disk.blockCount, length / 512);
  for (const lba of [2 ** 23 - 1, 2 ** 30, 2 ** 31 - 8]) {
    assertEquals(await readBlocks(disk, lba, 8), pattern(8 * 512, lba % 251));
  }
  assertEquals(await readBlocks(disk, 2 ** 29, 8), new Uint8Array(8 * 512));
});

Deno.test("fileDisk() frees the room of what is discarded", async () => {
  using file = temporaryPath();
  using disk = fileDisk(file.path, { create: 64 * MIB });
  await disk.write!(0, pattern(4 * MIB));
  await disk.flush!();
  assert(takenBy(file.path) >= 4 * MIB);
  await disk.discard!(0, 3 * MIB / 512);
  assert(takenBy(file.path) < 2 * MIB, `${takenBy(file.path)}`);
  assertEquals(Deno.statSync(file.path).size, 64 * MIB);
  const expected = pattern(4 * MIB);
  expected.fill(0, 0, 3 * MIB);
  assertEquals(
    firstDifference(await readBlocks(disk, 0, 4 * MIB / 512), expected),
    -1,
  );
});

Deno.test("fileDisk() gives an empty file its length, if it may make one", () => {
  using file = temporaryPath();
  Deno.writeFileSync(file.path, new Uint8Array(0));
  assertThrows(
    () => fileDisk(file.path),
    RangeError,
    `the length must be a positive multiple of 512 bytes, is 0: ${file.path}`,
  );
  fileDisk(file.path, { create: MIB }).close();
  assertEquals(Deno.statSync(file.path).size, MIB);
});

Deno.test("fileDisk() with readOnly has no method that changes the file", async () => {
  using file = temporaryPath();
  Deno.writeFileSync(file.path, pattern(MIB));
  using disk = fileDisk(file.path, { readOnly: true });
  assertEquals([disk.write, disk.flush, disk.discard], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(await readBlocks(disk, 0, 2048), pattern(MIB));
});

Deno.test("fileDisk() fails reads of what was cut off, at the first block that is missing", async () => {
  using file = temporaryPath();
  Deno.writeFileSync(file.path, pattern(2 * MIB));
  using disk = fileDisk(file.path);
  Deno.truncateSync(file.path, MIB + 100);
  const into = new Uint8Array(MIB);
  const error = await assertRejects(
    async () => await disk.read(1024, into),
    SenseError,
  );
  assertEquals([error.sense, error.lba], ["unrecovered read error", 2048]);
  assertEquals(into.subarray(0, MIB / 2), pattern(2 * MIB).slice(MIB / 2, MIB));
  assertEquals(
    (error.cause as Error).message,
    `The file was cut while it was open: ${file.path}`,
  );
  assertEquals(await readBlocks(disk, 2047, 1), pattern(MIB).slice(-512));
  // A write makes it long again.
  await disk.write!(4095, pattern(512));
  assertEquals(await readBlocks(disk, 4000, 1), new Uint8Array(512));
});

Deno.test("fileDisk() ends calls that are pending when it is closed, and fails later ones", async () => {
  using file = temporaryPath();
  const bytes = pattern(16 * MIB);
  const disk = fileDisk(file.path, { create: 16 * MIB });
  const write = disk.write!(0, bytes);
  disk.close();
  disk.close();
  assert(isOpen(file.path));
  await write;
  assert(!isOpen(file.path));
  assertEquals(firstDifference(Deno.readFileSync(file.path), bytes), -1);
  const block = new Uint8Array(512);
  for (
    const call of [
      () => disk.read(0, block),
      () => disk.write!(0, block),
      () => disk.flush!(),
      () => disk.discard!(0, 1),
    ]
  ) {
    const error = await assertRejects(async () => await call());
    assert(error instanceof Deno.errors.BadResource);
    assertEquals(
      error.message,
      `Cannot use a file that is closed: ${file.path}`,
    );
  }
  {
    using other = fileDisk(file.path);
    assert(isOpen(other.path));
  }
  assert(!isOpen(file.path));
});

Deno.test("fileDisk() opens files and block devices only, without waiting", async () => {
  using file = temporaryPath();
  const { success } = await new Deno.Command("mkfifo", { args: [file.path] })
    .output();
  assert(success);
  for (
    const [path, code, message] of [
      [file.path, "ENOTBLK", "must be a file or a block device, is a special"],
      ["/dev/null", "ENOTBLK", "must be a file or a block device, is a spec"],
      ["/tmp", "EISDIR", "must be a file or a block device, is a directory"],
      ["/tmp/does/not/exist", "ENOENT", "No such file or directory"],
    ]
  ) {
    for (const options of [{}, { readOnly: true }, { create: MIB }]) {
      const error = assertThrows(() => fileDisk(path, options)) as
        & Error
        & { code: string; path: string };
      assertEquals(error.code, code);
      assertEquals(error.path, path);
      assert(error.message.includes(message), error.message);
    }
  }
  assert(!isOpen(file.path));
});

Deno.test("fileDisk() says where there is no direct I/O", () => {
  assertThrows(
    () => fileDisk("/proc/version", { readOnly: true, direct: true }),
    Error,
    "Cannot open file: Invalid argument (os error 22): /proc/version: its file system has no direct I/O",
  );
});

Deno.test("fileDisk() fails with a length that is not whole blocks, and does not keep the file open", () => {
  using file = temporaryPath();
  Deno.writeFileSync(file.path, new Uint8Array(6 * 512));
  fileDisk(file.path).close();
  assertThrows(
    () => fileDisk(file.path, { blockSize: 2048 }),
    RangeError,
    `Cannot make file disk: the length must be a positive multiple of 2048 bytes, is 3072: ${file.path}`,
  );
  assert(!isOpen(file.path));
});

Deno.test("fileDisk() fails with wrong arguments before it makes a file", () => {
  using file = temporaryPath();
  const wrong: [unknown, string][] = [
    [{ blockSize: 1024, create: MIB }, '"blockSize" must be 512 or 2048 or'],
    [{ size: MIB }, 'there is no option "size"'],
    [{ create: true }, '"create" must be a number, is true'],
    [{ readOnly: 1, create: MIB }, '"readOnly" must be a boolean, is 1'],
    [{ direct: "yes", create: MIB }, '"direct" must be a boolean, is "yes"'],
    [{ readOnly: true, create: MIB }, '"create" is not for a disk that is'],
  ];
  for (const [options, message] of wrong) {
    const error = assertThrows(
      () => fileDisk(file.path, options as FileDiskOptions),
      TypeError,
    );
    assert(error.message.includes(message), error.message);
  }
  for (const create of [0, 1000, -512, NaN]) {
    assertThrows(() => fileDisk(file.path, { create }), RangeError, "length");
  }
  assertThrows(
    () => fileDisk(new URL("file:///tmp") as never),
    TypeError,
    "Cannot make file disk: the path must be a string, is a URL",
  );
  assertThrows(() => Deno.statSync(file.path), Deno.errors.NotFound);
});

Deno.test("fileDisk() fails calls with blocks that do not exist", async () => {
  using file = temporaryPath();
  using disk = fileDisk(file.path, { create: 8 * 512 });
  const two = new Uint8Array(1024);
  for (
    const call of [
      () => disk.read(7, two),
      () => disk.write!(7, two),
      () => disk.discard!(7, 2),
      () => disk.read(0, two.subarray(1)),
    ]
  ) {
    await assertRejects(async () => await call(), RangeError);
  }
});

Deno.test("fileDisk() needs --allow-ffi only", async () => {
  using file = temporaryPath();
  const mod = new URL("../../src/classes/mass_storage/mod.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`
    import { fileDisk } from ${JSON.stringify(mod.href)};
    using disk = fileDisk(${JSON.stringify(file.path)}, { create: 1 << 20 });
    await disk.write(7, new Uint8Array(512).fill(7));
    await disk.discard(8, 8);
    await disk.flush();
    const block = new Uint8Array(512);
    await disk.read(7, block);
    console.log(block.every((it) => it === 7));
  `));
  await input.close();
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "true\n");
  assertEquals(Deno.readFileSync(file.path)[7 * 512], 7);
});
