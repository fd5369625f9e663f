/**
 * Trees of files.
 *
 * @module
 */
import type { Random } from "../data/random.ts";
import type { FoundTree } from "./reader.ts";

/** Files and directories by name; a string is a text. */
export interface Files {
  readonly [name: string]: string | Uint8Array<ArrayBuffer> | Files;
}

/** What a reader finds if these are on the disk. */
export function treeOf(files: Files): FoundTree {
  return new Map(
    Object.entries(files).map(([name, it]) => [
      name,
      typeof it === "string"
        ? new TextEncoder().encode(it)
        : it instanceof Uint8Array
        ? it
        : treeOf(it),
    ]),
  );
}

/** Pieces of names: what hosts treat in ways of their own is frequent. */
const PIECES = [
  ..."abcXYZ019._- ~!#$%&'()+,;=@[]^`{}",
  ...'"*/:<>?\\|\u0001\u001f\u007f\uffff\ud800\udc00',
  ..."äÖßéçñøЖαあ漢한ﬁİıſK",
  "e\u0301",
  "😀",
  "👩‍🚀",
  "con",
  "AUX",
  "lpt1",
  "..",
  " .",
  "~1",
  "~10",
  "log",
  ".txt",
  ".tar.gz",
  "README",
  "readme",
  "a long name of a file",
];

/** A name that Linux could have, and FAT perhaps cannot. */
function randomName(random: Random): string {
  const length = random.chance(0.02) ? 255 : random.int(1, 12);
  let name = "";
  while (name.length < length) name += random.pick(PIECES);
  name = name.replaceAll("/", "").slice(0, 255);
  return /^\.{0,2}$/.test(name) ? randomName(random) : name;
}

/** A tree of at most so many files and directories. Each file has contents of its own. */
export function randomFiles(random: Random, most: number): Files {
  let count = 0;
  const directory = (depth: number): Files => {
    const files: Record<string, Files[string]> = Object.create(null);
    for (let i = random.int(0, depth === 0 ? 40 : 15); i > 0; i--) {
      if (++count > most) break;
      const names = Object.keys(files);
      // Another case of a name is as frequent as a new one.
      const name = names.length > 0 && random.chance(0.3)
        ? changeCase(random, random.pick(names))
        : randomName(random);
      files[name] = depth < 6 && random.chance(0.2)
        ? directory(depth + 1)
        : randomBytes(random, count);
    }
    return files;
  };
  return directory(0);
}

function changeCase(random: Random, name: string): string {
  return Array.from(name, (it) => {
    const other = random.chance() ? it.toLowerCase() : it.toUpperCase();
    return other.length === it.length ? other : it;
  }).join("");
}

function randomBytes(random: Random, mark: number): Uint8Array<ArrayBuffer> {
  if (random.chance(0.1)) return new Uint8Array(0);
  const length = random.chance(0.2)
    ? 4096 * random.int(1, 5)
    : random.int(4, 20_000);
  const bytes = new Uint8Array(length).map((_, index) => index * mark);
  new DataView(bytes.buffer).setUint32(0, mark);
  return bytes;
}
