import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type MemoryStore,
  memoryStore,
  type MemoryStoreOptions,
  ResponseError,
} from "@usb/gadget/mtp";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { contentsOf, namesIn, read, send } from "../support/store/entries.ts";

const MIB = 1 << 20;

function textOf(store: MemoryStore, path: string): string | undefined {
  const bytes = store.get(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** Fails unless the call fails with a response. */
function refuses(response: string, call: () => unknown): void {
  const error = assertThrows(call, ResponseError);
  assertEquals(error.response, response);
}

Deno.test("memoryStore() has the files of the program, and the folders they need", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const before = Date.now();
  const store = memoryStore({
    files: { "a/b/c.txt": "Grüße", "a/1": bytes, "😀 ": "" },
  });
  bytes.fill(9);
  assertEquals(await namesIn(store), ["a", "😀 "]);
  assertEquals(await namesIn(store, "a"), ["1", "b"]);
  const { modified = 0, ...entry } = store.look("a/b/c.txt")!;
  assertEquals(entry, { name: "c.txt", kind: "file", size: 7 });
  assert(modified >= before && modified <= Date.now());
  assertEquals(store.look("a/b")?.kind, "folder");
  assertEquals(store.look("")?.kind, "folder");
  for (const missing of ["b", "a/b/c.txt/d", "a/1/2/3", "/", "a/", ".."]) {
    assertEquals(store.look(missing), undefined);
    assertEquals(store.get(missing), undefined);
    refuses("Invalid_ObjectHandle", () => [...store.list(missing)]);
    refuses("Invalid_ObjectHandle", () => store.open(missing));
  }
  assertEquals(textOf(store, "a/b/c.txt"), "Grüße");
  assertEquals(store.get("a/1"), Uint8Array.of(1, 2, 3));
  store.get("a/1")!.fill(0);
  assertEquals(store.get("a/1"), Uint8Array.of(1, 2, 3));
  assertEquals(store.get("a"), undefined);
  refuses("Access_Denied", () => store.open("a"));
  refuses("Invalid_ObjectHandle", () => [...store.list("a/1")]);
});

Deno.test("a program sets and deletes files of a memory store", async () => {
  const store = memoryStore();
  store.set("x/y/z", "first");
  const open = store.open("x/y/z");
  store.set("x/y/z", "second one");
  assertEquals(textOf(store, "x/y/z"), "second one");
  // What a host reads stays what it was.
  assertEquals(new TextDecoder().decode(await contentsOf(open)), "first");
  open.close();
  assertThrows(() => store.set("x/y", ""), TypeError, '"x/y" is a folder');
  assertThrows(() => store.set("x/y/z/w", ""), TypeError, '"x/y/z" is a file');
  assertEquals(store.delete("x/y/w"), false);
  assertEquals(store.delete("x/y"), true);
  assertEquals(store.delete("x/y"), false);
  assertEquals(await namesIn(store, "x"), []);
});

Deno.test("hosts read, make, move and remove in a memory store", async () => {
  const store = memoryStore({ files: { "a/file": "content" } });
  const modified = 981_173_106_789;
  await send(store, "new", "12345", modified);
  assertEquals(store.look("new"), {
    name: "new",
    kind: "file",
    size: 5,
    modified,
  });
  const half = store.create("half", { size: 5 });
  half.write(0, new Uint8Array(3));
  assertEquals(store.look("half"), undefined);
  half.close();
  assertEquals(store.look("half"), undefined);
  store.makeFolder("b");
  store.rename("a", "b/c");
  store.rename("b/c/file", "b/FILE");
  assertEquals(textOf(store, "b/FILE"), "content");
  assertEquals(await namesIn(store, "b/c"), []);
  for (const name of ["b", "b/FILE"]) {
    refuses("Access_Denied", () => store.create(name, {}));
    refuses("Access_Denied", () => store.makeFolder(name));
    refuses("Access_Denied", () => store.rename("new", name));
  }
  const late = store.create("late", {});
  store.set("late", "earlier");
  refuses("Access_Denied", () => late.commit());
  late.close();
  assertEquals(textOf(store, "late"), "earlier");
  refuses("Partial_Deletion", () => store.remove("b"));
  refuses("Invalid_Parameter", () => store.rename("b", "b/c/d"));
  refuses("Access_Denied", () => store.rename("b", "b"));
  for (const path of ["x", "x/y", "new/y"]) {
    refuses("Invalid_ObjectHandle", () => store.remove(path));
    refuses("Invalid_ObjectHandle", () => store.rename(path, "z"));
    refuses("Invalid_ObjectHandle", () => store.edit(path));
    refuses("Invalid_ObjectHandle", () => store.create(`${path}/z`, {}));
    refuses("Invalid_ObjectHandle", () => store.makeFolder(`${path}/z`));
    refuses("Invalid_ObjectHandle", () => store.rename("new", `${path}/z`));
  }
  for (const name of ["", ".", "..", "b/..", "b//c", "x\0", "x".repeat(256)]) {
    refuses("Invalid_Parameter", () => store.create(name, {}));
    refuses("Invalid_Parameter", () => store.makeFolder(name));
    refuses("Invalid_Parameter", () => store.rename("new", name));
    refuses("Invalid_Parameter", () => store.remove(name));
  }
  store.remove("b/FILE");
  store.remove("b/c");
  store.remove("b");
  assertEquals(await namesIn(store), ["late", "new"]);
});

Deno.test("files of a memory store are changed anywhere", () => {
  const seed = testSeed();
  const random = new Random(seed);
  const store = memoryStore({ files: { file: "" }, capacity: 4 * MIB });
  const file = store.edit("file");
  let expected = new Uint8Array(0);
  const resize = (length: number) => {
    const resized = new Uint8Array(length);
    resized.set(expected.subarray(0, length));
    expected = resized;
  };
  const most = 300_000;
  for (let round = 0; round < soak(5000, 500); round++) {
    const offset = random.int(0, most);
    const length = random.pick([0, 1, 100, 65_536, random.int(0, most)]);
    const context =
      `GADGET_SEED=${seed}, round ${round}: ${length} at ${offset}`;
    if (random.chance(0.2)) {
      file.resize(offset);
      resize(offset);
    } else if (random.chance()) {
      const bytes = pattern(length, round);
      file.write(offset, bytes);
      if (offset + length > expected.length) resize(offset + length);
      expected.set(bytes, offset);
      bytes.fill(0); // used again
    } else {
      const into = new Uint8Array(length).fill(0xee);
      const wanted = expected.subarray(offset, offset + length);
      assertEquals(file.read(offset, into), wanted.length, context);
      assertEquals(
        firstDifference(into.subarray(0, wanted.length), wanted),
        -1,
        context,
      );
    }
    assertEquals(file.byteLength, expected.length, context);
  }
  file.close();
  assertEquals(firstDifference(store.get("file")!, expected), -1);
  assertEquals(store.space().free, 4 * MIB - expected.length);
});

Deno.test("a change gives a file another time", async () => {
  const store = memoryStore();
  await send(store, "file", "123", 1000);
  const file = store.edit("file");
  assertEquals(store.look("file")?.modified, 1000);
  const before = Date.now();
  file.write(0, new Uint8Array(1));
  assert(store.look("file")!.modified! >= before);
  file.close();
});

Deno.test("a memory store takes no more than its capacity", async () => {
  const store = memoryStore({ files: { "a/1": "123" }, capacity: 10 });
  assertEquals(store.space(), { capacity: 10, free: 7 });
  refuses("Store_Full", () => store.create("2", { size: 8 }));
  refuses("Store_Full", () => store.set("2", "12345678"));
  assertEquals(await namesIn(store), ["a"]);
  const file = store.create("2", {});
  file.write(0, new Uint8Array(5));
  refuses("Store_Full", () => file.write(5, new Uint8Array(3)));
  assertEquals(store.space().free, 2);
  file.close();
  assertEquals(store.space().free, 7);
  // What is replaced gives its room.
  store.set("a/1", "1234567890");
  assertEquals(store.space().free, 0);
  refuses("Store_Full", () => store.set("a/1", "1234567890a"));
  assertEquals(textOf(store, "a/1"), "1234567890");
  const edited = store.edit("a/1");
  refuses("Store_Full", () => edited.resize(11));
  refuses("Store_Full", () => edited.write(9, new Uint8Array(2)));
  edited.resize(4);
  assertEquals(store.space().free, 6);
  // Removed while it is open, it goes on, and does not count.
  store.delete("a");
  assertEquals(store.space().free, 10);
  edited.write(0, new Uint8Array(20));
  assertEquals(edited.byteLength, 20);
  assertEquals(store.space().free, 10);
  await send(store, "3", "1234567890");
  store.remove("3");
  assertEquals(store.space().free, 10);
  refuses("Store_Full", () => memoryStore({ files: { a: "ab" }, capacity: 1 }));
});

Deno.test("a file of unknown size grows in linear time, and a file of zeros takes no memory", () => {
  const store = memoryStore({ capacity: 2 ** 50 });
  const file = store.create("large", {});
  const piece = pattern(1000);
  // Copied anew for each piece, these would be 500 GB.
  for (let at = 0; at < 32 * MIB; at += 1000) file.write(at, piece);
  file.commit();
  file.close();
  assertEquals(store.look("large")?.size, 33_555_000);
  const sparse = store.create("sparse", {});
  sparse.write(2 ** 45, piece);
  sparse.commit();
  sparse.close();
  const into = new Uint8Array(2000);
  assertEquals(store.open("sparse").read(2 ** 45 - 500, into), 1500);
  assertEquals(into.subarray(500, 1500), piece);
});

Deno.test("a memory store reports what the program changes, once in a turn", async () => {
  const store = memoryStore({ files: { "a/1": "" } });
  const reports: (string | undefined)[] = [];
  const watching = store.watch((folder) => reports.push(folder));
  const changes = async () => {
    await Promise.resolve();
    return reports.splice(0);
  };
  for (let i = 0; i < 10; i++) store.set("a/1", `${i}`);
  store.set("2", "");
  assertEquals(reports, []);
  assertEquals(await changes(), ["a", ""]);
  store.set("b/c/d", "");
  assertEquals(await changes(), ["", "b", "b/c"]);
  store.delete("b");
  store.delete("nothing");
  assertEquals(await changes(), [""]);
  // Not what hosts change
  await send(store, "a/sent", "content");
  store.makeFolder("c");
  store.rename("a/sent", "c/sent");
  store.edit("c/sent").write(0, new Uint8Array(1));
  store.remove("c/sent");
  assertEquals(await changes(), []);
  assertEquals(await read(store, "a/1"), new TextEncoder().encode("9"));
  const others: unknown[] = [];
  using _other = store.watch((folder) => others.push(folder));
  watching[Symbol.dispose]();
  watching[Symbol.dispose]();
  store.set("a/1", "");
  assertEquals([await changes(), others], [[], ["a"]]);
});

Deno.test("memoryStore() fails clearly for wrong arguments", () => {
  const wrong: [unknown, string][] = [
    [{ files: ["a"] }, '"files" must be an object with contents by path'],
    [{ files: { a: 1 } }, '"a" must be a Uint8Array or a string, is 1'],
    [{ files: { "a//b": "" } }, "the path must be names of 1 to 255 charact"],
    [{ files: { "../a": "" } }, 'without "." and "..", is "../a"'],
    [
      { files: { a: "", "a/b": "" } },
      'Cannot make memory store: "a" is a file',
    ],
    [{ capacity: -1 }, '"capacity" must be a number of bytes, is -1'],
    [{ capacity: 1.5 }, '"capacity" must be a number of bytes, is 1.5'],
    [{ size: 1 }, 'there is no option "size"'],
  ];
  for (const [options, message] of wrong) {
    const error = assertThrows(
      () => memoryStore(options as MemoryStoreOptions),
      TypeError,
    );
    assert(error.message.includes(message), error.message);
  }
  const store = memoryStore();
  for (const call of ["set", "delete"] as const) {
    assertThrows(
      () => store[call]("", ""),
      TypeError,
      `Cannot ${call} file: the path must be names of 1 to 255 characters with slashes between them, without "." and "..", is ""`,
    );
    assertThrows(
      () => store[call](5 as never, ""),
      TypeError,
      `Cannot ${call} file: the path must be a string, is 5`,
    );
  }
  assertThrows(() => store.set("a", null as never), TypeError, '"a" must be');
});
