/**
 * What a path is.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  O_PATH,
  S_IFBLK,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  STATX_DIOALIGN,
  STATX_STRUCT_SIZE,
  STATX_TYPE,
} from "../abi.ts";
import { check } from "../errno.ts";
import { type CallOptions, close, open } from "../file.ts";
import { cString, ERRNO } from "../libc.ts";
import { fileCalls } from "./symbols.ts";

/** What a path is. */
export interface FileStatus {
  readonly kind: "file" | "directory" | "block device" | "special file";
  /** The number of a block device, as sysfs writes it: `"8:0"`. */
  readonly device: string;
  /**
   * What places and lengths of direct I/O must be multiples of; 0 if the kernel
   * does not say, as before Linux 6.1.
   */
  readonly directAlignment: number;
}

const KINDS: Readonly<Record<number, FileStatus["kind"]>> = {
  [S_IFREG]: "file",
  [S_IFBLK]: "block device",
  [S_IFDIR]: "directory",
};

/**
 * Looks up what a path is, without opening it: that would make a FIFO wait, and
 * some devices act.
 */
export function statusOf(path: string, options: CallOptions = {}): FileStatus {
  const fd = open(path, O_PATH, options);
  try {
    const status = new DataView(new ArrayBuffer(STATX_STRUCT_SIZE));
    const mask = STATX_TYPE | STATX_DIOALIGN;
    const { statx } = fileCalls();
    check(statx(fd, cString(""), AT_EMPTY_PATH, mask, status), ERRNO[0], {
      action: "look up file",
      ...options,
      syscall: "statx",
      path,
    });
    const u32 = (at: number) => status.getUint32(at, true);
    return {
      kind: KINDS[status.getUint16(28, true) & S_IFMT] ?? "special file",
      device: `${u32(128)}:${u32(132)}`,
      directAlignment: (u32(0) & STATX_DIOALIGN) === 0 ? 0 : u32(156),
    };
  } finally {
    close(fd);
  }
}
