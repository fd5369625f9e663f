// VM: a class of device, newest kernel
/**
 * fatDisk() and the programs of others: dosfstools, mtools, and Linux's own FAT,
 * on an image and over USB.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Gadget } from "@usb/gadget";
import {
  fatDisk,
  type FatDiskOptions,
  MassStorage,
} from "@usb/gadget/mass-storage";
import { exists } from "../../ffi/file.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import {
  readTree,
  sorted,
  withMounted,
  writeImage,
} from "../support/fat/mounted.ts";
import { FatReader } from "../support/fat/reader.ts";
import { type Files, randomFiles, treeOf } from "../support/fat/trees.ts";
import { findDisk } from "../support/host/disk.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { startExample } from "../support/programs/example.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const SEED = testSeed();
const IMAGE = "/tmp/fat.img";

/** So many files with long names. */
function logs(count: number): Files {
  return Object.fromEntries(
    Array.from(
      { length: count },
      (_, it) => [`a log of day ${it}.txt`, `${it}`],
    ),
  );
}

/** Writes a disk's volume to a file. */
async function imageOf(
  files: Files,
  options: FatDiskOptions = {},
): Promise<FatReader> {
  const disk = await fatDisk(files, options);
  const reader = await FatReader.open(disk, options.partitionTable);
  await shell(`rm -f ${IMAGE}`);
  await writeImage(disk, reader.start, IMAGE);
  return reader;
}

/** Has fsck.vfat look at the image: it finds so many files, and nothing else to say. */
async function check(): Promise<void> {
  const lines = (await shell(`fsck.vfat -n ${IMAGE}`)).trim().split("\n");
  assertEquals(lines.length, 2, lines.join("\n"));
  assert(/^\/tmp\/fat\.img: \d+ files, \d+\/\d+ clusters$/.test(lines[1]));
}

for (const blockSize of [512, 4096]) {
  for (const bits of [16, 32]) {
    Deno.test(`fsck.vfat finds no fault in a random FAT${bits} volume with blocks of ${blockSize} bytes, and Linux all files`, async () => {
      await shell("modprobe -a loop vfat");
      for (let run = 0; run < soak(20, 1); run++) {
        const random = new Random(SEED + run);
        const partitionTable = random.chance();
        const count = soak(5000, 200);
        const label = random.pick([undefined, "RANDOM"]);
        const reader = await imageOf(
          {
            ...randomFiles(random, soak(2000, 100)),
            // The root directory of FAT16 has room for 512 entries.
            ...(bits === 32 ? logs(count) : { logs: logs(count) }),
          },
          { blockSize, partitionTable, label },
        );
        assertEquals(reader.bits, bits);
        await check();
        await withMounted(IMAGE, "loop", async (path) => {
          assertEquals(
            sorted(await readTree(path)),
            sorted(await reader.readAll()),
            `GADGET_SEED=${SEED}`,
          );
        });
      }
    });
  }
}

Deno.test("mtools copy all files of a volume", async () => {
  const files = {
    "readme.txt": "Grüße",
    "README": "",
    "Größe & Maß.log": "x".repeat(10_000),
    "12:00 noon": "noon",
    "a directory": { "漢字.txt": "字", deeper: { "a.b.c": "abc" }, empty: {} },
  };
  await imageOf(files, { label: "MTOOLS" });
  const text = await shell(`
    export LC_ALL=C.UTF-8
    mkdir /tmp/copied
    mcopy -s -i ${IMAGE} ::/ /tmp/copied
    mlabel -s -i ${IMAGE} ::`);
  assertEquals(text.trim(), "Volume label is MTOOLS");
  const { "12:00 noon": noon, ...others } = files;
  const copied = await readTree("/tmp/copied");
  await shell(`rm -r /tmp/copied ${IMAGE}`);
  assertEquals(
    sorted(copied),
    sorted(treeOf({ ...others, "12_00 noon": noon })),
  );
});

Deno.test("Linux shows the times of the files in the time zone of the disk", async () => {
  await shell("modprobe -a loop vfat");
  const directory = await Deno.makeTempDir();
  const path = `${directory}/file`;
  await Deno.writeTextFile(path, "");
  const modified = new Date(2024, 1, 29, 23, 59, 58);
  await Deno.utime(path, modified, modified);
  const disk = await fatDisk(directory, { partitionTable: false });
  await writeImage(disk, 0, IMAGE);
  const offset = -modified.getTimezoneOffset();
  await withMounted(IMAGE, `loop,time_offset=${offset}`, async (path) => {
    assertEquals((await Deno.stat(`${path}/file`)).mtime, modified);
  });
  await shell(`rm -r ${directory} ${IMAGE}`);
});

for (const blockSize of [512, 4096]) {
  Deno.test(`Linux mounts a directory over USB, with blocks of ${blockSize} bytes, and sees a new snapshot`, async () => {
    const before = gadgetTraces();
    await shell(`
      modprobe -a usb-storage sd_mod vfat
      echo 0 >/sys/module/usb_storage/parameters/delay_use`);
    const directory = await Deno.makeTempDir();
    {
      const write = (name: string, text: string) =>
        Deno.writeTextFile(`${directory}/${name}`, text);
      await Deno.mkdir(`${directory}/logs/older`, { recursive: true });
      await write("logs/older/a log.txt", "a".repeat(100_000));
      await write("logs/Über.txt", "über");
      await write("removed.txt", "removed");
      // Linux looks for its end in the FAT, block by block.
      const large = blockSize === 4096 ? 2 ** 32 - 1 : 2 ** 26;
      await write("large.bin", "");
      await Deno.truncate(`${directory}/large.bin`, large - 7);
      await Deno.writeTextFile(`${directory}/large.bin`, "the end", {
        append: true,
      });
      const snapshot = () => fatDisk(directory, { label: "LOGS", blockSize });
      const disk = await snapshot();
      const storage = new MassStorage({ luns: [disk] });
      await using _gadget = await Gadget.start({
        vendorId: 0x1209,
        productId: 0x0001,
        serialNumber: "000000000001",
        functions: [storage],
      });
      const size = disk.blockCount * blockSize;
      await until(() => findDisk(size) !== undefined, "Linux has the disk");
      const name = findDisk(size)!;
      const partition = `${name}1`;
      const hasPartition = () => exists(`/sys/block/${name}/${partition}`);
      await until(hasPartition, "Linux has the partition");
      const ro = await Deno.readTextFile(`/sys/block/${name}/ro`);
      assertEquals(ro.trim(), "1", "it is write-protected");

      await Deno.remove(`${directory}/removed.txt`);
      await withMounted(`/dev/${partition}`, "utf8", async (path) => {
        const read = (name: string) => Deno.readTextFile(`${path}/${name}`);
        assertEquals(await read("logs/older/a log.txt"), "a".repeat(100_000));
        assertEquals(await read("LOGS/Über.TXT"), "über");
        assertEquals((await Deno.stat(`${path}/large.bin`)).size, large);
        assertEquals(await shell(`tail -c 7 ${path}/large.bin`), "the end");
        // EIO
        await assertRejects(() => read("removed.txt"), Error, "os error 5");
        assertEquals((await read("logs/older/a log.txt")).length, 100_000);
      });

      await write("new.txt", "new");
      const [unit] = storage.luns;
      assertEquals(await unit.eject(), disk);
      unit.insert(await snapshot());
      // Linux looks when the disk is opened.
      await shell(`dd if=/dev/${name} of=/dev/null count=8 2>/dev/null`);
      await until(hasPartition, "Linux has the partition again");
      await withMounted(`/dev/${partition}`, "utf8", async (path) => {
        const names = [...Deno.readDirSync(path)].map(({ name }) => name);
        assertEquals(names.sort(), ["large.bin", "logs", "new.txt"]);
        assertEquals(await Deno.readTextFile(`${path}/new.txt`), "new");
      });
    }
    await shell(`rm -r ${directory}; modprobe -r usb-storage`);
    assertEquals(gadgetTraces(), before);
  });
}

Deno.test("examples/log_drive.ts shows a directory, and what is new when the drive was ejected", async () => {
  const before = gadgetTraces();
  await shell("modprobe -a usb-storage sd_mod vfat");
  const directory = await Deno.makeTempDir();
  {
    await Deno.writeTextFile(`${directory}/a.log`, "a");
    await using program = startExample("log_drive.ts", {
      args: [directory, "3600"],
    });
    const size = (await fatDisk(directory)).blockCount * 512;
    await until(() => findDisk(size) !== undefined, "Linux has the disk");
    const name = findDisk(size)!;
    const partition = `${name}1`;
    const hasPartition = () => exists(`/sys/block/${name}/${partition}`);
    await until(hasPartition, "Linux has the partition");
    await withMounted(`/dev/${partition}`, "utf8", async (path) => {
      assertEquals(await readTree(path), treeOf({ "a.log": "a" }));
    });
    await Deno.writeTextFile(`${directory}/b.log`, "b");
    // Linux looks for a medium, and its partitions, when the disk is opened.
    await shell(`
      eject /dev/${name}
      until dd if=/dev/${name} of=/dev/null count=8 2>/dev/null; do
        sleep 0.1
      done`);
    assert(hasPartition());
    await withMounted(`/dev/${partition}`, "utf8", async (path) => {
      const files = treeOf({ "a.log": "a", "b.log": "b" });
      assertEquals(await readTree(path), files);
    });
    const { status, text } = await program.end("SIGINT");
    assertEquals([status.signal, text], ["SIGINT", ""]);
  }
  await shell(`rm -r ${directory}; modprobe -r usb-storage`);
  assertEquals(gadgetTraces(), before);
});
