// VM: --hcd none, any speed, newest kernel
/**
 * directoryStore() on file systems without files that have no name, on one that
 * cannot refuse to replace a file, and what it does when there is no room.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { directoryStore, type ObjectStore } from "@usb/gadget/mtp";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { loopDevice, mounted } from "../support/machine/block_devices.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import { namesIn, read, send } from "../support/store/entries.ts";
import { startWriter } from "../support/store/writer.ts";
import { until } from "../support/waiting/until.ts";

const MIB = 1 << 20;

interface FileSystem {
  readonly make: string;
  readonly mount: string;
  /** Whether a file can have no name. */
  readonly unnamed: boolean;
}

const FILE_SYSTEMS: Readonly<Record<string, FileSystem>> = {
  ext4: { make: "mkfs.ext4 -q -m 0", mount: "-t ext4", unnamed: true },
  FAT: { make: "mkfs.vfat", mount: "-t vfat -o utf8", unnamed: false },
  "NTFS in user space": {
    make: "mkntfs -qQ",
    mount: "-t ntfs-3g",
    unnamed: false,
  },
};

/** A directory on a new file system. */
async function onFileSystem(
  { make, mount }: FileSystem,
): Promise<{ path: string } & AsyncDisposable> {
  const cleanUp = new AsyncDisposableStack();
  const device = cleanUp.use(await loopDevice(16 * MIB));
  await shell(`for it in fuse vfat nls_cp437 nls_ascii nls_utf8; do
      modprobe -q $it || true
    done
    ${make} ${device.path}`);
  const { folder } = cleanUp.use(await mounted(device.path, mount));
  const path = `${folder}/root`;
  await Deno.mkdir(path);
  return { path, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
}

function realNames(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}

/** Fails unless the store has refused the call for a reason. */
async function refuses(code: string, call: () => unknown): Promise<void> {
  const error = await assertRejects(async () => await call(), Error);
  assertEquals((error as Error & { code?: string }).code, code, error.message);
}

const HIDDEN = /^\.usb-gadget-[0-9a-f]{16}\.part$/;

/** Records what a store reports. */
function record(store: ObjectStore): { reports: unknown[] } & Disposable {
  const reports: unknown[] = [];
  const watching = store.watch!((folder) => reports.push(folder));
  return { reports, [Symbol.dispose]: () => watching[Symbol.dispose]() };
}

for (const [name, fileSystem] of Object.entries(FILE_SYSTEMS)) {
  Deno.test(`a file that is sent appears when it is complete, on ${name}`, async () => {
    await using directory = await onFileSystem(fileSystem);
    const { path } = directory;
    const store = directoryStore(path);
    const before = openFiles();
    const bytes = pattern(3 * MIB);
    const modified = Date.UTC(2020, 1, 29, 12, 30, 10);
    const file = await store.create!("ü 😀", { modified });
    await file.write(0, bytes.slice(0, MIB));
    await file.write(MIB, bytes.slice(MIB));
    assertEquals(await namesIn(store), []);
    const names = realNames(path);
    assertEquals(names.length, fileSystem.unnamed ? 0 : 1);
    assert(names.every((it) => HIDDEN.test(it)), `${names}`);
    await file.commit();
    file.close();
    assertEquals(realNames(path), ["ü 😀"]);
    const entry = await store.look("ü 😀");
    assertEquals([entry?.size, entry?.modified], [3 * MIB, modified]);
    assertEquals(firstDifference(await read(store, "ü 😀"), bytes), -1);
    const other = await store.create!("other", { size: 1000 });
    await other.write(0, new Uint8Array(1000));
    other.close();
    assertEquals(realNames(path), ["ü 😀"]);
    assertEquals(openFiles(), before);
  });

  Deno.test(`nothing remains of a file whose writer is killed, on ${name}`, async () => {
    await using directory = await onFileSystem(fileSystem);
    const { path } = directory;
    const store = directoryStore(path);
    await using writer = await startWriter(path);
    const { free } = await store.space!();
    const left = fileSystem.unnamed ? 0 : 1;
    // Listed while it is alive, it stays.
    assertEquals(await namesIn(store), []);
    assertEquals(realNames(path).length, left);
    await writer.kill();
    assertEquals(realNames(path).length, left);
    assertEquals(await namesIn(store), []);
    assertEquals(realNames(path), []);
    assert((await store.space!()).free > free);
  });

  Deno.test(`directoryStore() replaces nothing on ${name}`, async () => {
    await using directory = await onFileSystem(fileSystem);
    const { path } = directory;
    const store = directoryStore(path);
    await send(store, "one", "1");
    await send(store, "two", "2");
    for (const folder of ["full", "empty", "full/x"]) {
      await store.makeFolder!(folder);
    }
    for (const from of ["one", "empty", "full"]) {
      for (const to of ["two", "full/x", "empty", "full"]) {
        if (from === to || to.startsWith(`${from}/`)) continue;
        await refuses("EEXIST", () => store.rename!(from, to));
      }
    }
    const late = await store.create!("late", {});
    await late.write(0, new Uint8Array(5));
    await Deno.writeTextFile(`${path}/late`, "earlier");
    await refuses("EEXIST", () => late.commit());
    late.close();
    assertEquals(realNames(path), ["empty", "full", "late", "one", "two"]);
    assertEquals(Deno.readTextFileSync(`${path}/late`), "earlier");
    assertEquals(Deno.readTextFileSync(`${path}/two`), "2");
    // Moved where nothing is
    await store.rename!("one", "full/x/1");
    await store.rename!("full/x", "X Y");
    await refuses("EINVAL", () => store.rename!("X Y", "X Y/z"));
    await refuses("ENOENT", () => store.rename!("one", "three"));
    assertEquals(Deno.readTextFileSync(`${path}/X Y/1`), "1");
    assertEquals(realNames(`${path}/full`), []);
  });

  Deno.test(`a file for which there is no room is given up, on ${name}`, async () => {
    await using directory = await onFileSystem(fileSystem);
    const { path } = directory;
    const store = directoryStore(path);
    const before = await store.space!();
    const [used, available] = (await shell(
      `df -B1 --output=used,avail ${path} | tail -1`,
    )).trim().split(/\s+/).map(Number);
    assertEquals(before, { capacity: used + available, free: available });
    await refuses("ENOSPC", () => store.create!("a", { size: available + 1 }));
    const file = await store.create!("a", {});
    const piece = pattern(MIB);
    await refuses("ENOSPC", async () => {
      for (let n = 0; n < 17; n++) await file.write(n * MIB, piece);
    });
    file.close();
    assertEquals(realNames(path), []);
    // Ext4 frees it a moment later.
    await shell("sync");
    const { free } = await store.space!();
    assert(free > before.free - MIB, `${free} of ${before.free}`);
  });

  Deno.test(`watch() reports what other programs do, and only that, on ${name}`, async () => {
    await using directory = await onFileSystem(fileSystem);
    const { path } = directory;
    const store = directoryStore(path);
    for (const folder of ["a", "b", "last"]) await store.makeFolder!(folder);
    using recorded = record(store);
    const { reports } = recorded;
    for (const folder of ["", "a", "b", "last"]) await namesIn(store, folder);
    await send(store, "a/sent", "content", 1e12);
    await store.rename!("a/sent", "b/moved");
    await store.rename!("a", "c");
    await store.remove!("b/moved");
    await Deno.writeTextFile(`${path}/last/1`, "");
    await until(() => reports.includes("last"), "it is reported");
    assertEquals(new Set(reports.splice(0)), new Set(["last"]));
    await shell(`cd ${path}; echo > c/1; mv c/1 b/1; echo > last/2`);
    await until(() => reports.includes("last"), "it is reported");
    assertEquals(new Set(reports), new Set(["b", "c", "last"]));
  });
}

Deno.test("folders beyond the limit of watches are listed, and not reported on", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const limit = "/proc/sys/fs/inotify/max_user_watches";
  const store = directoryStore(path);
  for (const folder of ["a", "b", "c"]) await store.makeFolder!(folder);
  using recorded = record(store);
  const { reports } = recorded;
  const before = await Deno.readTextFile(limit);
  await Deno.writeTextFile(limit, "2");
  try {
    assertEquals(await namesIn(store), ["a", "b", "c"]);
    for (const folder of ["a", "b"]) {
      assertEquals(await namesIn(store, folder), []);
    }
  } finally {
    await Deno.writeTextFile(limit, before);
  }
  await namesIn(store, "c");
  for (const folder of ["a", "b", "c"]) {
    await Deno.writeTextFile(`${path}/${folder}/1`, "");
  }
  await until(() => reports.includes("c"), "it is reported");
  assertEquals(reports, ["a", "c"]);
});

Deno.test("watch() reports a folder whose file system is unmounted", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/card`);
  const store = directoryStore(path);
  using recorded = record(store);
  const { reports } = recorded;
  await shell(`mount -t tmpfs none ${path}/card; mkdir ${path}/card/photos`);
  await namesIn(store, "card");
  await namesIn(store, "card/photos");
  await shell(`umount ${path}/card`);
  await until(() => reports.includes("card/photos"), "it is reported");
  assertEquals(reports.splice(0), ["card", "card/photos"]);
  await namesIn(store, "card");
  await Deno.writeTextFile(`${path}/card/1`, "");
  await until(() => reports.includes("card"), "it is reported");
});

Deno.test("moving to another file system fails with EXDEV", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/card`);
  await shell(`mount -t tmpfs none ${path}/card`);
  try {
    const store = directoryStore(path);
    await send(store, "file", "content");
    await refuses("EXDEV", () => store.rename!("file", "card/file"));
    await send(store, "card/file", "content");
    assertEquals(await namesIn(store, "card"), ["file"]);
  } finally {
    await shell(`umount ${path}/card`);
  }
});
