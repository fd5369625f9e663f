/**
 * Files and folders in directoryStore(), as hosts make and change them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import { callsWith, decode, refuses } from "../support/store/calls.ts";
import {
  contentsOf,
  entriesIn,
  namesIn,
  read,
  send,
} from "../support/store/entries.ts";
import { startWriter } from "../support/store/writer.ts";

Deno.test("directoryStore() reads and changes files", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const bytes = pattern(3_000_000);
  await Deno.writeFile(`${path}/file`, bytes);
  const store = directoryStore(path);
  const file = await store.open("file");
  assertEquals(file.byteLength, 3_000_000);
  assertEquals(firstDifference(await contentsOf(file), bytes), -1);
  const part = new Uint8Array(100);
  assertEquals(await file.read(2_999_990, part), 10);
  assertEquals(part.subarray(0, 10), bytes.slice(-10));
  // Removed while it is open, it is read on.
  await store.remove!("file");
  assertEquals(await store.look("file"), undefined);
  assertEquals(firstDifference(await contentsOf(file), bytes), -1);
  file.close();
  await send(store, "file", "0123456789");
  const when = new Date(1e12);
  await Deno.utime(`${path}/file`, when, when);
  const edited = await store.edit!("file");
  assertEquals(Deno.statSync(`${path}/file`).mtime, when);
  await edited.write(8, new TextEncoder().encode("abcd"));
  await edited.resize(11);
  assertEquals(edited.byteLength, 11);
  assertEquals(decode(await contentsOf(edited)), "01234567abc");
  await edited.resize(13);
  edited.close();
  assertEquals(decode(await read(store, "file")), "01234567abc\0\0");
  for (const call of [() => store.open(""), () => store.edit!("")]) {
    await refuses("EISDIR", call);
  }
});

Deno.test("a file that is sent is not there before it is complete", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  const before = openFiles();
  const bytes = pattern(5_000_000);
  const modified = Date.UTC(1999, 11, 31, 23, 59, 59, 250);
  const file = await store.create!("new", { size: 5_000_000, modified });
  for (let at = 0; at < bytes.length; at += 1_000_000) {
    await file.write(at, bytes.slice(at, at + 1_000_000));
    assertEquals([...Deno.readDirSync(path)], []);
    assertEquals(await namesIn(store), []);
    assertEquals(await store.look("new"), undefined);
  }
  await file.commit();
  file.close();
  assertEquals(await entriesIn(store), [
    { name: "new", kind: "file", size: 5_000_000, modified },
  ]);
  assertEquals(firstDifference(Deno.readFileSync(`${path}/new`), bytes), -1);
  // Given up
  for (const options of [{}, { size: 10 }, { modified }]) {
    const other = await store.create!("other", options);
    await other.write(0, new Uint8Array(5));
    other.close();
    assertEquals(await namesIn(store), ["new"]);
  }
  // Without a size, and a time with a fraction before 1970
  const old = await store.create!("old", { modified: -1500 });
  await old.write(0, bytes);
  await old.commit();
  old.close();
  assertEquals((await store.look("old"))?.modified, -1500);
  await store.space!(); // all is closed then
  assertEquals(openFiles(), before);
});

Deno.test("permissions of what is made are those of the process", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  const umask = Deno.umask(0o027);
  try {
    await send(store, "file", "");
    await store.makeFolder!("folder");
  } finally {
    Deno.umask(umask);
  }
  assertEquals(Deno.statSync(`${path}/file`).mode! & 0o777, 0o640);
  assertEquals(Deno.statSync(`${path}/folder`).mode! & 0o777, 0o750);
});

Deno.test("directoryStore() replaces nothing", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  await send(store, "file", "first");
  await store.makeFolder!("folder");
  await store.makeFolder!("empty");
  for (const name of ["file", "folder"]) {
    await refuses("EEXIST", () => store.create!(name, {}));
    await refuses("EEXIST", () => store.makeFolder!(name));
    await refuses("EEXIST", () => store.rename!("empty", name));
    await refuses("EEXIST", () => store.rename!("file", name));
  }
  // Made by another program while it is sent
  const [one, two] = [
    await store.create!("new", {}),
    await store.create!("new", {}),
  ];
  await one.write(0, Uint8Array.of(1));
  await two.write(0, Uint8Array.of(2));
  await two.commit();
  two.close();
  const error = await refuses("EEXIST", () => one.commit());
  assert(error instanceof Deno.errors.AlreadyExists);
  one.close();
  assertEquals(await read(store, "new"), Uint8Array.of(2));
  assertEquals(decode(await read(store, "file")), "first");
  assertEquals(await namesIn(store), ["empty", "file", "folder", "new"]);
});

Deno.test("directoryStore() moves and removes files and folders", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  await store.makeFolder!("a");
  await store.makeFolder!("a/b");
  await store.makeFolder!("c");
  await send(store, "a/b/file", "content");
  await store.rename!("a/b", "c/d");
  await store.rename!("c/d/file", "file");
  await store.rename!("file", "c/d/FILE");
  assertEquals(await namesIn(store, "a"), []);
  assertEquals(decode(await read(store, "c/d/FILE")), "content");
  await refuses("ENOTEMPTY", () => store.remove!("c/d"));
  await refuses("EINVAL", () => store.rename!("c", "c/d/e"));
  await refuses("ENOENT", () => store.rename!("nothing", "x"));
  await refuses("ENOENT", () => store.rename!("c", "x/y"));
  await refuses("ENOENT", () => store.remove!("nothing"));
  await refuses("ENOENT", () => store.makeFolder!("x/y"));
  await refuses("ENOENT", () => store.create!("x/y", {}));
  for (const it of ["c/d/FILE", "c/d", "c", "a"]) await store.remove!(it);
  assertEquals(await namesIn(store), []);
});

Deno.test("directoryStore() reports the room of the file system, and refuses what does not fit", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  const { capacity, free } = await store.space!();
  const [size, used, available] = (await shell(
    `df -B1 --output=size,used,avail ${path} | tail -1`,
  )).trim().split(/\s+/).map(Number);
  assert(capacity <= size, `${capacity} of ${size}`);
  assert(free <= capacity && free > 0);
  // Other programs write meanwhile.
  assert(Math.abs(free - available) < 2 ** 30, `${free}, ${available}`);
  assert(Math.abs(capacity - free - used) < 2 ** 30);
  const error = await refuses(
    "ENOSPC",
    () => store.create!("large", { size: capacity + 1 }),
  );
  assert(error.message.includes(`it has ${capacity + 1} bytes, but only`));
  await refuses("ENAMETOOLONG", () => store.create!("x".repeat(256), {}));
  await refuses("ENAMETOOLONG", () => store.makeFolder!("😀".repeat(64)));
});

Deno.test("nothing remains of a file whose writer is killed", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const { free } = await directoryStore(path).space!();
  assert(free > 0);
  await using writer = await startWriter(path);
  const store = directoryStore(path);
  assertEquals(await namesIn(store), []);
  await writer.kill();
  assertEquals(await namesIn(store), []);
  assertEquals([...Deno.readDirSync(path)], []);
});

Deno.test("what a killed program has left unfinished is removed when its folder is listed", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const abandoned = ".usb-gadget-0123456789abcdef.part";
  const locked = ".usb-gadget-fedcba9876543210.part";
  const similar = [".usb-gadget-0.part", ".usb-gadget-0123456789abcdef.part~"];
  for (const name of [abandoned, locked, ...similar]) {
    await Deno.writeTextFile(`${path}/${name}`, "half");
  }
  await shell(`mkfifo ${path}/.usb-gadget-0000000000000000.part`);
  await Deno.mkdir(`${path}/.usb-gadget-1111111111111111.part`);
  // Another program still writes this one.
  using lock = await Deno.open(`${path}/${locked}`);
  await lock.lock(true);
  const names = () => Array.from(Deno.readDirSync(path), (it) => it.name);
  const reading = directoryStore(path, { readOnly: true });
  assertEquals(await namesIn(reading), similar);
  assertEquals(names().length, 6);
  const store = directoryStore(path);
  assertEquals(await namesIn(store), similar);
  assertEquals(names().length, 5);
  assert(!names().includes(abandoned));
  lock.unlockSync();
  assertEquals(await namesIn(store), similar);
  assert(!names().includes(locked));
  for (const name of [abandoned, locked]) {
    assertEquals(await store.look(name), undefined);
    for (const call of callsWith(store, name).slice(2, 4)) {
      await refuses("EINVAL", call);
    }
    await refuses("EINVAL", () => store.rename!(similar[0], name));
  }
});
