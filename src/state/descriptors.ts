/**
 * Copies of the descriptors that were written to FunctionFS, which cannot be
 * read back.
 *
 * They are kept for functions of gadgets of this package, in the folder of the
 * gadget, until that is removed. The command line tool shows them.
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
import { FUNCTION_FILE, STATE } from "../definition/gadget_names.ts";

/** The two blocks that make a function. */
export interface Blocks {
  readonly descriptors: Uint8Array<ArrayBuffer>;
  readonly strings: Uint8Array<ArrayBuffer>;
}

/** Keeps the blocks of a function if its mount belongs to a gadget of this package. */
export function recordBlocks(mountPoint: string, blocks: Blocks): void {
  try {
    const path = findMount(mountPoint);
    if (path === undefined) return;
    record(`${path}${FUNCTION_FILE.descriptors}`, blocks.descriptors);
    record(`${path}${FUNCTION_FILE.strings}`, blocks.strings);
  } catch (error) {
    // Not root, or the gadget is just being removed: the function works without.
    if (!isSystemError(error)) throw error;
  }
}

/** Reads the blocks of the function on a mount, if there are copies. */
export function recordedBlocks(mountPoint: string): Blocks | undefined {
  const path = findMount(mountPoint);
  if (path === undefined || !exists(`${path}${FUNCTION_FILE.strings}`)) {
    return undefined;
  }
  return {
    descriptors: readFile(`${path}${FUNCTION_FILE.descriptors}`),
    strings: readFile(`${path}${FUNCTION_FILE.strings}`),
  };
}

/** The path of a mount's files without their suffixes: `STATE/GADGET/FUNCTION`. */
function findMount(mountPoint: string): string | undefined {
  if (!exists(STATE)) return undefined;
  for (const gadget of list(STATE).filter((it) => it.isDirectory)) {
    const folder = `${STATE}/${gadget.name}`;
    for (const { name, isSymlink } of list(folder)) {
      if (!isSymlink || !name.endsWith(FUNCTION_FILE.mount)) continue;
      if (readlink(`${folder}/${name}`) !== mountPoint) continue;
      return `${folder}/${name.slice(0, -FUNCTION_FILE.mount.length)}`;
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
