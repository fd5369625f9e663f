/**
 * Changes of open directories. None of these calls replaces what exists, or follows
 * a link.
 *
 * All are synchronous, and take as long as the file system does for a directory or
 * an inode.
 *
 * @module
 */
import { AT_REMOVEDIR, AT_SYMLINK_FOLLOW, RENAME_NOREPLACE } from "../abi.ts";
import {
  check,
  Errno,
  type FailedCall,
  isSystemError,
  systemError,
} from "../errno.ts";
import { ERRNO } from "../libc.ts";
import { encodePath } from "./names.ts";
import { statusAt } from "./status.ts";
import { fileCalls } from "./symbols.ts";

/** What a failed call is reported with. */
type Call = Omit<FailedCall, "syscall">;

/** A name in an open directory. */
export interface Place {
  readonly directory: number;
  readonly name: string;
}

/** Makes a directory. */
export function makeDirectoryAt(
  { directory, name }: Place,
  call: Call,
): void {
  check(
    fileCalls().mkdirat(directory, encodePath(name), 0o777),
    ERRNO[0],
    { ...call, syscall: "mkdirat" },
  );
}

/** Removes a file or an empty directory. */
export function removeAt(
  { directory, name }: Place,
  kind: "file" | "directory",
  call: Call,
): void {
  const flags = kind === "directory" ? AT_REMOVEDIR : 0;
  check(
    fileCalls().unlinkat(directory, encodePath(name), flags),
    ERRNO[0],
    { ...call, syscall: "unlinkat" },
  );
}

/** Gives an open file, which may have none, another name. */
export function linkOpenFile(fd: number, to: Place, call: Call): void {
  // Without privileges only by this path, which leads to the file itself.
  link({ directory: -1, name: `/proc/self/fd/${fd}` }, to, call);
}

function link(from: Place, to: Place, call: Call): void {
  const { linkat } = fileCalls();
  const old = encodePath(from.name);
  const name = encodePath(to.name);
  const flags = from.directory < 0 ? AT_SYMLINK_FOLLOW : 0;
  check(
    linkat(from.directory, old, to.directory, name, flags),
    ERRNO[0],
    { ...call, syscall: "linkat" },
  );
}

/** Whether there is something of a name, such as a link. */
export function isThere({ directory, name }: Place, call: Call): boolean {
  try {
    statusAt(directory, name, call);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

/** Moves a file or a directory to a name that does not exist. */
export function renameAt(from: Place, to: Place, call: Call): void {
  const old = encodePath(from.name);
  const name = encodePath(to.name);
  const rename = (flags: number) => {
    const { renameat2 } = fileCalls();
    const result = renameat2(from.directory, old, to.directory, name, flags);
    const errno = ERRNO[0];
    return result < 0 ? errno : 0;
  };
  let errno = rename(RENAME_NOREPLACE);
  if (errno === Errno.EINVAL) {
    // Perhaps the file system cannot refuse, as many in user space or on a network.
    if (statusAt(from.directory, from.name, call).kind !== "directory") {
      link(from, to, call);
      return removeAt(from, "file", call);
    }
    // A directory replaces nothing but an empty one, if one comes in between.
    errno = isThere(to, call) ? Errno.EEXIST : rename(0);
  }
  if (errno !== 0) throw systemError(errno, { ...call, syscall: "renameat2" });
}

/** Sets when an open file was modified and read. */
export function setModified(
  fd: number,
  milliseconds: number,
  call: Call,
): void {
  const seconds = Math.floor(milliseconds / 1000);
  const nanoseconds = Math.floor((milliseconds - seconds * 1000) * 1e6);
  const time = [BigInt(seconds), BigInt(nanoseconds)];
  // struct timespec[2]: of the last access, and of the last modification
  const times = BigInt64Array.from([...time, ...time]);
  check(fileCalls().futimens(fd, times), ERRNO[0], {
    ...call,
    syscall: "futimens",
  });
}
