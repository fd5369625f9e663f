/**
 * Decodes directories of FAT volumes, and refuses what a strict host would not
 * like.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

/** An entry of a directory, with what is in the entries of its long name. */
export interface Found {
  readonly name: string;
  /** With the spaces: 11 characters. */
  readonly shortName: string;
  readonly isDirectory: boolean;
  readonly cluster: number;
  readonly size: number;
  /** Year, month, day, hour, minute, second. */
  readonly modified: readonly number[];
}

const LABEL = 0x08;
const DIRECTORY = 0x10;
const ARCHIVE = 0x20;
const LONG_NAME = 0x0f;
/** What the parts of a short name can have, by the specification. */
const SHORT_PART = /^[A-Z0-9$%'\-_@~`!(){}^#&]*$/;

/** Decodes a directory. */
export function parseDirectory(
  bytes: Uint8Array<ArrayBuffer>,
): { found: Found[]; label: string | undefined } {
  const view = new DataView(bytes.buffer);
  const found: Found[] = [];
  let label: string | undefined;
  /** The parts of a long name, as they come. */
  let parts: number[] = [];
  for (let at = 0; at < bytes.length; at += 32) {
    if (bytes[at] === 0) {
      assertEquals(parts, []);
      assert(bytes.subarray(at).every((it) => it === 0));
      break;
    }
    assert(bytes[at] !== 0xe5);
    if (bytes[at + 11] === LONG_NAME) {
      parts.push(at);
      continue;
    }
    const shortName = text(view, at, 11);
    const attributes = bytes[at + 11];
    if (attributes === LABEL) {
      assertEquals([label, parts.length], [undefined, 0]);
      label = shortName;
      continue;
    }
    assert([DIRECTORY, ARCHIVE].includes(attributes), `${attributes}`);
    const name = parts.length === 0
      ? shownName(shortName)
      : longName(view, parts, shortName);
    parts = [];
    if (!shortName.startsWith(".")) {
      const base = shortName.slice(0, 8).trimEnd();
      assert(base !== "" && SHORT_PART.test(base), shortName);
      assert(SHORT_PART.test(shortName.slice(8).trimEnd()), shortName);
    }
    const isDirectory = attributes === DIRECTORY;
    const size = view.getUint32(at + 28, true);
    if (isDirectory) assertEquals(size, 0);
    const modified = timeOf(
      view.getUint16(at + 24, true),
      view.getUint16(at + 22, true),
    );
    const cluster = view.getUint16(at + 20, true) * 65_536 +
      view.getUint16(at + 26, true);
    found.push({ name, shortName, isDirectory, cluster, size, modified });
  }
  assertUnique(found);
  return { found, label };
}

/** The long name of an entry from the parts before it, the last of which comes first. */
function longName(
  view: DataView,
  parts: readonly number[],
  shortName: string,
): string {
  let sum = 0;
  for (const it of shortName) {
    sum = (((sum & 1) << 7) + (sum >> 1) + it.charCodeAt(0)) & 0xff;
  }
  const units: number[] = [];
  for (const [index, at] of parts.entries()) {
    const number = parts.length - index;
    const flag = index === 0 ? 0x40 : 0;
    assertEquals(view.getUint8(at), number | flag, "number of a part");
    assertEquals(view.getUint8(at + 12), 0);
    assertEquals(view.getUint8(at + 13), sum, "checksum");
    assertEquals(view.getUint16(at + 26, true), 0, "no cluster");
    const offsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
    units.unshift(...offsets.map((it) => view.getUint16(at + it, true)));
  }
  const end = units.indexOf(0);
  if (end >= 0) {
    assert(units.slice(end + 1).every((it) => it === 0xffff));
    assert(units.length - end <= 13, "an entry for nothing");
    units.length = end;
  }
  assert(units.length <= 255);
  const name = String.fromCharCode(...units);
  assert(name.isWellFormed());
  // deno-lint-ignore no-control-regex -- they are refused
  assert(!/[\u0000-\u001f"*/:<>?\\|\uffff]|[. ]$/.test(name), name);
  return name;
}

function shownName(shortName: string): string {
  const extension = shortName.slice(8).trimEnd();
  const base = shortName.slice(0, 8).trimEnd();
  return extension === "" ? base : `${base}.${extension}`;
}

function timeOf(date: number, time: number): number[] {
  return [
    (date >> 9) + 1980,
    (date >> 5) & 15,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  ];
}

/** A host finds a file by either of its names, in any case. */
function assertUnique(found: readonly Found[]): void {
  const seen = new Set<string>();
  for (const { name, shortName } of found) {
    for (const it of new Set([upperCase(name), shownName(shortName)])) {
      assert(!seen.has(it), `two files are ${it}`);
      seen.add(it);
    }
  }
}

/** As hosts do it: one character becomes one character. */
function upperCase(name: string): string {
  return Array.from(name, (it) => {
    const upper = it.toUpperCase();
    return upper.length === it.length ? upper : it;
  }).join("");
}

/** Bytes of ASCII. */
export function text(view: DataView, at: number, length: number): string {
  return String.fromCharCode(
    ...new Uint8Array(view.buffer, view.byteOffset + at, length),
  );
}
