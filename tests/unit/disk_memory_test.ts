import { assert, assertEquals, assertThrows } from "@std/assert";
import { memoryDisk } from "../../src/classes/mass_storage/mod.ts";
import { pattern } from "../support/data/pattern.ts";

function read(
  disk: ReturnType<typeof memoryDisk>,
  lba: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(count * disk.blockSize).fill(0xee);
  disk.read(lba, into);
  return into;
}

for (const blockSize of [512, 2048, 4096]) {
  Deno.test(`memoryDisk() keeps blocks of ${blockSize} bytes`, () => {
    const disk = memoryDisk(1000 * blockSize, { blockSize });
    assertEquals(disk.blockSize, blockSize);
    assertEquals(disk.blockCount, 1000);
    const bytes = pattern(300 * blockSize);
    disk.write(99, bytes);
    bytes.fill(1); // the disk has a copy
    const expected = new Uint8Array(1000 * blockSize);
    expected.set(pattern(300 * blockSize), 99 * blockSize);
    assertEquals(read(disk, 0, 1000), expected);
    disk.discard(101, 201);
    expected.fill(0, 101 * blockSize, 302 * blockSize);
    assertEquals(read(disk, 0, 1000), expected);
    disk.write(999, pattern(blockSize));
    assertEquals(read(disk, 999, 1), pattern(blockSize));
  });
}

Deno.test("memoryDisk() copies the bytes that it begins with", () => {
  const contents = pattern(8 * 512);
  const disk = memoryDisk(contents);
  disk.write(1, new Uint8Array(512));
  contents.fill(1);
  const expected = pattern(8 * 512);
  expected.fill(0, 512, 1024);
  assertEquals(read(disk, 0, 8), expected);
});

Deno.test("memoryDisk() takes memory for what was written only, and no time for the rest", () => {
  const disk = memoryDisk(2 ** 50);
  assertEquals(disk.blockCount, 2 ** 41);
  disk.write(2 ** 41 - 1, pattern(512));
  assertEquals(read(disk, 2 ** 41 - 1, 1), pattern(512));
  assertEquals(read(disk, 2 ** 40, 100), new Uint8Array(100 * 512));
  disk.discard(0, 2 ** 41);
  assertEquals(read(disk, 2 ** 41 - 1, 1), new Uint8Array(512));
});

Deno.test("memoryDisk() fails with what it cannot be made of", () => {
  const wrong: [unknown, unknown, string][] = [
    ["8", {}, 'the contents must be a number or a Uint8Array, is "8": give'],
    [new ArrayBuffer(512), {}, "is an ArrayBuffer: give new Uint8Array(it)"],
    [512, { blocksize: 512 }, 'there is no option "blocksize"'],
    [512, { blockSize: 1000 }, '"blockSize" must be 512 or 2048 or 4096, is'],
  ];
  for (const [contents, options, message] of wrong) {
    const error = assertThrows(
      () => memoryDisk(contents as number, options as { blockSize: number }),
      TypeError,
    );
    assert(error.message.includes(message), error.message);
  }
  for (const length of [0, -512, 511, 1.5, NaN, Infinity, 2 ** 60]) {
    assertThrows(
      () => memoryDisk(length),
      RangeError,
      `Cannot make memory disk: the length must be a positive multiple of 512 bytes, is ${length}`,
    );
  }
});

Deno.test("memoryDisk() fails calls with blocks that do not exist", () => {
  const disk = memoryDisk(8 * 512);
  const two = new Uint8Array(1024);
  for (const lba of [-1, 7, 8, 0.5, NaN]) {
    for (
      const call of [
        () => disk.read(lba, two),
        () => disk.write(lba, two),
        () => disk.discard(lba, 2),
      ]
    ) {
      assertThrows(
        call,
        RangeError,
        `blocks: the disk has blocks 0 to 7, not 2 at ${lba}`,
      );
    }
  }
  for (const length of [0, 100]) {
    assertThrows(() => disk.write(0, new Uint8Array(length)), RangeError);
    assertThrows(() => disk.read(0, new Uint8Array(length)), RangeError);
  }
  assertThrows(() => disk.read(0, [0] as never), TypeError, "must be");
});
