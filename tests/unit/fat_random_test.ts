import { assert, assertEquals } from "@std/assert";
import { fatDisk } from "@usb/gadget/mass-storage";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { FatReader, type FoundTree } from "../support/fat/reader.ts";
import { type Files, randomFiles } from "../support/fat/trees.ts";

const SEED = testSeed();

/** Runs a check on random trees. A failure reports the seed that repeats it. */
async function forAll(
  runs: number,
  check: (random: Random) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < runs; i++) {
    const seed = (SEED + i) >>> 0;
    try {
      await check(new Random(seed));
    } catch (cause) {
      throw new Error(`Fails with GADGET_SEED=${seed}`, { cause });
    }
  }
}

/** Whether FAT can have a name as it is. */
function isLegal(name: string): boolean {
  return name.isWellFormed() &&
    // deno-lint-ignore no-control-regex -- they are not legal
    !/[\u0000-\u001f"*:<>?\\|\uffff]|[. ]$/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$) *(\.|$)/i.test(name);
}

/** Whether both have the same files in the same order, whatever their names. */
function assertSame(found: FoundTree, files: Files): void {
  const names = Object.keys(files);
  assertEquals(found.size, names.length);
  const keys = names.map((it) => it.normalize("NFC").toUpperCase());
  for (const [index, [name, content]] of [...found].entries()) {
    const original = names[index];
    const isOnly = keys.indexOf(keys[index]) === keys.lastIndexOf(keys[index]);
    if (isLegal(original) && isOnly) {
      // What ignores the case of more characters than toUpperCase() is rare.
      assert(
        name === original || /[İıſK]/.test(original),
        `${original} is ${name}`,
      );
    }
    const file = files[original];
    if (content instanceof Uint8Array) assertEquals(content, file);
    else assertSame(content, file as Files);
  }
}

Deno.test("a random tree is on the disk with all of its files", async () => {
  await forAll(60, async (random) => {
    const files = randomFiles(random, 300);
    const partitionTable = random.chance();
    const disk = await fatDisk(files, {
      label: random.pick([undefined, "LABEL"]),
      partitionTable,
      blockSize: random.pick([512, 4096]),
    });
    const reader = await FatReader.open(disk, partitionTable);
    assertEquals(reader.bits, 16);
    assertSame(await reader.readAll(), files);
  });
});

Deno.test("a random tree with thousands of names in one directory is on a FAT32 volume", async () => {
  await forAll(3, async (random) => {
    const many: Record<string, string> = {};
    for (let i = 0; i < 4000; i++) {
      const [name] = Object.keys(randomFiles(random, 1));
      many[`${name ?? "none"}${random.chance() ? i : ""}`] = `${i}`;
    }
    const encoded = Object.fromEntries(
      Object.entries(many).map((
        [name, text],
      ) => [name, new TextEncoder().encode(text)]),
    );
    const reader = await FatReader.open(await fatDisk(many));
    assertEquals(reader.bits, 32);
    assertSame(await reader.readAll(), encoded);
  });
});

Deno.test("blocks are the same, however many are read at once", async () => {
  await forAll(10, async (random) => {
    const blockSize = random.pick([512, 4096]);
    const disk = await fatDisk(randomFiles(random, 60), { blockSize });
    const whole = new Uint8Array(blockSize * disk.blockCount);
    await disk.read(0, whole);
    for (let lba = 0; lba < disk.blockCount;) {
      const most = random.chance(0.1) ? disk.blockCount : 64;
      const count = Math.min(random.int(1, most), disk.blockCount - lba);
      const part = new Uint8Array(count * blockSize).fill(0xa5);
      await disk.read(lba, part);
      const at = lba * blockSize;
      assertEquals(part, whole.subarray(at, at + part.length));
      lba += count;
    }
  });
});
