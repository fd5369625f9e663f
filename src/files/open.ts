/**
 * Opens files and block devices, and nothing else.
 *
 * @module
 */
import {
  architectureNumbers,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { exists, open, readTextFile, seekToEnd } from "../../ffi/file.ts";
import { canPunchHoles } from "../../ffi/files/here.ts";
import { type FileStatus, statusOf } from "../../ffi/files/status.ts";
import { withHint } from "../remedies/hint.ts";

/** How to open a file. */
export interface OpenFileOptions {
  /** Whether it is to be written as well. By default only read. */
  readonly write?: boolean;
  /** Whether it is made, empty, if it does not exist. */
  readonly create?: boolean;
  /** Whether data bypasses the page cache (O_DIRECT). */
  readonly direct?: boolean;
  /**
   * Direct I/O that fails is repeated in smaller and smaller parts, down to this
   * number of bytes, to find what fails. By default 512. It must suit direct I/O.
   */
  readonly granularity?: number;
}

/** The descriptor of a file, and what it is. */
export interface OpenedFile {
  readonly fd: number;
  readonly status: FileStatus;
}

/** Opens a file or a block device. */
export function openChecked(
  path: string,
  options: OpenFileOptions,
): OpenedFile {
  const { write = false, create = false, direct = false } = options;
  // A FIFO would wait, and some devices act when they are opened.
  const before = create && !exists(path) ? undefined : check(path);
  const flags = (write ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) |
    (direct ? architectureNumbers().O_DIRECT : 0) |
    (write && before?.kind === "block device" ? O_EXCL : 0);
  try {
    const fd = open(path, flags);
    return { fd, status: before ?? statusOf(path) };
  } catch (error) {
    if (isSystemError(error, "EBUSY")) {
      throw withHint(error, "it is mounted, or another program uses it");
    }
    if (direct && isSystemError(error, "EINVAL")) {
      throw withHint(error, "its file system has no direct I/O");
    }
    if (write && isSystemError(error, "EACCES", "EPERM", "EROFS")) {
      throw withHint(error, "it was to be opened for writing");
    }
    throw error;
  }
}

function check(path: string): FileStatus {
  const status = statusOf(path, { action: "open file" });
  const { kind } = status;
  if (kind === "file" || kind === "block device") return status;
  throw errorOf(
    kind === "directory" ? Errno.EISDIR : Errno.ENOTBLK,
    `Cannot open file: it must be a file or a block device, is a ${kind}: ${path}`,
    { syscall: "open", path },
  );
}

/** Whether ranges of an open file or block device can be freed. */
export function punchesHoles(
  fd: number,
  path: string,
  { kind, device }: FileStatus,
): boolean {
  if (kind === "file") return canPunchHoles(fd, seekToEnd(fd, { path }));
  // The kernel writes zeros by a command of the device, if it has one, and
  // otherwise refuses. A partition has the queue of its disk.
  const folder = [".", ".."]
    .map((it) => `/sys/dev/block/${device}/${it}/queue`).find(exists);
  return folder !== undefined &&
    ["discard_max_bytes", "write_zeroes_max_bytes"]
      .every((it) => Number(readTextFile(`${folder}/${it}`)) > 0);
}
