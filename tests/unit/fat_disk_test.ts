import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { fatDisk, type FatFile } from "@usb/gadget/mass-storage";
import { FatReader } from "../support/fat/reader.ts";
import { treeOf } from "../support/fat/trees.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A file that must not be read. */
function unread(size: number): FatFile {
  return {
    size,
    read() {
      throw new Error("it was read");
    },
  };
}

Deno.test("files in memory are on a FAT16 volume in a partition", async () => {
  const files = {
    "readme.txt": "Grüße",
    "Zeichnung 1.dat": crypto.getRandomValues(new Uint8Array(10_000)),
    empty: "",
    logs: { "a.log": "a", older: { "b.log": "b" }, nothing: {} },
  };
  const disk = await fatDisk(files);
  assertEquals(disk.write, undefined);
  const reader = await FatReader.open(disk);
  assertEquals([reader.bits, reader.start], [16, 2048]);
  assertEquals(await reader.readAll(), treeOf(files));
});

Deno.test("a disk without files is an empty volume", async () => {
  const reader = await FatReader.open(await fatDisk({}));
  assertEquals((await reader.readAll()).size, 0);
});

Deno.test("the label, the serial number, the partition table and the block size are options", async () => {
  for (const blockSize of [512, 4096]) {
    for (const partitionTable of [true, false]) {
      const disk = await fatDisk({ "a.txt": "a", b: { c: "c" } }, {
        label: "My logs-1",
        serialNumber: 0xfedcba98,
        partitionTable,
        blockSize,
      });
      assertEquals(disk.blockSize, blockSize);
      const reader = await FatReader.open(disk, partitionTable);
      assertEquals(reader.start * blockSize, partitionTable ? 1 << 20 : 0);
      assertEquals(reader.label, "MY LOGS-1  ");
      assertEquals(reader.serialNumber, 0xfedcba98);
      assertEquals((await reader.readAll()).get("a.txt"), encode("a"));
    }
  }
});

Deno.test("each disk has another serial number, so that hosts do not mix them up", async () => {
  const readers = await Promise.all(
    [1, 2].map(async () => await FatReader.open(await fatDisk({}))),
  );
  assertNotEquals(readers[0].serialNumber, readers[1].serialNumber);
});

Deno.test("options that a volume cannot have are refused", async () => {
  // deno-lint-ignore no-explicit-any -- some are of the wrong type
  const rejected: [any, string][] = [
    [{ label: "twelve chars" }, '"label" must be up to 11 characters of ASCII'],
    [{ label: "a/b" }, '"label" must be'],
    [{ label: "a|b" }, '"label" must be'],
    [{ label: "Grüße" }, '"label" must be'],
    [{ label: " a" }, '"label" must be'],
    [{ label: "" }, '"label" must be'],
    [{ serialNumber: -1 }, '"serialNumber" must be an integer from 0'],
    [{ serialNumber: 2 ** 32 }, '"serialNumber" must be an integer from 0'],
    [{ partitionTable: "mbr" }, '"partitionTable" must be a boolean'],
    [{ blockSize: 2048 }, '"blockSize" must be 512 or 4096, is 2048'],
    [{ lable: "x" }, 'there is no option "lable": did you mean "label"?'],
  ];
  for (const [options, message] of rejected) {
    await assertRejects(
      () => fatDisk({}, options),
      TypeError,
      `Cannot make FAT disk: ${message}`,
    );
  }
});

Deno.test("sources that are no files are refused, with their path", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = { circle };
  // deno-lint-ignore no-explicit-any -- they are of the wrong type
  const rejected: [any, string][] = [
    [5, "the source must be a path, a URL or an object with files, is 5"],
    [
      [],
      "the source must be a path, a URL or an object with files, is an array",
    ],
    [
      { a: { b: 5 } },
      '"a/b" must be a string, a Uint8Array, a URL, or an object with a read method or with files, is 5',
    ],
    [{ a: null }, '"a" must be a string'],
    [{ a: undefined }, '"a" must be a string'],
    [{ a: new Uint16Array(1) }, '"a" must be a string'],
    [{ a: new Map() }, '"a" must be a string'],
    [{ "a/b": "" }, '"a/b" is no name of a file: nest objects for directories'],
    [{ a: { "..": "" } }, '".." is no name of a file: choose another'],
    [{ "": "" }, '"" is no name of a file: choose another'],
    [circle, 'directory "self/circle" contains itself'],
    [
      { a: { ...unread(1), modified: "today" } },
      'modified of "a" must be a valid Date, is "today"',
    ],
    [
      { a: { ...unread(1), modified: new Date(NaN) } },
      'modified of "a" must be a valid Date, is a Date',
    ],
    [
      new URL("https://example.com/"),
      'the URL of "source" must begin with "file:///", and be UTF-8, is "https://example.com/"',
    ],
  ];
  for (const [source, message] of rejected) {
    await assertRejects(
      () => fatDisk(source),
      TypeError,
      `Cannot make FAT disk: ${message}`,
    );
  }
  for (const size of [2 ** 32, -1, 1.5, NaN, "1"]) {
    await assertRejects(
      // deno-lint-ignore no-explicit-any -- one is of the wrong type
      () => fatDisk({ logs: { a: unread(size as any) } }),
      RangeError,
      'a file can have 4 GiB - 1 bytes at most, "logs/a" has ',
    );
  }
});

Deno.test("reading beyond the disk, or parts of blocks, is refused", async () => {
  const disk = await fatDisk({});
  assertThrows(
    () => disk.read(disk.blockCount, new Uint8Array(512)),
    RangeError,
    "Cannot read blocks: ",
  );
  assertThrows(() => disk.read(0, new Uint8Array(500)), RangeError);
});

Deno.test("times before 1980 and after 2107 are the nearest that FAT has", async () => {
  const at = (...when: [number, number, number, number, number, number]) => ({
    ...unread(0),
    modified: new Date(...when),
  });
  const disk = await fatDisk({
    early: at(1979, 11, 31, 23, 59, 59),
    first: at(1980, 0, 1, 0, 0, 0),
    last: at(2107, 11, 31, 23, 59, 59),
    late: at(2108, 0, 1, 0, 0, 0),
  });
  const reader = await FatReader.open(disk);
  assertEquals((await reader.listRoot()).map((it) => it.modified), [
    [1980, 1, 1, 0, 0, 0],
    [1980, 1, 1, 0, 0, 0],
    [2107, 12, 31, 23, 59, 58],
    [2107, 12, 31, 23, 59, 58],
  ]);
});

Deno.test("names that FAT cannot have, or not twice, are changed on the disk", async () => {
  const disk = await fatDisk({
    "12:00.log": "noon",
    logs: { Makefile: "1", makefile: "2" },
    LOGS: "another",
  });
  assertEquals(
    await (await FatReader.open(disk)).readAll(),
    treeOf({
      "12_00.log": "noon",
      logs: { Makefile: "1", "makefile (2)": "2" },
      "LOGS (2)": "another",
    }),
  );
});

Deno.test("a large source does not stop the event loop", async () => {
  const file = unread(1000);
  const source = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`a file ${index}`, file]),
  );
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await fatDisk({ source });
  isDone = true;
  // Several slices for each of its steps; and the last turn.
  assert(turns > 10, `${turns} turns`);
  await new Promise((resolve) => setImmediate(resolve));
});
