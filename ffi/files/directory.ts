/**
 * Open directories: the names in them, and files that are opened from there.
 *
 * All calls are synchronous, and take as long as the file system does for a
 * directory or an inode.
 *
 * @module
 */
import { DT_DIR, DT_LNK, O_CLOEXEC } from "../abi.ts";
import { check, type FailedCall } from "../errno.ts";
import { ERRNO, libc } from "../libc.ts";
import { decodeName, encodePath } from "./names.ts";
import { fileCalls } from "./symbols.ts";

/** What a failed call is reported with. */
type Call = Omit<FailedCall, "syscall">;

/** An entry of a directory. */
export interface DirectoryEntry {
  /** See {@linkcode decodeName}. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  /** Distinguishes it from an earlier or later entry of the same name. */
  readonly inode: number;
}

/**
 * Reads the entries of an open directory in the order of its file system,
 * without `.` and `..`.
 *
 * @returns Entries that came with one system call, at a time.
 * @param bufferSize Bytes for one system call: about 32 for an entry.
 */
export function* directoryEntries(
  fd: number,
  bufferSize: number,
  call: Call,
): Generator<DirectoryEntry[]> {
  const buffer = new Uint8Array(bufferSize);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const length = check(
      libc().getdents64(fd, buffer, BigInt(buffer.byteLength)),
      ERRNO[0],
      { ...call, syscall: "getdents64" },
    );
    if (length === 0) return;
    const entries: DirectoryEntry[] = [];
    // struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, name
    for (let at = 0; at < length;) {
      const type = buffer[at + 18];
      const end = buffer.indexOf(0, at + 19);
      const name = decodeName(buffer.subarray(at + 19, end));
      const inode = Number(view.getBigUint64(at, true));
      at += view.getUint16(at + 16, true);
      if (name === "." || name === "..") continue;
      const isDirectory = type === DT_DIR;
      entries.push({ name, isDirectory, isSymlink: type === DT_LNK, inode });
    }
    yield entries;
  }
}

/**
 * Opens a file, and returns its descriptor, which is closed on exec.
 *
 * @param mode The permissions of a file that is made.
 */
export function openAt(
  directory: number,
  path: string,
  flags: number,
  call: Call,
  mode = 0,
): number {
  return check(
    fileCalls().openat(directory, encodePath(path), flags | O_CLOEXEC, mode),
    ERRNO[0],
    { ...call, syscall: "openat" },
  );
}
