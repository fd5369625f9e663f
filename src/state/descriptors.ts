/**
 * Copies of what was written to FunctionFS, which does not tell it afterwards.
 *
 * A gadget of this package has a directory for its mounts. Whoever opens a
 * function on one of them leaves the copies there, for the command line tool.
 * They go when the gadget is removed.
 *
 * @module
 */
import { O_CREAT, O_TRUNC, O_WRONLY } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import {
  close,
  exists,
  list,
  open,
  readFile,
  readlink,
  write,
} from "../../ffi/file.ts";

/**
 * What belongs to gadgets of this package, outside of configfs, and is as
 * short-lived as that.
 */
export const STATE = "/run/usb-gadget";

/** A link of this name leads to where a function is mounted. No name has "=". */
export const MOUNT = "=mount";

const DESCRIPTORS = "=descriptors";
const STRINGS = "=strings";
/** Characters that the longest of the files about a function has after its name. */
export const BLOCK_SUFFIX_LENGTH = DESCRIPTORS.length;

/** The two blocks that make a function. */
export interface Blocks {
  readonly descriptors: Uint8Array<ArrayBuffer>;
  readonly strings: Uint8Array<ArrayBuffer>;
}

/** Keeps the blocks of a function, if its mount belongs to a gadget of this package. */
export function recordBlocks(mountPoint: string, blocks: Blocks): void {
  try {
    const path = findMount(mountPoint);
    if (path === undefined) return;
    record(`${path}${DESCRIPTORS}`, blocks.descriptors);
    record(`${path}${STRINGS}`, blocks.strings);
  } catch (error) {
    // Not root, or the gadget is just being removed: nobody needs the copies.
    if (!isSystemError(error)) throw error;
  }
}

/** Reads the blocks of the function on a mount, if they are known. */
export function recordedBlocks(mountPoint: string): Blocks | undefined {
  const path = findMount(mountPoint);
  if (path === undefined || !exists(`${path}${STRINGS}`)) return undefined;
  return {
    descriptors: readFile(`${path}${DESCRIPTORS}`),
    strings: readFile(`${path}${STRINGS}`),
  };
}

/** The begin of the names of files about a mount: `STATE/GADGET/FUNCTION`. */
function findMount(mountPoint: string): string | undefined {
  if (!exists(STATE)) return undefined;
  for (const gadget of list(STATE).filter((it) => it.isDirectory)) {
    const folder = `${STATE}/${gadget.name}`;
    for (const { name, isSymlink } of list(folder)) {
      if (!isSymlink || !name.endsWith(MOUNT)) continue;
      if (readlink(`${folder}/${name}`) !== mountPoint) continue;
      return `${folder}/${name.slice(0, -MOUNT.length)}`;
    }
  }
  return undefined;
}

function record(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, { mode: 0o644 });
  try {
    write(fd, bytes, { path });
  } finally {
    close(fd);
  }
}
