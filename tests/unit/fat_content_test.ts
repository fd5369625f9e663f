import { assert, assertEquals, assertRejects } from "@std/assert";
import { fatDisk, type FatFile, SenseError } from "@usb/gadget/mass-storage";
import { FatReader, readBlocks } from "../support/fat/reader.ts";
import { treeOf } from "../support/fat/trees.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("a computed file is read where the host reads, with the parts that it wants", async () => {
  const calls: [number, number][] = [];
  const disk = await fatDisk({
    before: "before",
    numbers: {
      size: 10_000,
      modified: new Date(2024, 1, 29, 13, 14, 15),
      async read(offset, into) {
        calls.push([offset, into.length]);
        assert(into.every((it) => it === 0));
        await Promise.resolve();
        for (let i = 0; i < into.length; i++) into[i] = (offset + i) % 251;
      },
    },
    after: { size: 3, read: (_, into) => into.set([1, 2, 3]) },
  });
  const reader = await FatReader.open(disk);
  const numbers = await reader.find("numbers");
  assertEquals(numbers.modified, [2024, 2, 29, 13, 14, 14]);
  assertEquals(calls, [], "nothing is read before the host does");
  const lba = reader.lbaOf(numbers.cluster);
  // The end of the file before, all of it, and the beginning of the next one
  const view = await readBlocks(disk, lba - 8, 8 + 24 + 1);
  const bytes = new Uint8Array(view.buffer);
  assertEquals(calls, [[0, 10_000]]);
  assertEquals(bytes.subarray(0, 7), encode("before\0"));
  assertEquals(
    bytes.subarray(4096, 14_096),
    Uint8Array.from({ length: 10_000 }, (_, index) => index % 251),
  );
  assert(bytes.subarray(14_096, 4096 + 3 * 4096).every((it) => it === 0));
  assertEquals(
    bytes.subarray(4096 + 3 * 4096).subarray(0, 4),
    Uint8Array.of(1, 2, 3, 0),
  );
  await readBlocks(disk, lba + 3, 2);
  await readBlocks(disk, lba + 19, 5);
  assertEquals(calls.slice(1), [[3 * 512, 1024], [19 * 512, 272]]);
});

Deno.test("what is in memory is read before read() returns", async () => {
  const disk = await fatDisk({ text: "text", more: { text: "text" } });
  const into = new Uint8Array(disk.blockSize * 64);
  for (let lba = 0; lba + 64 < disk.blockCount; lba += 64) {
    assertEquals(disk.read(lba, into), undefined);
  }
});

Deno.test("files are read one after another, in the order of their blocks", async () => {
  const events: string[] = [];
  const file = (name: string): FatFile => ({
    size: 4096,
    async read() {
      events.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve));
      events.push(`${name} ends`);
    },
  });
  const disk = await fatDisk({ a: file("a"), b: file("b"), c: file("c") });
  const reader = await FatReader.open(disk);
  const { cluster } = await reader.find("a");
  await readBlocks(disk, reader.lbaOf(cluster), 24);
  assertEquals(
    events,
    ["a", "b", "c"].flatMap((it) => [`${it} begins`, `${it} ends`]),
  );
});

Deno.test("what a computed file throws fails the read, and no other", async () => {
  const sense = new SenseError("unrecovered read error");
  const disk = await fatDisk({
    good: "good",
    sync: {
      size: 1,
      read() {
        throw sense;
      },
    },
    async: { size: 1, read: () => Promise.reject(sense) },
  });
  const reader = await FatReader.open(disk);
  for (const name of ["sync", "async"]) {
    const file = await reader.find(name);
    const error = await assertRejects(() => reader.readFile(file));
    assertEquals(error, sense);
  }
  assertEquals(
    await reader.readFile(await reader.find("good")),
    encode("good"),
  );
});

Deno.test("sizes are those of the beginning, whatever the source makes of them", async () => {
  const bytes = new Uint8Array(new ArrayBuffer(5, { maxByteLength: 10 }));
  bytes.fill(7);
  const file = { size: 3, read: (_: number, into: Uint8Array) => into.fill(1) };
  const disk = await fatDisk({ bytes, file: file as unknown as FatFile });
  const reader = await FatReader.open(disk);
  file.size = 100_000;
  bytes[0] = 8;
  bytes.buffer.resize(3);
  assertEquals(
    await reader.readAll(),
    treeOf({
      bytes: Uint8Array.of(8, 7, 7, 0, 0),
      file: Uint8Array.of(1, 1, 1),
    }),
  );
});
