// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Drives whose media change while Linux uses them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MassStorage, readOnly } from "@usb/gadget/mass-storage";
import { readTextFile } from "../../ffi/file.ts";
import { StorageBench } from "../support/gadgets/storage_bench.ts";
import {
  assertEmpty,
  assertSame,
  contentsOf,
  randomDisk,
  sha256,
} from "../support/disk/contents.ts";
import { MediaEvents } from "../support/disk/media_events.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";

const MIB = 1 << 20;

/** The size and the block size that a program sees, which opens the disk. */
function sizesOf(node: string): Promise<string> {
  return shell(`blockdev --getsize64 --getss --getpbsz ${node}`);
}

Deno.test("a fixed disk, an empty drive and a CD drive on one function are what they are", async () => {
  const before = gadgetTraces();
  {
    const fixed = randomDisk(4 * MIB);
    const disc = randomDisk(2 * MIB, 2048);
    const storage = new MassStorage({
      luns: [
        { medium: fixed, removable: false, product: "Fixed disk" },
        { vendor: "Example", product: "Card reader" },
        { type: "cdrom", medium: disc },
      ],
    });
    await using bench = await StorageBench.start(storage);
    const { units } = bench;
    const text = (path: string) => readTextFile(path).trim();
    assertEquals(
      units.map(({ type, name, path }) => [
        type,
        name.slice(0, 2),
        text(`/sys/block/${name}/removable`),
        text(`${path}/vendor`),
        text(`${path}/model`),
      ]),
      [
        [0, "sd", "0", "Linux", "Fixed disk"],
        [0, "sd", "1", "Example", "Card reader"],
        [5, "sr", "1", "Linux", "CD-ROM"],
      ],
    );
    const [first, empty, last] = units;
    assertEquals(await sizesOf(first.node), `${4 * MIB}\n512\n512\n`);
    assertEquals(await sizesOf(last.node), `${2 * MIB}\n2048\n2048\n`);
    await assertEmpty(empty.node);
    await Promise.all([
      assertSame(first.node, fixed),
      assertSame(last.node, disc),
    ]);

    const card = randomDisk(MIB);
    storage.luns[1].insert(card);
    await Promise.all([
      assertSame(first.node, fixed),
      assertSame(empty.node, card),
    ]);
    assertEquals(await storage.luns[2].eject(), disc);
    await assertEmpty(last.node);
    await Promise.all([
      assertSame(first.node, fixed),
      assertSame(empty.node, card),
    ]);
    assertEquals(bench.configurations, 1);
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("each medium has its own size, blocks and contents", async () => {
  const storage = new MassStorage({ luns: [{}] });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  for (
    const [size, blockSize] of [
      [4 * MIB, 512],
      [5 * MIB, 4096],
      [3 * MIB, 512],
      [3 * MIB, 512],
    ]
  ) {
    await assertEmpty(node);
    const medium = randomDisk(size, blockSize);
    drive.insert(medium);
    assertEquals(
      await sizesOf(node),
      `${size}\n${blockSize}\n${blockSize}\n`,
    );
    await assertSame(node, medium);
    // Through the page cache, into the last blocks.
    const at = size / 8192 - 1;
    await shell(`
      head -c 8192 /dev/urandom >/tmp/last
      dd if=/tmp/last of=${node} bs=8192 seek=${at} conv=fsync 2>/dev/null`);
    const last = (await contentsOf(medium)).subarray(at * 8192);
    assertEquals(last, await Deno.readFile("/tmp/last"));
    await Deno.remove("/tmp/last");
    assertEquals(await drive.eject(), medium);
  }
  // Changed at once: the host has never seen the drive empty.
  const next = randomDisk(2 * MIB, 4096);
  drive.insert(randomDisk(MIB));
  await shell(`cat ${node} >/dev/null`);
  await drive.eject();
  drive.insert(next);
  assertEquals(await sizesOf(node), `${2 * MIB}\n4096\n4096\n`);
  await assertSame(node, next);
  assertEquals(bench.configurations, 1);
});

Deno.test("Linux reports each change of a medium by itself when it polls its drives", async () => {
  const storage = new MassStorage({ luns: [{}, { type: "cdrom" }] });
  await using bench = await StorageBench.start(storage);
  await using events = await MediaEvents.watch(bench.units);
  for (const [lun, unit] of bench.units.entries()) {
    const drive = storage.luns[lun];
    const medium = randomDisk(MIB, lun === 0 ? 512 : 2048);
    for (let round = 0; round < 3; round++) {
      // A change is reported once until a program opens the disk.
      await assertEmpty(unit.node);
      await events.after(
        unit,
        "DISK_MEDIA_CHANGE",
        () => drive.insert(medium),
      );
      await assertSame(unit.node, medium);
      await events.after(unit, "DISK_MEDIA_CHANGE", () => drive.eject());
    }
  }
});

Deno.test("a write-protected medium is read-only for Linux, until another is inserted", async () => {
  const base = randomDisk(MIB);
  const before = await sha256(await contentsOf(base));
  const storage = new MassStorage({ luns: [readOnly(base), readOnly(base)] });
  await using bench = await StorageBench.start(storage);
  const { node, units: [{ name }, second] } = bench;
  const [drive] = storage.luns;
  const isReadOnly = () => readTextFile(`/sys/block/${name}/ro`).trim();
  const write = () =>
    shell(`dd if=/dev/zero of=${node} bs=4096 count=1 oflag=direct 2>&1`);
  assertEquals(isReadOnly(), "1");
  await assertSame(node, base);
  await assertRejects(write, Error, "Read-only file system");
  // Neither does the disk write what a host sends nevertheless.
  await assertRejects(
    () =>
      shell(`
        blockdev --setrw ${second.node}
        echo 0 >${second.path}/block/${second.name}/ro 2>/dev/null || :
        dd if=/dev/zero of=${second.node} bs=4096 count=1 oflag=direct 2>&1`),
    Error,
  );
  assertEquals(await sha256(await contentsOf(base)), before);

  assert(await drive.eject() !== undefined);
  const writable = randomDisk(MIB);
  drive.insert(writable);
  await write();
  assertEquals(isReadOnly(), "0");
  assertEquals(
    (await contentsOf(writable)).subarray(0, 4096),
    new Uint8Array(4096),
  );
  await drive.eject();
  drive.insert(readOnly(base));
  await assertRejects(write, Error, "Read-only file system");
  assertEquals(isReadOnly(), "1");
});
