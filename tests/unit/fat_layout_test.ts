import { assertEquals, assertRejects } from "@std/assert";
import { fatDisk, type FatFile } from "@usb/gadget/mass-storage";
import { FatReader } from "../support/fat/reader.ts";

const CLUSTER = 4096;
const KIB = 1024;
const GIB = 2 ** 30;

/** A file whose contents are where they are, at the beginning and at the end. */
function marked(size: number): FatFile {
  return {
    size,
    read(offset, into) {
      for (let at = 0; at < into.length; at++) {
        into[at] = (offset + at) % 256 ^ Math.floor((offset + at) / 256) % 256;
      }
    },
  };
}

/** Files of so many clusters of 4 KiB in all. */
function clusters(count: number): Record<string, FatFile> {
  const most = 2 ** 32 / CLUSTER - 1;
  const files: Record<string, FatFile> = {};
  for (let left = count; left > 0; left -= most) {
    files[`F${left}`] = marked(Math.min(left, most) * CLUSTER);
  }
  return files;
}

for (
  const [used, bits, total] of [
    [0, 16, 4101],
    [4100, 16, 4101],
    [4101, 16, 4101],
    [4102, 16, 4102],
    [65_508, 16, 65_508],
    // The root directory of FAT32 takes a cluster.
    [65_509, 32, 65_541],
    [65_540, 32, 65_541],
    [65_541, 32, 65_542],
    [131_071, 32, 131_072],
  ]
) {
  Deno.test(`${used} clusters of files are on a FAT${bits} volume with ${total}`, async () => {
    for (const blockSize of [512, 4096]) {
      const disk = await fatDisk(clusters(used), { blockSize });
      const reader = await FatReader.open(disk);
      assertEquals(
        [reader.bits, reader.clusters, reader.clusterSize],
        [bits, total, CLUSTER],
      );
      const chains = await Promise.all(
        (await reader.listRoot()).map((it) => reader.chain(it.cluster)),
      );
      assertEquals(chains.flat().length, used);
    }
  });
}

Deno.test("a root directory with more entries than FAT16 has makes it FAT32", async () => {
  const names = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, it) => [`F${it}`, ""]),
    );
  for (
    const [count, label, bits] of [
      [512, undefined, 16],
      [512, "LABEL", 32],
      [511, "LABEL", 16],
      [513, undefined, 32],
    ] as const
  ) {
    const reader = await FatReader.open(await fatDisk(names(count), { label }));
    assertEquals(reader.bits, bits);
    assertEquals((await reader.readAll()).size, count);
  }
});

Deno.test("clusters grow with the disk, up to 32 KiB", async () => {
  for (
    const [size, clusterSize] of [
      [0.49 * GIB, 4 * KIB],
      [0.51 * GIB, 8 * KIB],
      [0.99 * GIB, 8 * KIB],
      [1.01 * GIB, 16 * KIB],
      [1.99 * GIB, 16 * KIB],
      [2.01 * GIB, 32 * KIB],
      [500 * GIB, 32 * KIB],
    ]
  ) {
    for (const blockSize of [512, 4096]) {
      const disk = await fatDisk(clusters(Math.floor(size / CLUSTER)), {
        blockSize,
      });
      const reader = await FatReader.open(disk);
      assertEquals([reader.bits, reader.clusterSize], [32, clusterSize]);
    }
  }
});

Deno.test("the last bytes of a file of 4 GiB - 1, behind 100 others, are where they belong", async () => {
  const size = 2 ** 32 - 1;
  const source = Object.fromEntries(
    Array.from({ length: 101 }, (_, index) => [`F${index}`, marked(size)]),
  );
  const reader = await FatReader.open(await fatDisk({ large: source }));
  const [large] = await reader.listRoot();
  const files = await reader.list(large, 0);
  const last = files.at(-1)!;
  assertEquals([last.name, last.size], ["F100", size]);
  const perFile = 2 ** 32 / reader.clusterSize;
  const end = last.cluster + perFile - 1;
  assertEquals(await reader.entry(last.cluster), last.cluster + 1);
  assertEquals(await reader.entry(end - 1), end);
  assertEquals(await reader.entry(end), 0x0fff_ffff);
  assertEquals(await reader.entry(end + 1), 0);
  const bytes = new Uint8Array(reader.clusterSize);
  await reader.disk.read(reader.lbaOf(end), bytes);
  const expected = new Uint8Array(reader.clusterSize);
  marked(size).read(size + 1 - expected.length, expected);
  expected[expected.length - 1] = 0;
  assertEquals(bytes, expected);
});

Deno.test("more than FAT can have is refused, with what there would be", async () => {
  const many = (count: number, size: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, it) => [`F${it}`, marked(size)]),
    );
  await assertRejects(
    () => fatDisk(many(512, 2 ** 32 - 1)),
    RangeError,
    "Cannot make FAT disk: the files need 2199023288320 bytes, FAT32 has 2199023255040 at most",
  );
  // Larger blocks, larger disks
  await fatDisk(many(512, 2 ** 32 - 1), { blockSize: 4096 });
  await assertRejects(
    () => fatDisk(many(2050, 2 ** 32 - 1), { blockSize: 4096 }),
    RangeError,
    "FAT32 has 8796092137472 at most",
  );
  await fatDisk({ a: { b: many(65_534, 0) } });
  await assertRejects(
    () => fatDisk({ a: { b: many(65_535, 0) } }),
    RangeError,
    'Cannot make FAT disk: the names in "b" need 65537 entries, a directory has 65536 at most',
  );
  await assertRejects(
    () => fatDisk(many(65_537, 0)),
    RangeError,
    "the names in the root directory need 65537 entries",
  );
});
