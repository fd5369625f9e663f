// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Disks with bad blocks: which of them programs notice, and that Linux does not
 * reset the device for them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type BlockDevice,
  faultyDisk,
  MassStorage,
  memoryDisk,
} from "@usb/gadget/mass-storage";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import {
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import { shell } from "../support/machine/shell.ts";

const BLOCK = 512;
const SIZE = 8 << 20;
/** The first block, neighbours, and one in the middle of nowhere. */
const BAD = [0, 63, 64, 255, 391];
/** As many as are looked at one by one. */
const COUNT = 400;

/** A disk that Linux has, and an empty folder. */
interface Run {
  readonly bench: StorageBench;
  readonly folder: string;
  /** Runs a script in the folder, and returns its exit code and its output. */
  attempt(script: string): Promise<[code: number, text: string]>;
}

/** A disk in memory, full of a pattern, with a way to look at its blocks. */
function patternDisk() {
  const contents = pattern(SIZE);
  const memory = memoryDisk(contents);
  return {
    // Linux flushes it.
    memory: { ...memory, flush() {} },
    contents,
    stored(lba: number, count: number): Uint8Array {
      const bytes = new Uint8Array(count * BLOCK);
      memory.read(lba, bytes);
      return bytes;
    },
  };
}

/** Starts a disk. */
async function withDisk(
  medium: BlockDevice,
  test: (run: Run) => Promise<void>,
): Promise<void> {
  await using images = await makeImageFolder();
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [medium] }),
  );
  await test({
    bench,
    folder: images.path,
    async attempt(script) {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", script],
        cwd: images.path,
        env: { LC_ALL: "C" },
      }).output();
      const decoder = new TextDecoder();
      return [code, decoder.decode(stdout) + decoder.decode(stderr)];
    },
  });
  assertEquals(bench.configurations, 1, "the host has reset the device");
}

/** Fails unless a file has these contents. */
async function assertFile(path: string, expected: Uint8Array): Promise<void> {
  const difference = firstDifference(await Deno.readFile(path), expected);
  assertEquals(
    difference,
    -1,
    `byte ${difference % BLOCK} of block ${Math.floor(difference / BLOCK)}`,
  );
}

Deno.test("blocks that cannot be read are the only ones that dd misses, in transfers of any size", async () => {
  const { memory, contents } = patternDisk();
  const disk = faultyDisk(memory, { rules: [] });
  await withDisk(disk, async ({ bench, folder, attempt }) => {
    // Linux reads ahead in pieces that fail as a whole.
    await shell(`blockdev --setra 0 ${bench.node}`);
    disk.rules = BAD.map((lba) => ({ operation: "read", lba }));
    for (
      const [blocks, flag, message] of [
        [1, "direct", /No data available/g], // ENODATA: there is none to be had
        [8, "direct", /No data available/g],
        [8, "sync", /Input\/output error/g], // the page cache makes it EIO
      ] as const
    ) {
      // Zeros in place of what has not come.
      const [, text] = await attempt(
        `dd if=${bench.node} of=read bs=${blocks * BLOCK} count=${
          COUNT / blocks
        } iflag=${flag} conv=noerror,sync`,
      );
      const expected = contents.slice(0, COUNT * BLOCK);
      const transfers = new Set<number>();
      for (const lba of BAD) {
        const start = lba - lba % blocks;
        transfers.add(start);
        // A direct transfer that fails has brought what comes before the block.
        const first = flag === "direct" ? lba : start;
        expected.fill(0, first * BLOCK, (start + blocks) * BLOCK);
      }
      assertEquals(text.match(message)?.length, transfers.size, text);
      await assertFile(`${folder}/read`, expected);
    }
    // One large transfer gives what comes before the bad block, or nothing.
    const [code, text] = await attempt(
      `dd if=${bench.node} of=read bs=64k skip=1 count=2 iflag=direct`,
    );
    assertEquals(code, 1, text);
    assertMatch(text, /No data available/);
    assert(disk.faults.some(({ lba }) => lba === 255));
    // Healed, all is there.
    disk.rules = [];
    await shell(`
      dd if=${bench.node} of=${folder}/read bs=64k iflag=direct 2>&1`);
    await assertFile(`${folder}/read`, contents);
  });
});

Deno.test("blocks that cannot be written are the only ones that dd does not write", async () => {
  const { memory, contents, stored } = patternDisk();
  const disk = faultyDisk(memory, { rules: [] });
  await withDisk(disk, async ({ bench, folder, attempt }) => {
    await Deno.writeFile(`${folder}/zeros`, new Uint8Array(64 * BLOCK));
    disk.rules = [{ operation: "write", lba: 100 }];
    for (const lba of [99, 100, 101]) {
      const [code, text] = await attempt(
        `dd if=zeros of=${bench.node} bs=512 seek=${lba} count=1 oflag=direct`,
      );
      assertEquals(code, lba === 100 ? 1 : 0, text);
      if (lba === 100) assertMatch(text, /Input\/output error/);
    }
    const expected = contents.slice(99 * BLOCK, 102 * BLOCK);
    expected.fill(0, 0, BLOCK);
    expected.fill(0, 2 * BLOCK);
    assertEquals(stored(99, 3), expected);
    // In the middle of a transfer: what comes before it is written.
    const [code, text] = await attempt(
      `dd if=zeros of=${bench.node} bs=32k seek=1 count=1 oflag=direct`,
    );
    assertEquals(code, 1, text);
    assertEquals(stored(64, 36), new Uint8Array(36 * BLOCK));
    assertEquals(stored(100, 1), contents.slice(100 * BLOCK, 101 * BLOCK));
  });
});

Deno.test("programs that write through the page cache get the error from fsync", async () => {
  const { memory } = patternDisk();
  const disk = faultyDisk(memory, { rules: [] });
  await withDisk(disk, async ({ bench, attempt }) => {
    for (
      const rule of [{ operation: "write", lba: 24 }, {
        operation: "flush",
      }] as const
    ) {
      disk.rules = [rule];
      const [code, text] = await attempt(
        `dd if=/dev/zero of=${bench.node} bs=4k seek=2 count=4 conv=fsync,notrunc`,
      );
      assertEquals(code, 1, text);
      assertMatch(text, /fsync failed.*: Input\/output error/);
      disk.rules = [];
      await shell(
        `dd if=/dev/zero of=${bench.node} bs=4k seek=2 count=4 conv=fsync,notrunc 2>&1`,
      );
    }
  });
});

Deno.test("a bad block under a file system costs the file that it belongs to, and no other", async () => {
  const { memory } = patternDisk();
  const disk = faultyDisk(memory, { rules: [] });
  await withDisk(disk, async ({ bench, folder, attempt }) => {
    await Deno.writeFile(`${folder}/data`, pattern(100_000));
    const blocks = await shell(`
      cd ${folder}
      mkdir mount
      mkfs.ext4 -q -b 1024 ${bench.node}
      mount ${bench.node} mount
      cp data mount/first
      cp data mount/second
      umount mount
      debugfs -R "blocks /first" ${bench.node} 2>/dev/null`);
    // Of the file's blocks of 1 KiB, the 50th has a bad second half.
    const bad = Number(blocks.trim().split(/\s+/)[50]) * 2 + 1;
    disk.rules = [{ operation: "read", lba: bad }];
    await shell(`mount ${bench.node} ${folder}/mount`);
    const [code, text] = await attempt("cmp data mount/first");
    assertEquals(code, 2);
    assertMatch(text, /Input\/output error/);
    await shell(`
      cd ${folder}
      cmp data mount/second
      cmp -n 40000 data mount/first
      umount mount
      fsck.ext4 -fn ${bench.node} 2>&1`);
    assert(disk.faults.every(({ lba }) => lba === bad));
  });
});
