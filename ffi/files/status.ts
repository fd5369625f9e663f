/**
 * What kind of file it is, and what it says of its contents.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  O_PATH,
  S_IFBLK,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  STATX,
  STATX_BASIC_STATS,
  STATX_DIOALIGN,
  STATX_STRUCT_SIZE,
} from "../abi.ts";
import { check, type FailedCall } from "../errno.ts";
import { type CallOptions, close, open } from "../file.ts";
import { ERRNO } from "../libc.ts";
import { encodePath } from "./names.ts";
import { fileCalls } from "./symbols.ts";

/** What a file is. A link is a special file. */
export interface FileStatus {
  readonly kind: "file" | "directory" | "block device" | "special file";
  /** Bytes; 0 for a block device. */
  readonly size: number;
  /** When it was modified, in milliseconds since 1970. */
  readonly modified: number;
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
    return statusAt(fd, "", { action: "look up file", ...options, path });
  } finally {
    close(fd);
  }
}

const memory = new DataView(new ArrayBuffer(STATX_STRUCT_SIZE));

/**
 * Looks up what an open file is, or what a path in an open directory is. A link at
 * the end of the path is not followed.
 *
 * @param path Relative to `fd`; `""` for what is open.
 */
export function statusAt(
  fd: number,
  path: string,
  call: Omit<FailedCall, "syscall">,
): FileStatus {
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  const mask = STATX_BASIC_STATS | STATX_DIOALIGN;
  const { statx } = fileCalls();
  check(statx(fd, encodePath(path), flags, mask, memory), ERRNO[0], {
    ...call,
    syscall: "statx",
  });
  const u32 = (at: number) => memory.getUint32(at, true);
  const type = memory.getUint16(STATX.mode, true) & S_IFMT;
  const seconds = Number(memory.getBigInt64(STATX.modified, true));
  const hasAlignment = (u32(STATX.mask) & STATX_DIOALIGN) !== 0;
  return {
    kind: KINDS[type] ?? "special file",
    size: Number(memory.getBigUint64(STATX.size, true)),
    modified: seconds * 1000 + u32(STATX.modifiedNanoseconds) / 1e6,
    device: `${u32(STATX.deviceMajor)}:${u32(STATX.deviceMinor)}`,
    directAlignment: hasAlignment ? u32(STATX.directAlignment) : 0,
  };
}
