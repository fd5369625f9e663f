import { assert, assertEquals } from "@std/assert";
import { LongNames } from "../../src/classes/mass_storage/fat/long_names.ts";
import { ShortNames } from "../../src/classes/mass_storage/fat/short_names.ts";

/** The names that files of one directory get. */
function longNames(...originals: string[]): string[] {
  const names = new LongNames();
  const kept = originals.map((it) => names.keep(it));
  return kept.map((it, index) => it ?? names.change(originals[index]));
}

/** The short names that files of one directory get, as hosts show them. */
function shortNames(...longNames: string[]): string[] {
  const names = new ShortNames();
  const kept = longNames.map((it) => names.keep(it));
  return kept.map((it, index) => {
    const { text } = it ?? names.change(longNames[index]);
    assertEquals(text.length, 11);
    return `${text.slice(0, 8).trimEnd()}.${text.slice(8).trimEnd()}`
      .replace(/\.$/, "");
  });
}

Deno.test("names that FAT can have stay as they are", () => {
  const names = [
    "readme.txt",
    "README",
    "Größe 😀.log",
    ".hidden",
    "a.b.c",
    " leading space",
    "+,;=[]&%$#@!(){}'`~^-_",
    "console.txt",
    "com10",
    "x".repeat(255),
    "ü".repeat(255),
  ];
  assertEquals(longNames(...names), names);
});

Deno.test("characters that FAT or Windows cannot have become underscores", () => {
  assertEquals(
    longNames("12:30:05.log", 'a"*/<>?\\|b', "tab\there", "end. .", "...", " "),
    ["12_30_05.log", "a________b", "tab_here", "end___", "___", "_"],
  );
  // Half of a surrogate pair, and what fills the entry of a long name
  assertEquals(longNames("\ud83d", "a\uffff"), ["\ufffd", "a_"]);
});

Deno.test("a name that Windows takes for a device gets an underscore", () => {
  assertEquals(
    longNames("con", "Aux.log", "lpt1.tar.gz", "COM²", "nul .txt", "CONIN$"),
    ["con_", "Aux_.log", "lpt1_.tar.gz", "COM²_", "nul_ .txt", "CONIN$_"],
  );
});

Deno.test("of names that differ only by case, the first stays and the others get numbers", () => {
  assertEquals(
    longNames("Makefile", "makefile", "MAKEFILE", "a.txt", "A.TXT", "é", "É"),
    [
      "Makefile",
      "makefile (2)",
      "MAKEFILE (3)",
      "a.txt",
      "A (2).TXT",
      "é",
      "É (2)",
    ],
  );
  // macOS finds no difference between these.
  assertEquals(longNames("\u00e9", "e\u0301")[1], "e\u0301 (2)");
  // No host takes these for the same.
  assertEquals(longNames("straße", "strasse"), ["straße", "strasse"]);
});

Deno.test("a changed name never takes one that another file has", () => {
  assertEquals(longNames("a:b", "a_b", "a?b", "a_b (2)"), [
    "a_b (3)",
    "a_b",
    "a_b (4)",
    "a_b (2)",
  ]);
});

Deno.test("names stay within 255 UTF-16 code units, with their extensions", () => {
  const long = "x".repeat(251);
  assertEquals(longNames(`${long}.txt`, `${long.toUpperCase()}.TXT`), [
    `${long}.txt`,
    `${"X".repeat(247)} (2).TXT`,
  ]);
  // Not in the middle of a character
  const [, second] = longNames("😀".repeat(127) + "a", "😀".repeat(127) + "A");
  assertEquals(second, "😀".repeat(125) + " (2)");
  assertEquals(longNames("y".repeat(300)), ["y".repeat(255)]);
  // Nor before a space, which would then be the last character
  assertEquals(longNames(`con.${"y".repeat(249)} y`), [
    `con_.${"y".repeat(249)}_`,
  ]);
  assertEquals(
    longNames(`${"z".repeat(40)}.${"e".repeat(300)}`)[0].length,
    255,
  );
});

Deno.test("ten thousand names that become the same all differ", () => {
  const originals = Array.from(
    { length: 10_000 },
    (_, index) => String.fromCharCode(index % 31 + 1).repeat(index % 7 + 1),
  );
  const names = longNames(...originals);
  assertEquals(new Set(names).size, 10_000);
  assert(names.includes("___ (1000)"));
});

Deno.test("a short name is the name in capitals, if that is short enough", () => {
  assertEquals(shortNames("readme.txt", "A", "12345678.123", "x-1.c", "~"), [
    "README.TXT",
    "A",
    "12345678.123",
    "X-1.C",
    "~",
  ]);
  const [upper, lower] = ["README.TXT", "Readme.txt"].map((it) =>
    new ShortNames().keep(it)
  );
  assertEquals([upper?.isWhole, lower?.isWhole], [true, false]);
});

Deno.test("other short names get numbers", () => {
  assertEquals(
    shortNames("a long name.text", "a long name.texture", "A Longer.tex"),
    ["ALONGN~1.TEX", "ALONGN~2.TEX", "ALONGE~1.TEX"],
  );
  assertEquals(
    shortNames(".profile", "a.b.txt", "a+b", "ä.txt", "😀😀", "x y", "1.json"),
    [
      "PROFIL~1",
      "AB~1.TXT",
      "A_B~1",
      "_~1.TXT",
      "__~1",
      "XY~1",
      "1~1.JSO",
    ],
  );
});

Deno.test("a generated short name never takes one that another file has", () => {
  assertEquals(
    shortNames(
      "longname1.txt",
      "longna~1.txt",
      "longname2.txt",
      "LONGNA~3.TXT",
    ),
    ["LONGNA~2.TXT", "LONGNA~1.TXT", "LONGNA~4.TXT", "LONGNA~3.TXT"],
  );
});

Deno.test("short names of many similar names all differ", () => {
  const names = shortNames(
    ...Array.from(
      { length: 30_000 },
      (_, index) => `log ${index % 7} ${index}.txt`,
    ),
  );
  assertEquals(new Set(names).size, 30_000);
  assertEquals(names[0], "LOG00~1.TXT");
  assert(names.some((it) => /^LOG\d?~\d{4}\.TXT$/.test(it)));
});
