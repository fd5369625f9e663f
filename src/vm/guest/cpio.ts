/**
 * Writes archives in the "newc" format, which the kernel unpacks as its
 * initial file system. Archives may be put one after another.
 *
 * @module
 */
import { concat } from "../machine/stream.ts";

/** One entry of an archive. */
export interface CpioEntry {
  /** The path, relative to the root, without a leading slash. */
  path: string;
  /** File type and permissions, as in `st_mode`. */
  mode: number;
  /** A file's content or a symlink's target. */
  data?: Uint8Array;
  /** Major and minor number of a device node. */
  device?: readonly [number, number];
}

const encoder = new TextEncoder();

/** A regular file. */
export function file(
  path: string,
  content: string | Uint8Array,
  permissions = 0o644,
): CpioEntry {
  const data = typeof content === "string" ? encoder.encode(content) : content;
  return { path, mode: 0o100000 | permissions, data };
}

/** A directory; the ones above it are entries of their own. */
export function directory(path: string): CpioEntry {
  return { path, mode: 0o040755 };
}

/** A symbolic link. */
export function symlink(path: string, target: string): CpioEntry {
  return { path, mode: 0o120777, data: encoder.encode(target) };
}

/** A character device. */
export function characterDevice(
  path: string,
  major: number,
  minor: number,
): CpioEntry {
  return { path, mode: 0o020600, device: [major, minor] };
}

/** Packs entries into one archive. */
export function packCpio(
  entries: readonly CpioEntry[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const all = [...entries, { path: "TRAILER!!!", mode: 0 }];
  all.forEach((entry, index) => parts.push(...packEntry(entry, index + 1)));
  return concat(...parts);
}

function packEntry(entry: CpioEntry, inode: number): Uint8Array[] {
  const { path, mode, data = new Uint8Array(), device = [0, 0] } = entry;
  const name = encoder.encode(`${path}\0`);
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    1, // links
    0, // mtime
    data.length,
    0, // device that holds the file
    0,
    ...device,
    name.length,
    0, // checksum, unused in this format
  ];
  const header = "070701" +
    fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  const head = padded(new Uint8Array([...encoder.encode(header), ...name]));
  return [head, padded(data)];
}

/** Fills up to the next multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const result = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  result.set(bytes);
  return result;
}
