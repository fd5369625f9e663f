import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { directoryStore, type ObjectStore } from "@usb/gadget/mtp";
import { openFiles } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import { namesIn, send } from "../support/store/entries.ts";
import { until } from "../support/waiting/until.ts";

/** A store whose reports are recorded. */
class Bench implements AsyncDisposable {
  readonly path: string;
  readonly store: ObjectStore;
  readonly #reports: (string | undefined)[] = [];
  readonly #cleanUp = new AsyncDisposableStack();
  readonly #watching: Disposable;
  readonly #openBefore: number;

  constructor(directory: { path: string } & AsyncDisposable) {
    this.#cleanUp.use(directory);
    this.path = `${directory.path}/root`;
    this.#openBefore = openFiles();
    // Changes here are the last to be reported.
    Deno.mkdirSync(`${this.path}/sentinel`, { recursive: true });
    this.store = directoryStore(this.path);
    this.#watching = this.store.watch!((folder) => {
      this.#reports.push(folder);
    });
  }

  static async open(...listed: string[]): Promise<Bench> {
    const bench = new Bench(await temporaryDirectory());
    for (const folder of listed) {
      await Deno.mkdir(`${bench.path}/${folder}`, { recursive: true });
    }
    for (const folder of ["sentinel", ...listed]) {
      await namesIn(bench.store, folder);
    }
    return bench;
  }

  /** The folders that were reported since the last call, sorted. */
  async reports(): Promise<(string | undefined)[]> {
    return [...new Set(await this.allReports())].sort();
  }

  /** What was reported since the last call, of all changes until now. */
  async allReports(): Promise<(string | undefined)[]> {
    Deno.writeTextFileSync(`${this.path}/sentinel/file`, "");
    await until(() => this.#reports.includes("sentinel"), "it is reported");
    return this.#reports.splice(0).filter((it) => it !== "sentinel");
  }

  /** What is reported next, all of which was lost. */
  async lost(): Promise<void> {
    await until(() => this.#reports.includes(undefined), "it is reported");
    assertEquals(this.#reports.splice(0), [undefined]);
  }

  /** Ends it: nothing is reported any more, and nothing stays open. */
  end(): void {
    this.#watching[Symbol.dispose]();
  }

  async [Symbol.asyncDispose]() {
    this.end();
    await until(() => openFiles() === this.#openBefore, "all files are closed");
    await this.#cleanUp.disposeAsync();
  }
}

/** Changes of a folder that has "file" and "folder", which end with them. */
const CHANGES: Readonly<Record<string, string>> = {
  "a file that is made": "echo > new; rm new",
  "a file that is written": "echo more >> file",
  "a file that is cut": ": > file",
  "a file that is removed": "rm file; echo > ../other/x; mv ../other/x file",
  "a file that gets another time": "touch -d 2001-02-03 file",
  "a file that gets other permissions": "chmod 700 file",
  "a file that gets another name": "mv file other; mv other file",
  "a file that comes from elsewhere": "mv ../../outside .; mv outside ../../",
  "a file that gets a second name": "ln file second; rm second",
  "a folder that is made": "mkdir new; rmdir new",
  "a folder that gets another time": "touch -d 2001-02-03 folder",
};

for (const [what, commands] of Object.entries(CHANGES)) {
  Deno.test(`watch() reports ${what}`, async () => {
    await using bench = await Bench.open("", "listed");
    const { path } = bench;
    await shell(`cd ${path}; echo > ../outside
      mkdir listed/folder other; echo > listed/file`);
    await bench.reports();
    // Each command alone
    for (const command of commands.split("; ")) {
      await shell(`cd ${path}/listed; ${command}`);
      const expected = command.includes("> ../other") ? [] : ["listed"];
      assertEquals(await bench.reports(), expected, command);
    }
  });
}

Deno.test("watch() reports nothing of a folder that was not listed", async () => {
  await using bench = await Bench.open("");
  const { path, store } = bench;
  await shell(`mkdir ${path}/a`);
  assertEquals(await bench.reports(), [""]);
  await shell(`mkdir ${path}/a/b; echo > ${path}/a/b/c`);
  assertEquals(await bench.reports(), []);
  await namesIn(store, "a");
  await shell(`echo > ${path}/a/b/c; echo > ${path}/a/d`);
  assertEquals(await bench.reports(), ["a"]);
});

Deno.test("watch() reports nothing that the store does itself", async () => {
  await using bench = await Bench.open("", "a", "a/b", "c");
  const { path, store } = bench;
  await send(store, "a/sent", "1", 1e12);
  await send(store, "a/b/sent", "2");
  const givenUp = await store.create!("a/half", { modified: 1e12 });
  await givenUp.write(0, new Uint8Array(10));
  givenUp.close();
  await store.makeFolder!("c/made");
  await store.rename!("a/sent", "c/moved");
  await store.rename!("a/b", "a/B");
  const edited = await store.edit!("c/moved");
  await edited.write(0, new Uint8Array(3));
  await edited.resize(2);
  edited.close();
  await store.remove!("c/moved");
  await store.remove!("c/made");
  await store.remove!("a/B/sent");
  await store.remove!("a/B");
  await assertRejects(async () => await store.makeFolder!("a/b/c"));
  assertEquals(await bench.reports(), []);
  // Something else that happens right before
  Deno.writeTextFileSync(`${path}/a/other`, "");
  await store.makeFolder!("c/made");
  assertEquals(await bench.reports(), ["a"]);
  // The same name, by another program
  await store.remove!("c/made");
  Deno.mkdirSync(`${path}/c/made`);
  assertEquals(await bench.reports(), ["c"]);
});

Deno.test("watch() reports many changes of a folder as one, and the last one as well", async () => {
  await using bench = await Bench.open("a", "b");
  const { path, store } = bench;
  for (let i = 0; i < 500; i++) {
    Deno.writeTextFileSync(`${path}/a/${i}`, "content");
    Deno.writeTextFileSync(`${path}/b/${i}`, "content");
  }
  assertEquals(await bench.allReports(), ["a", "b"]);
  for (let i = 0; i < 5; i++) {
    Deno.writeTextFileSync(`${path}/a/last`, "x".repeat(i));
    assertEquals(await bench.allReports(), ["a"]);
    assertEquals((await store.look("a/last"))?.size, i);
  }
});

Deno.test("watch() follows a folder that the store moves, with all that is in it", async () => {
  await using bench = await Bench.open("", "a", "a/b", "a/b/c", "ab", "x");
  const { path, store } = bench;
  await store.rename!("a", "x/y");
  await shell(`cd ${path}; echo > x/y/1; echo > x/y/b/c/1; echo > ab/1`);
  assertEquals(await bench.reports(), ["ab", "x/y", "x/y/b/c"]);
  // Changed right before the move, and reported with the new path
  Deno.writeTextFileSync(`${path}/x/y/b/2`, "");
  await store.rename!("x/y/b", "b");
  assertEquals(await bench.reports(), ["b"]);
  await shell(`cd ${path}; echo > b/c/2; mkdir a; echo > a/1`);
  assertEquals(await bench.reports(), ["", "b/c"]);
});

Deno.test("watch() reports a folder that another program moves, at its old path, until it is listed again", async () => {
  await using bench = await Bench.open("", "a", "a/b", "x");
  const { path, store } = bench;
  Deno.renameSync(`${path}/a`, `${path}/x/a`);
  // Folders before those that are in them
  assertEquals(await bench.allReports(), ["", "a", "a/b", "x"]);
  await shell(`cd ${path}; echo > x/a/1; echo > x/a/b/1`);
  assertEquals(await bench.reports(), []);
  for (const folder of ["x", "x/a", "x/a/b"]) await namesIn(store, folder);
  await shell(`cd ${path}; echo > x/a/b/1`);
  assertEquals(await bench.reports(), ["x/a/b"]);
  // There and back: the folder is listed, and watched as before.
  await shell(`cd ${path}; mv x/a a; mv a x/a`);
  assertEquals(await bench.reports(), ["", "x", "x/a", "x/a/b"]);
  await namesIn(store, "x/a");
  await shell(`cd ${path}; echo > x/a/2`);
  assertEquals(await bench.reports(), ["x/a"]);
  // Listed at the new path before the move was seen
  Deno.renameSync(`${path}/x/a`, `${path}/z`);
  await namesIn(store, "z");
  assertEquals(await bench.reports(), ["", "x", "z"]);
  await namesIn(store, "z");
  await shell(`cd ${path}; echo > z/3`);
  assertEquals(await bench.reports(), ["z"]);
});

Deno.test("watch() notices a folder that takes the place of another", async () => {
  await using bench = await Bench.open("", "a");
  const { path, store } = bench;
  await shell(`cd ${path}; rmdir a; mkdir a`);
  assertEquals(await bench.reports(), ["", "a"]);
  await namesIn(store, "a");
  // Listed before the change was seen
  Deno.removeSync(`${path}/a`);
  Deno.mkdirSync(`${path}/a`);
  await namesIn(store, "a");
  await bench.reports();
  Deno.writeTextFileSync(`${path}/a/file`, "");
  assertEquals(await bench.reports(), ["a"]);
  // Made and removed by the store
  await store.remove!("a/file");
  await store.remove!("a");
  await store.makeFolder!("a");
  await namesIn(store, "a");
  Deno.writeTextFileSync(`${path}/a/file`, "");
  assertEquals(await bench.reports(), ["a"]);
});

Deno.test("watch() reports that anything may have changed when events were lost", async () => {
  await using bench = await Bench.open("", "a", "a/b");
  const { path, store } = bench;
  const most = Number(
    await Deno.readTextFile("/proc/sys/fs/inotify/max_queued_events"),
  );
  for (const name of ["1", "2"]) {
    Deno.writeTextFileSync(`${path}/a/${name}`, "");
  }
  await bench.reports();
  for (let i = 0; i < most + 100; i++) {
    // The kernel merges equal events that follow each other.
    Deno.utimeSync(`${path}/a/${1 + i % 2}`, 0, 0);
  }
  Deno.renameSync(`${path}/a/b`, `${path}/a/c`);
  await bench.lost();
  // Folders are reported on from when they are listed again.
  for (const folder of ["sentinel", "a", "a/c"]) await namesIn(store, folder);
  Deno.writeTextFileSync(`${path}/a/c/file`, "");
  Deno.writeTextFileSync(`${path}/file`, "");
  assertEquals(await bench.reports(), ["a/c"]);
});

Deno.test("watch() can be called several times, and ends each alone", async () => {
  await using bench = await Bench.open("a");
  const { path, store } = bench;
  const others: (string | undefined)[] = [];
  const other = store.watch!((folder) => others.push(folder));
  Deno.writeTextFileSync(`${path}/a/1`, "");
  assertEquals(await bench.reports(), ["a"]);
  assertEquals(others.splice(0), ["a", "sentinel"]);
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  Deno.writeTextFileSync(`${path}/a/2`, "");
  assertEquals(await bench.reports(), ["a"]);
  assertEquals(others, []);
  // All of them end, with what was not reported yet; and it begins again.
  Deno.writeTextFileSync(`${path}/a/3`, "");
  await namesIn(store, "a");
  bench.end();
  using _again = store.watch!((folder) => others.push(folder));
  await namesIn(store, "a");
  Deno.writeTextFileSync(`${path}/a/4`, "");
  await until(() => others.length > 0, "it is reported");
  assertEquals(others, ["a"]);
});

Deno.test("what a listener throws is reported, and ends nothing", async () => {
  await using bench = await Bench.open("a", "b");
  const { path, store } = bench;
  const errors: unknown[] = [];
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    errors.push(event.error.message);
  };
  addEventListener("error", listener);
  try {
    using _failing = store.watch!((folder) => {
      throw new Error(`${folder} fails`);
    });
    for (const name of ["a", "b"]) {
      Deno.writeTextFileSync(`${path}/${name}/file`, "");
    }
    assertEquals(await bench.reports(), ["a", "b"]);
    assertEquals(errors, ["a fails", "b fails", "sentinel fails"]);
  } finally {
    removeEventListener("error", listener);
  }
});

Deno.test("a store without watch has none, and one with readOnly has it", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  assertEquals(directoryStore(path, { watch: false }).watch, undefined);
  assert(directoryStore(path, { readOnly: true }).watch !== undefined);
});

Deno.test("a program ends by itself when it does not watch any more", async () => {
  await using directory = await temporaryDirectory();
  const mod = new URL("../../src/classes/mtp/mod.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`
    import { directoryStore } from ${JSON.stringify(mod.href)};
    const path = ${JSON.stringify(directory.path)};
    const store = directoryStore(path);
    const watching = store.watch((folder) => {
      console.log(JSON.stringify(folder));
      watching[Symbol.dispose]();
      store.makeFolder("another");
    });
    for (const _ of store.list(""));
    directoryStore(path, { watch: false }).makeFolder("folder");
  `));
  await input.close();
  const { stdout, success } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), '""\n');
  assert(success);
});
