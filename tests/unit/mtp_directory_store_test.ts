/**
 * How directoryStore() is made.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import type { DirectoryStoreOptions } from "@usb/gadget/mtp";
import { temporaryDirectory } from "../support/machine/temporary_directory.ts";
import { decode } from "../support/store/calls.ts";
import { namesIn, read } from "../support/store/entries.ts";

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
    const file = await store.create("folder/file", { size: 3, modified: 1e12 });
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
