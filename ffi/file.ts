/**
 * File operations as small functions that throw.
 *
 * Deno's own file API refuses `/sys`, `/proc` and `/dev` without `--allow-all`;
 * through libc, a gadget needs only `--allow-ffi`.
 *
 * All calls are synchronous. None of them waits for a USB host.
 *
 * @module
 */
import {
  architectureNumbers,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  LOCK_EX,
  LOCK_NB,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  SEEK_END,
} from "./abi.ts";
import { check, Errno, errorOf, isSystemError, systemError } from "./errno.ts";
import { directoryEntries, type DirectoryEntry } from "./files/directory.ts";
import { cString, ERRNO, libc } from "./libc.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Details for the error message of a call. */
export interface CallOptions {
  /** Follows "Cannot": `"open endpoint"`. Each function has a default. */
  readonly action?: string;
  /** The file of a file descriptor. */
  readonly path?: string;
  /** Advice for the reader of the error. */
  readonly hint?: string;
}

/** Opens a file and returns its descriptor, which is closed on exec. */
export function open(
  path: string,
  flags: number,
  options: CallOptions & { mode?: number } = {},
): number {
  const { mode = 0o666 } = options;
  const result = libc().open(cString(path), flags | O_CLOEXEC, mode);
  return checkPath(result, ERRNO[0], "open file", "open", path, options);
}

/** Checks the result of a call on a path. */
function checkPath(
  result: number,
  errno: number,
  action: string,
  syscall: string,
  path: string,
  options: CallOptions,
): number {
  return check(result, errno, { action, ...options, syscall, path });
}

/**
 * Closes a file descriptor. Never throws: Linux releases the descriptor even if
 * it reports an error.
 */
export function close(fd: number): void {
  libc().close(fd);
}

/**
 * Makes a descriptor from another program closed on exec and nonblocking, like
 * this program's own.
 */
export function adopt(fd: number, options: CallOptions = {}): void {
  const { fcntl } = libc();
  const call = { action: "use open file", ...options, syscall: "fcntl" };
  check(fcntl(fd, F_SETFD, FD_CLOEXEC), ERRNO[0], call);
  const flags = check(fcntl(fd, F_GETFL, 0), ERRNO[0], call);
  check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), ERRNO[0], call);
}

/** Reads into `buffer`; returns the number of bytes, 0 at the end. */
export function read(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
  options: CallOptions = {},
): number {
  const result = libc().read(fd, buffer, BigInt(buffer.byteLength));
  return check(result, ERRNO[0], {
    action: "read file",
    ...options,
    syscall: "read",
  });
}

/** Writes `bytes` in one call; returns how many were written. */
export function write(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  options: CallOptions = {},
): number {
  const result = libc().write(fd, bytes, BigInt(bytes.byteLength));
  return check(result, ERRNO[0], {
    action: "write file",
    ...options,
    syscall: "write",
  });
}

/** Calls ioctl with a number, or with a pointer to the bytes of `argument`. */
export function ioctl(
  fd: number,
  request: number,
  argument: number | Uint8Array<ArrayBuffer>,
  options: CallOptions = {},
): number {
  const result = typeof argument === "number"
    ? libc().ioctl(fd, BigInt(request), BigInt(argument))
    : libc().ioctl_pointer(fd, BigInt(request), argument);
  const action = "control device";
  return check(result, ERRNO[0], { action, ...options, syscall: "ioctl" });
}

/** Seeks to the end of an open file or block device; returns its length. */
export function seekToEnd(fd: number, options: CallOptions = {}): number {
  const result = Number(libc().lseek(fd, 0n, SEEK_END));
  return check(result, ERRNO[0], {
    action: "seek in file",
    ...options,
    syscall: "lseek",
  });
}

/**
 * Locks a file or directory until its descriptor is closed, explicitly or when
 * the process ends. Returns false if it is already locked.
 */
export function tryLock(fd: number, options: CallOptions = {}): boolean {
  if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = ERRNO[0];
  if (errno === Errno.EAGAIN) return false;
  const action = "lock file";
  throw systemError(errno, { action, ...options, syscall: "flock" });
}

/** Makes a directory. */
export function mkdir(
  path: string,
  options: CallOptions & { mode?: number } = {},
): void {
  const result = libc().mkdir(cString(path), options.mode ?? 0o777);
  checkPath(result, ERRNO[0], "make directory", "mkdir", path, options);
}

/** Removes an empty directory. */
export function rmdir(path: string, options: CallOptions = {}): void {
  const result = libc().rmdir(cString(path));
  checkPath(result, ERRNO[0], "remove directory", "rmdir", path, options);
}

/** Makes a symbolic link at `path` to `target`. */
export function symlink(
  target: string,
  path: string,
  options: CallOptions = {},
): void {
  const result = libc().symlink(cString(target), cString(path));
  checkPath(result, ERRNO[0], "make link", "symlink", path, options);
}

/** Removes a file or a link. */
export function unlink(path: string, options: CallOptions = {}): void {
  const result = libc().unlink(cString(path));
  checkPath(result, ERRNO[0], "remove file", "unlink", path, options);
}

/** Returns the target of a symbolic link. */
export function readlink(path: string, options: CallOptions = {}): string {
  const buffer = new Uint8Array(4096); // PATH_MAX
  const size = BigInt(buffer.byteLength);
  const result = libc().readlink(cString(path), buffer, size);
  const length = checkPath(
    result,
    ERRNO[0],
    "read link",
    "readlink",
    path,
    options,
  );
  return decoder.decode(buffer.subarray(0, length));
}

/** Like {@linkcode readlink}; `undefined` if the link does not exist. */
export function readlinkIfThere(path: string): string | undefined {
  try {
    return readlink(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Returns the absolute path, without links, of a file or directory. */
export function realPath(path: string, options: CallOptions = {}): string {
  const fd = open(path, O_RDONLY | O_NONBLOCK, options);
  try {
    return readlink(`/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}

/** Whether `path` exists; links are followed. */
export function exists(path: string): boolean {
  if (libc().access(cString(path), 0) === 0) return true;
  const errno = ERRNO[0];
  if (errno === Errno.ENOENT || errno === Errno.ENOTDIR) return false;
  throw systemError(errno, { action: "look up file", syscall: "access", path });
}

/** Lists a directory in the order of its file system, without `.` and `..`. */
export function list(
  path: string,
  options: CallOptions = {},
): DirectoryEntry[] {
  const call = { action: "list directory", ...options, path };
  const fd = open(path, O_RDONLY | architectureNumbers().O_DIRECTORY, call);
  try {
    return [...directoryEntries(fd, 32 * 1024, call)].flat();
  } finally {
    close(fd);
  }
}

/** Reads a whole file, even if its size is not known first, as in sysfs. */
export function readFile(
  path: string,
  options: CallOptions = {},
): Uint8Array<ArrayBuffer> {
  const call = { action: "read file", ...options, path };
  const fd = open(path, O_RDONLY, call);
  try {
    let bytes = new Uint8Array(4096);
    let length = 0;
    for (;;) {
      const count = read(fd, bytes.subarray(length), call);
      if (count === 0) return bytes.slice(0, length);
      length += count;
      if (length === bytes.byteLength) {
        const larger = new Uint8Array(2 * length);
        larger.set(bytes);
        bytes = larger;
      }
    }
  } finally {
    close(fd);
  }
}

/** Reads a whole file as text, without the newline at its end. */
export function readTextFile(path: string, options: CallOptions = {}): string {
  return decoder.decode(readFile(path, options)).replace(/\n$/, "");
}

/**
 * Writes an existing file in a single call, as configfs and sysfs require.
 *
 * @throws {Error} If the kernel refuses the content, or takes only part of it.
 */
export function writeFile(
  path: string,
  content: string | Uint8Array<ArrayBuffer>,
  options: CallOptions = {},
): void {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const call = { action: "write file", ...options, path };
  const fd = open(path, O_WRONLY, call);
  try {
    const count = write(fd, bytes, call);
    if (count !== bytes.byteLength) {
      throw errorOf(
        Errno.EIO,
        `Cannot ${call.action}: ${count} of ${bytes.byteLength} bytes were taken: ${path}`,
        { syscall: "write", path },
      );
    }
  } finally {
    close(fd);
  }
}
