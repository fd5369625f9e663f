// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * CD drives, with Linux's sr and isofs as their host, and discs that xorriso makes.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import {
  type BlockDevice,
  fileDisk,
  MassStorage,
} from "@usb/gadget/mass-storage";
import {
  type ImageFolder,
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import { assertEmpty } from "../support/disk/contents.ts";
import { MediaEvents } from "../support/disk/media_events.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";

const MIB = 1 << 20;

/** Makes a disc with a file of random bytes on it, and returns its path. */
async function makeDisc(
  { path }: ImageFolder,
  name: string,
  size: number,
): Promise<string> {
  await shell(`
    cd ${path}
    mkdir ${name}
    head -c ${size} /dev/urandom >${name}/data
    xorriso -as mkisofs -quiet -R -V ${name} -o ${name}.iso ${name}`);
  return `${path}/${name}.iso`;
}

function disc(path: string) {
  return fileDisk(path, { blockSize: 2048, readOnly: true });
}

Deno.test("a disc with the files of a kernel mounts, with the names of Rock Ridge and of Joliet", async () => {
  const before = gadgetTraces();
  {
    await using images = await makeImageFolder();
    const files = await images.folder("files");
    const mount = await images.folder("mount");
    await shell(`
      cd ${files}
      kernel=/lib/modules/$(uname -r)
      cp -r $kernel/modules.* $kernel/kernel/drivers/usb/storage .
      cp -r $kernel/kernel/fs/isofs "a folder, Ünïcode"
      head -c 1000000 /dev/urandom >"A file with a long name, 日本語.data"
      : >empty
      ln -s modules.dep link
      chmod 700 empty
      cd ..
      xorriso -as mkisofs -quiet -R -J -joliet-long -input-charset utf-8 \\
        -output-charset utf-8 -V BOOT -o iso files`);
    using medium = disc(`${images.path}/iso`);
    await using bench = await StorageBench.start(
      new MassStorage({ luns: [{ type: "cdrom", medium }] }),
    );
    await shell(`
      cd ${images.path}
      cmp iso ${bench.node}
      mount -t iso9660 -o ro ${bench.node} mount
      diff -r --no-dereference files ${mount}
      test "$(stat -c %a mount/empty)" = 700
      umount mount
      mount -t iso9660 -o ro,norock,iocharset=utf8 ${bench.node} mount
      diff -r -x link files ${mount}
      umount mount`);
    assertEquals(bench.configurations, 1);
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("an empty drive gets discs, and each one is read, whatever was in it before", async () => {
  await using images = await makeImageFolder();
  const storage = new MassStorage({ luns: [{ type: "cdrom" }] });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  await assertEmpty(node);
  for (const size of [3, 1, 2]) {
    const path = await makeDisc(images, `disc${size}`, size * MIB);
    using medium = disc(path);
    drive.insert(medium);
    // Once more without the page cache: the host has forgotten the last disc.
    await shell(`
      cmp ${path} ${node}
      dd if=${node} bs=64k iflag=direct 2>/dev/null | cmp - ${path}`);
    assertEquals(await drive.eject(), medium);
    assertEquals(drive.medium, undefined);
    await assertEmpty(node);
  }
  assertEquals(bench.configurations, 1);
});

Deno.test("eject() waits while the disc is mounted, and the host sees that it is wanted", async () => {
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  using medium = disc(await makeDisc(images, "disc", MIB));
  const storage = new MassStorage({ luns: [{ type: "cdrom", medium }] });
  await using bench = await StorageBench.start(storage);
  const { node, units } = bench;
  const [drive] = storage.luns;
  assertEquals(drive.locked, false);
  await shell(`mount -o ro ${node} ${mount}`);
  assertEquals(drive.locked, true);

  await using events = await MediaEvents.watch(units);
  let ejecting: Promise<BlockDevice | undefined> | undefined;
  let ejected = false;
  await events.after(units[0], "DISK_EJECT_REQUEST", () => {
    ejecting = drive.eject().finally(() => ejected = true);
  });
  await shell(`cmp ${images.path}/disc/data ${mount}/data`);
  assertEquals([ejected, drive.medium], [false, medium]);
  await events.after(
    units[0],
    "DISK_MEDIA_CHANGE",
    () => shell(`umount ${mount}`),
  );
  assertEquals(await ejecting, medium);
  assertEquals(drive.locked, false);
  await assertEmpty(node);

  await events.after(
    units[0],
    "DISK_MEDIA_CHANGE",
    () => drive.insert(medium),
  );
  await shell(`cmp ${medium.path} ${node}`);
});

Deno.test("the host ejects a disc that it does not use, and onEject() gets it", async () => {
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  using medium = disc(await makeDisc(images, "disc", MIB));
  const ejected: BlockDevice[] = [];
  const storage = new MassStorage({
    luns: [{
      type: "cdrom",
      medium,
      onEject: (medium) => ejected.push(medium),
    }],
  });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  // By the command alone, which a lock forbids; then by a program that unmounts
  // the disc before.
  await shell(`mount -o ro ${node} ${mount}`);
  const eject = () => shell(`sg_start --readonly --eject ${node} 2>&1`);
  await assertRejects(eject, Error);
  assertEquals([ejected, drive.medium], [[], medium]);
  await shell(`umount ${mount}`);
  await eject();
  assertEquals([ejected, drive.medium], [[medium], undefined]);
  await assertEmpty(node);

  drive.insert(medium);
  await shell(`
    mount -o ro ${node} ${mount}
    eject ${node} 2>&1
    if mountpoint -q ${mount}; then exit 1; fi`);
  assertEquals(ejected, [medium, medium]);
  assertEquals(drive.medium, undefined);
  // What the program ejects is no news for it.
  drive.insert(medium);
  assertEquals(await drive.eject(), medium);
  assertEquals(ejected.length, 2);
});

Deno.test("a disc that is larger than a CD is a DVD, which is read to its end", async () => {
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  const path = await makeDisc(images, "disc", MIB);
  const cd = disc(path);
  const storage = new MassStorage({ luns: [{ type: "cdrom", medium: cd }] });
  await using bench = await StorageBench.start(storage);
  const [drive] = storage.luns;
  const toc = async () => {
    const text = await shell(`xorriso -outdev ${bench.node} -toc 2>&1`);
    return /^Media current: (.*)$/m.exec(text)?.[1] ?? text;
  };
  assertEquals(await toc(), "CD-ROM");
  await drive.eject();
  cd.close();

  const size = 4_700_372_992;
  await shell(`
    cd ${images.path}
    truncate -s ${size} disc.iso
    head -c 2048 disc/data | dd of=disc.iso bs=2048 conv=notrunc \\
      seek=${size / 2048 - 1} 2>/dev/null`);
  using dvd = disc(path);
  drive.insert(dvd);
  assertEquals(await toc(), "DVD-ROM");
  await shell(`
    cd ${images.path}
    test $(blockdev --getsize64 ${bench.node}) = ${size}
    mount -o ro ${bench.node} ${mount}
    cmp disc/data ${mount}/data
    umount ${mount}
    dd if=${bench.node} bs=2048 skip=${size / 2048 - 1} 2>/dev/null |
      cmp -n 2048 - disc/data`);
});
