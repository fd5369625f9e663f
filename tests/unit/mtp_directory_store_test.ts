import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import type { DirectoryStoreOptions, ObjectStore } from "@usb/gadget/mtp";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import {
  contentsOf,
  entriesIn,
  namesIn,
  read,
  send,
} from "../support/store/entries.ts";
import { startWriter } from "../support/store/writer.ts";
import { soak } from "../support/run/soak.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const decode = (bytes: Uint8Array) => decoder.decode(bytes);

/** Names that file systems of Linux have, and others perhaps not. */
const AWKWARD = [
  "😀 emoji 👩‍👩‍👧.jpg",
  "e\u0301 combining",
  "\u00e9 composed",
  "x".repeat(255),
  "ü".repeat(127),
  ".hidden",
  "...",
  "-rf *",
  "trailing space ",
  " ",
  "line\nbreak",
  'C:\\windows?"<>|',
  "\ufffd",
  "\ufeffbom",
];

/** Fails unless the store has refused the call for a reason. */
async function refuses(code: string, call: () => unknown): Promise<Error> {
  const error = await assertRejects(async () => await call(), Error);
  assertEquals((error as Error & { code?: string }).code, code, error.message);
  return error;
}

/** Every call with one path. */
function callsWith(store: ObjectStore, path: string): (() => unknown)[] {
  return [
    async () => await namesIn(store, path),
    () => store.open(path),
    () => store.create!(path, {}),
    () => store.makeFolder!(path),
    () => store.remove!(path),
    () => store.edit!(path),
    () => store.rename!(path, "other"),
  ];
}

Deno.test("directoryStore() lists files and folders at any depth", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/music/live`, { recursive: true });
  await Deno.writeTextFile(`${path}/music/live/1.mp3`, "123");
  await Deno.writeTextFile(`${path}/readme`, "");
  const when = new Date("2001-02-03T04:05:06.789Z");
  for (const name of ["music/live/1.mp3", "music/live", "readme", "music"]) {
    await Deno.utime(`${path}/${name}`, when, when);
  }
  const store = directoryStore(path);
  const modified = when.getTime();
  const music = { name: "music", kind: "folder", size: 0, modified } as const;
  const song = { name: "1.mp3", kind: "file", size: 3, modified } as const;
  assertEquals(await entriesIn(store), [
    music,
    { name: "readme", kind: "file", size: 0, modified },
  ]);
  assertEquals(await namesIn(store, "music"), ["live"]);
  assertEquals(await entriesIn(store, "music/live"), [song]);
  assertEquals(await store.look("music"), music);
  assertEquals(await store.look("music/live/1.mp3"), song);
  const root = await store.look("");
  assertEquals([root?.name, root?.kind], ["", "folder"]);
  for (const missing of ["nothing", "music/2", "readme/x", "a/b/c"]) {
    assertEquals(await store.look(missing), undefined);
  }
});

Deno.test("directoryStore() has every name that Linux has", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const store = directoryStore(path);
  await store.makeFolder!("sent");
  for (const name of AWKWARD) {
    await store.makeFolder!(name);
    await send(store, `${name}/${name}`, name);
    await store.rename!(`${name}/${name}`, `sent/${name}`);
  }
  const sorted = AWKWARD.toSorted();
  assertEquals(await namesIn(store, "sent"), sorted);
  assertEquals(
    Array.from(Deno.readDirSync(`${path}/sent`), ({ name }) => name).sort(),
    sorted,
  );
  for (const name of AWKWARD) {
    assertEquals(decode(await read(store, `sent/${name}`)), name);
    await store.remove!(`sent/${name}`);
    await store.remove!(name);
  }
  assertEquals(await namesIn(store), ["sent"]);
});

Deno.test("directoryStore() has names that are not UTF-8, and no second name for a file", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await shell(`cd ${path}
    folder=$(printf 'B\\374cher')
    mkdir "$folder" outside
    printf latin > "$folder/$(printf 'Gr\\374\\337e.txt')"
    printf utf8 > é`);
  const store = directoryStore(path);
  const folder = "B\udcfccher";
  assertEquals(await namesIn(store), [folder, "outside", "é"]);
  const file = `${folder}/Gr\udcfc\udcdfe.txt`;
  assertEquals(decode(await read(store, file)), "latin");
  await store.rename!(file, "outside/Gr\udcfc");
  assertEquals(await shell(`cat ${path}/outside/Gr?`), "latin");
  // Other surrogates have the lower byte of "/", ".", NUL or half of "é".
  const wrong = [
    "\udc2e\udc2e",
    "\udc2e\udc2e\udc2fx",
    "x\ud800",
    "\ud82e",
    "\udcc3\udca9",
    "outside\udc2f\udc2e\udc2e",
  ];
  for (const name of wrong) {
    for (const call of callsWith(store, name)) await refuses("EINVAL", call);
    for (const call of callsWith(store, `outside/${name}`)) {
      await refuses("EINVAL", call);
    }
    await refuses("EINVAL", () => store.look(name));
    await refuses("EINVAL", () => store.rename!("é", name));
  }
});

Deno.test("directoryStore() refuses names that lead elsewhere", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/root`;
  await Deno.mkdir(`${path}/folder`, { recursive: true });
  await Deno.writeTextFile(`${directory.path}/secret`, "secret");
  await Deno.writeTextFile(`${path}/file`, "");
  const store = directoryStore(path);
  for (
    const wrong of [
      "..",
      ".",
      "../secret",
      "folder/..",
      "folder/../../secret",
      "/etc/passwd",
      "//",
      "folder//x",
      "folder/",
      "x\0y",
      `${directory.path}/secret`,
    ]
  ) {
    for (const call of callsWith(store, wrong)) await refuses("EINVAL", call);
    await refuses("EINVAL", () => store.look(wrong));
    await refuses("EINVAL", () => store.rename!("file", wrong));
  }
  for (const call of callsWith(store, "").slice(2, 5)) {
    await refuses("EINVAL", call);
  }
  const error = await refuses("EINVAL", () => store.open("../secret"));
  assertEquals(
    error.message,
    `Cannot look up file: ".." is no name of a file: ${path}/../secret`,
  );
  assertEquals(await namesIn(store), ["file", "folder"]);
});

Deno.test("directoryStore() has no links and no special files", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/root`;
  const outside = `${directory.path}/outside`;
  await Deno.mkdir(path);
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/secret`, "secret");
  await Deno.writeTextFile(`${path}/good`, "good");
  const links = ["file", "folder", "broken", "absolute"];
  await Deno.symlink("good", `${path}/file`);
  await Deno.symlink("../outside", `${path}/folder`);
  await Deno.symlink("nothing", `${path}/broken`);
  await Deno.symlink(outside, `${path}/absolute`);
  await shell(`mkfifo ${path}/fifo`);
  using _socket = Deno.listen({ transport: "unix", path: `${path}/socket` });
  const store = directoryStore(path);
  assertEquals(await namesIn(store), ["good"]);
  for (const name of [...links, "fifo", "socket"]) {
    assertEquals(await store.look(name), undefined);
    const error = await assertRejects(async () => await namesIn(store, name));
    assert(error instanceof Deno.errors.NotADirectory);
    await refuses("ENOENT", () => store.open(name));
    await refuses("ENOENT", () => store.edit!(name));
    await refuses("EEXIST", () => store.create!(name, {}));
    await refuses("EEXIST", () => store.makeFolder!(name));
    await refuses("ENOENT", () => store.remove!(name));
    await refuses("ENOENT", () => store.rename!(name, "other"));
    await refuses("EEXIST", () => store.rename!("good", name));
  }
  for (const name of ["folder", "absolute"]) {
    assertEquals(await store.look(`${name}/secret`), undefined);
    for (const call of callsWith(store, `${name}/secret`)) {
      await refuses("ENOTDIR", call);
    }
    await refuses("ENOTDIR", () => store.rename!("good", `${name}/good`));
  }
  assertEquals([...Deno.readDirSync(outside)].length, 1);
  assertEquals([...Deno.readDirSync(path)].length, 7);
});

Deno.test("directoryStore() does not follow a link that takes the place of a folder", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/root`;
  const outside = `${directory.path}/outside`;
  await Deno.mkdir(`${path}/folder`, { recursive: true });
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/file`, "secret");
  await Deno.writeTextFile(`${path}/folder/file`, "public");
  const store = directoryStore(path);
  assertEquals(await namesIn(store, "folder"), ["file"]);
  const half = await store.create!("folder/half", {});
  await Deno.rename(`${path}/folder`, `${path}/moved`);
  await Deno.symlink(outside, `${path}/folder`);
  assertEquals(await store.look("folder/file"), undefined);
  for (const call of callsWith(store, "folder/file").slice(1)) {
    await refuses("ENOTDIR", call);
  }
  // What was begun in a folder ends in it.
  await half.write(0, new Uint8Array(3));
  await half.commit();
  half.close();
  assertEquals(await namesIn(store, "moved"), ["file", "half"]);
  assertEquals([...Deno.readDirSync(outside)].length, 1);
  // The root itself
  await Deno.rename(path, `${directory.path}/old`);
  await Deno.symlink(outside, path);
  assertEquals(await store.look("file"), undefined);
  await assertRejects(async () => await namesIn(store));
  await assertRejects(async () => await store.create!("new", {}));
  assertEquals([...Deno.readDirSync(outside)].length, 1);
});

Deno.test("directoryStore() stays inside while links and folders change places", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/root`;
  const outside = `${directory.path}/outside`;
  await Deno.mkdir(`${path}/folder`, { recursive: true });
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/file`, "secret");
  await Deno.writeTextFile(`${path}/folder/file`, "public");
  const store = directoryStore(path);
  await Deno.writeTextFile(`${directory.path}/run`, "");
  const swapper = new Deno.Command("sh", {
    args: [
      "-c",
      `cd ${path}; ln -s ${outside} link
      while [ -e ../run ]; do
        mv -T folder real; mv -T link folder; mv -T folder link; mv -T real folder
      done`,
    ],
    stderr: "null",
  }).spawn();
  let successes = 0;
  let failures = 0;
  try {
    for (let round = 0; successes < soak(5000, 100) || failures < 20; round++) {
      const name = `folder/${round}`;
      try {
        assertEquals(decode(await read(store, "folder/file")), "public");
        await send(store, name, "sent");
        await store.makeFolder!(`${name}.d`);
        await store.rename!(name, `${name}.d/x`);
        await store.remove!(`${name}.d/x`);
        successes++;
      } catch (error) {
        failures++;
        const { code } = error as { code?: string };
        assert(code === "ENOENT" || code === "ENOTDIR", `${error}`);
      }
    }
  } finally {
    await Deno.remove(`${directory.path}/run`);
    await swapper.status;
  }
  assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name), [
    "file",
  ]);
});

Deno.test("directoryStore() lists a large folder piece by piece", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  for (let i = 0; i < 3000; i++) await Deno.writeFile(`${path}/${i}`, NOTHING);
  const store = directoryStore(path);
  assertEquals((await entriesIn(store)).length, 3000);
  const before = openFiles();
  let count = 0;
  for await (const { size } of await store.list("")) {
    assertEquals(size, 0);
    if (count++ > 0) continue;
    // What was not looked at yet is not there any more.
    for (let i = 0; i < 3000; i++) await Deno.remove(`${path}/${i}`);
  }
  assert(count < 300, `${count} entries`);
  await Deno.writeFile(`${path}/one`, NOTHING);
  for await (const _ of await store.list("")) break;
  assertEquals(openFiles(), before);
});

const NOTHING = new Uint8Array(0);

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

Deno.test("directoryStore() with readOnly has no method that changes anything", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.writeTextFile(`${path}/file`, "content");
  const store = directoryStore(path, { readOnly: true });
  const { create, makeFolder, rename, remove, edit } = store;
  assertEquals(
    [create, makeFolder, rename, remove, edit],
    Array(5).fill(undefined),
  );
  assertEquals(decode(await read(store, "file")), "content");
  assertEquals(await namesIn(store), ["file"]);
});

Deno.test("directoryStore() resolves its path once, and follows a link to the directory", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/one`);
  await Deno.mkdir(`${path}/two`);
  await Deno.symlink("one", `${path}/link`);
  await Deno.writeTextFile(`${path}/one/1`, "");
  const cwd = Deno.cwd();
  Deno.chdir(path);
  let store;
  try {
    store = directoryStore("link/");
  } finally {
    Deno.chdir(cwd);
  }
  await Deno.remove(`${path}/link`);
  await Deno.symlink("two", `${path}/link`);
  assertEquals(await namesIn(store), ["1"]);
});

Deno.test("directoryStore() fails clearly without a directory, and for wrong arguments", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/file`;
  const missing = assertThrows(
    () => directoryStore(path),
    Deno.errors.NotFound,
    `Cannot make directory store: No such file or directory (os error 2): ${path}`,
  );
  assertEquals((missing as { code?: string }).code, "ENOENT");
  await Deno.writeTextFile(path, "");
  const file = assertThrows(
    () => directoryStore(path),
    Deno.errors.NotADirectory,
    `Cannot make directory store: it must be a directory, is a file: ${path}`,
  );
  assertEquals((file as { code?: string }).code, "ENOTDIR");
  assertThrows(
    () => directoryStore(new URL("file:///tmp") as never),
    TypeError,
    "Cannot make directory store: the path must be a string, is a URL",
  );
  const wrong: [unknown, string][] = [
    [{ readOnly: 1 }, '"readOnly" must be a boolean, is 1'],
    [{ readonly: true }, 'there is no option "readonly"'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(
      () => directoryStore("/tmp", options as DirectoryStoreOptions),
      TypeError,
      message,
    );
  }
});

Deno.test("directoryStore() needs --allow-ffi only", async () => {
  await using directory = await temporaryDirectory();
  const mod = new URL("../../src/classes/mtp/mod.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`
    import { directoryStore } from ${JSON.stringify(mod.href)};
    const store = directoryStore(${JSON.stringify(directory.path)});
    store.makeFolder("folder");
    const file = store.create("folder/file", { size: 3, modified: 1e12 });
    await file.write(0, new Uint8Array(3));
    file.commit();
    file.close();
    console.log(JSON.stringify([...store.list("folder")]));
  `));
  await input.close();
  const { stdout } = await child.output();
  assertEquals(JSON.parse(decode(stdout)), [
    { name: "file", kind: "file", size: 3, modified: 1e12 },
  ]);
});
