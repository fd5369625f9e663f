import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fatDisk } from "@usb/gadget/mass-storage";
import { FatReader, type Found } from "../support/fat/reader.ts";
import { treeOf } from "../support/fat/trees.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("a directory is on the disk with all that is in it, sorted by name", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/b/c/d`, { recursive: true });
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeTextFile(`${path}/z.txt`, "z");
  await Deno.writeTextFile(`${path}/A.txt`, "A");
  await Deno.writeFile(`${path}/b/c/large`, large);
  await Deno.writeTextFile(`${path}/b/empty`, "");
  for (const source of [path, new URL(`file://${path}`), `${path}/`]) {
    const reader = await FatReader.open(await fatDisk(source));
    const tree = await reader.readAll();
    assertEquals([...tree.keys()], ["A.txt", "b", "z.txt"]);
    const b = { c: { d: {}, large }, empty: "" };
    assertEquals(tree, treeOf({ "A.txt": "A", b, "z.txt": "z" }));
  }
});

Deno.test("files and directories of this machine stand beside files in memory", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/new logs`);
  await Deno.writeTextFile(`${path}/new logs/1.log`, "one");
  await Deno.symlink("new logs", `${path}/link`);
  const reader = await FatReader.open(
    await fatDisk({
      "readme.txt": "read me",
      logs: new URL(`file://${path}/new%20logs`),
      "log 1": new URL(`file://${path}/new%20logs/1.log`),
      // A link that is given is followed; one that is found is not.
      linked: new URL(`file://${path}/link`),
    }),
  );
  const logs = { "1.log": "one" };
  const readme = { "readme.txt": "read me" };
  assertEquals(
    await reader.readAll(),
    treeOf({ ...readme, logs, "log 1": "one", linked: logs }),
  );
});

Deno.test("the times are those of the files", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/directory`);
  await Deno.writeTextFile(`${path}/file`, "");
  for (const [index, name] of ["directory", "file"].entries()) {
    const when = new Date(2001 + index, 2, 3, 4, 5, 59, 999);
    await Deno.utime(`${path}/${name}`, when, when);
  }
  const reader = await FatReader.open(await fatDisk(path));
  assertEquals((await reader.listRoot()).map((it) => it.modified), [
    [2001, 3, 3, 4, 5, 58],
    [2002, 3, 3, 4, 5, 58],
  ]);
});

Deno.test("links and what is neither a file nor a directory are left out", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.writeTextFile(`${path}/file`, "file");
  await Deno.symlink("/etc", `${path}/etc`);
  await Deno.symlink("file", `${path}/link`);
  await Deno.symlink("nothing", `${path}/broken`);
  await shell(`mkfifo ${path}/fifo`);
  const reader = await FatReader.open(await fatDisk(path));
  assertEquals([...(await reader.readAll()).keys()], ["file"]);
});

Deno.test("names that are not UTF-8 are on the disk, and their files readable", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  // Latin-1
  await shell(`
    cd ${path}
    folder=$(printf 'B\\374cher')
    mkdir "$folder"
    printf hello > "$folder/$(printf 'Gr\\374\\337e.txt')"`);
  await Deno.writeTextFile(`${path}/\ufffd`, "a name of its own");
  const reader = await FatReader.open(await fatDisk(path));
  assertEquals(
    await reader.readAll(),
    treeOf({
      "B\ufffdcher": { "Gr\ufffd\ufffde.txt": "hello" },
      "\ufffd": "a name of its own",
    }),
  );
});

Deno.test("the disk is a snapshot of names and sizes, but not of contents", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  for (const name of ["changed", "grown", "shrunk", "replaced", "empty"]) {
    await Deno.writeTextFile(
      `${path}/${name}`,
      name === "empty" ? "" : "0123456789",
    );
  }
  const reader = await FatReader.open(await fatDisk(path));
  await Deno.writeTextFile(`${path}/changed`, "abcdefghij");
  await Deno.writeTextFile(`${path}/grown`, "abc", { append: true });
  await Deno.truncate(`${path}/shrunk`, 4);
  await Deno.writeTextFile(`${path}/other`, "ABCDEFGHIJKL");
  await Deno.rename(`${path}/other`, `${path}/replaced`);
  await Deno.writeTextFile(`${path}/empty`, "not any more");
  await Deno.writeTextFile(`${path}/new`, "new");
  assertEquals(
    await reader.readAll(),
    treeOf({
      changed: "abcdefghij",
      empty: "",
      grown: "0123456789",
      replaced: "ABCDEFGHIJ",
      shrunk: "0123\0\0\0\0\0\0",
    }),
  );
  // A new disk has all of it.
  const again = await (await FatReader.open(await fatDisk(path))).readAll();
  assertEquals(again.get("new"), encode("new"));
  assertEquals(again.get("grown"), encode("0123456789abc"));
});

Deno.test("a file that cannot be read any more fails, and no other", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/logs`);
  for (const name of ["removed", "linked", "fifo", "directory", "good"]) {
    await Deno.writeTextFile(`${path}/${name}`, name);
  }
  await Deno.writeTextFile(`${path}/logs/secret`, "public");
  const reader = await FatReader.open(await fatDisk(path));
  for (const name of ["removed", "linked", "fifo", "directory"]) {
    await Deno.remove(`${path}/${name}`);
  }
  await Deno.symlink("good", `${path}/linked`);
  await shell(`mkfifo ${path}/fifo`);
  await Deno.mkdir(`${path}/directory`);
  // A link in the place of a directory is not followed either.
  await Deno.rename(`${path}/logs`, `${path}/old`);
  await Deno.symlink("old", `${path}/logs`);
  const fails = async (found: Found, message: string) => {
    await assertRejects(() => reader.readFile(found), Error, message);
  };
  await fails(
    await reader.find("removed"),
    `No such file or directory (os error 2): ${path}/removed`,
  );
  await fails(
    await reader.find("linked"),
    `Too many levels of symbolic links (os error 40): ${path}/linked`,
  );
  await fails(
    await reader.find("fifo"),
    `Cannot read file: it is a special file now: ${path}/fifo`,
  );
  await fails(
    await reader.find("directory"),
    `Cannot read file: it is a directory now: ${path}/directory`,
  );
  const [secret] = await reader.list(await reader.find("logs"), 0);
  await fails(secret, `${path}/logs/secret`);
  assertEquals(
    await reader.readFile(await reader.find("good")),
    encode("good"),
  );
});

Deno.test("a source that does not exist, or is no directory, is refused", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/file`;
  await assertRejects(
    () => fatDisk(path),
    Deno.errors.NotFound,
    `Cannot make FAT disk: No such file or directory (os error 2): ${path}`,
  );
  await Deno.writeTextFile(path, "");
  await assertRejects(
    () => fatDisk(path),
    TypeError,
    `Cannot make FAT disk: it is no directory: ${path}`,
  );
  await assertRejects(
    () => fatDisk({ null: new URL("file:///dev/null") }),
    TypeError,
    "Cannot make FAT disk: it is neither a file nor a directory: /dev/null",
  );
});

Deno.test("a file of more than 4 GiB - 1 is refused with its path", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/large`;
  await Deno.writeTextFile(path, "");
  await Deno.truncate(path, 2 ** 32 - 1);
  const reader = await FatReader.open(await fatDisk(directory.path));
  const { cluster } = await reader.find("large");
  const end = reader.lbaOf(
    cluster + (2 ** 32 - reader.clusterSize) / reader.clusterSize,
  );
  await Deno.writeTextFile(path, "the end", { append: true });
  const bytes = new Uint8Array(reader.clusterSize);
  await reader.disk.read(end, bytes);
  assert(bytes.every((it) => it === 0), "what is behind the size is not shown");
  await Deno.truncate(path, 2 ** 32);
  await assertRejects(
    () => fatDisk(directory.path),
    RangeError,
    `a file can have 4 GiB - 1 bytes at most, "${path}" has 4294967296`,
  );
});

Deno.test("no file stays open", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.mkdir(`${path}/logs/deep`, { recursive: true });
  await Deno.writeTextFile(`${path}/logs/deep/a`, "a");
  await Deno.writeTextFile(`${path}/b`, "b");
  const open = () =>
    [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(path);
      } catch {
        return false; // the one that lists them
      }
    }).length;
  const reader = await FatReader.open(await fatDisk(path));
  assertEquals(open(), 0);
  await reader.readAll();
  await Deno.remove(`${path}/b`);
  await assertRejects(() => reader.readAll());
  assertEquals(open(), 0);
});
