/**
 * Names and places in directoryStore().
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import { openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import { callsWith, decode, refuses } from "../support/store/calls.ts";
import { entriesIn, namesIn, read, send } from "../support/store/entries.ts";
import { soak } from "../support/run/soak.ts";

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

const NOTHING = new Uint8Array(0);

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

/** A store with `folder/file`, beside a directory with a `file` that it must not show. */
async function storeWithOutside(directory: string) {
  const path = `${directory}/root`;
  const outside = `${directory}/outside`;
  await Deno.mkdir(`${path}/folder`, { recursive: true });
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/file`, "secret");
  await Deno.writeTextFile(`${path}/folder/file`, "public");
  return { path, outside, store: directoryStore(path) };
}

Deno.test("directoryStore() does not follow a link that takes the place of a folder", async () => {
  await using directory = await temporaryDirectory();
  const { path, outside, store } = await storeWithOutside(directory.path);
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
  const { path, outside, store } = await storeWithOutside(directory.path);
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
