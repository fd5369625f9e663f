/**
 * The room of file systems.
 *
 * @module
 */
import { STATVFS, STATVFS_STRUCT_SIZE } from "../abi.ts";
import { check, type FailedCall } from "../errno.ts";
import { ERRNO } from "../libc.ts";
import { fileCalls } from "./symbols.ts";

/** The room of a file system for programs without privileges, in bytes. */
export interface FileSystemSpace {
  /** In use or not. */
  readonly capacity: number;
  /** Not in use. */
  readonly free: number;
}

/** Returns the room of the file system that an open file is on. */
export function spaceOf(
  fd: number,
  call: Omit<FailedCall, "syscall">,
): FileSystemSpace {
  const memory = new DataView(new ArrayBuffer(STATVFS_STRUCT_SIZE));
  check(fileCalls().fstatvfs(fd, memory), ERRNO[0], {
    ...call,
    syscall: "fstatvfs",
  });
  const field = (at: number) => Number(memory.getBigUint64(at, true));
  const blockSize = field(STATVFS.blockSize);
  const available = field(STATVFS.available);
  const used = field(STATVFS.blocks) - field(STATVFS.free);
  return {
    capacity: (used + available) * blockSize,
    free: available * blockSize,
  };
}
