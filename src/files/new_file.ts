/**
 * Files that are not visible before they are complete.
 *
 * @module
 */
import {
  architectureNumbers,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { close, tryLock } from "../../ffi/file.ts";
import {
  isThere,
  linkOpenFile,
  type Place,
  removeAt,
  renameAt,
  setModified,
} from "../../ffi/files/change.ts";
import { openAt } from "../../ffi/files/directory.ts";
import { spaceOf } from "../../ffi/files/space.ts";
import { statusAt } from "../../ffi/files/status.ts";
import type { Call } from "./descend.ts";
import { OpenFile } from "./open_file.ts";

/** What is known of a file that is going to be written. */
export interface NewFileOptions {
  /** Bytes. If they do not fit on the file system, nothing is written. */
  readonly size?: number;
  /** When it was modified, in milliseconds since 1970. By default, when it is written. */
  readonly modified?: number;
}

/** Permissions, less those that the process does not give. */
const MODE = 0o666;
/** What open() reports where the file system has no files without a name. */
const NO_UNNAMED = ["EOPNOTSUPP", "EISDIR", "ENOENT", "EINVAL"];

/**
 * Whether this is the name of a file that is being written, on a file system that
 * has no files without a name.
 */
export function isUnfinished(name: string): boolean {
  return /^\.usb-gadget-[0-9a-f]{16}\.part$/.test(name);
}

function unfinishedName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `.usb-gadget-${bytes.toHex()}.part`;
}

/**
 * A file that is not in its directory before {@linkcode commit}.
 *
 * It has no name until then, so that nothing of it remains if this process ends. On
 * file systems where that cannot be, it has a hidden one ({@linkcode isUnfinished})
 * and a lock: see {@linkcode removeAbandoned}.
 */
export class NewFile {
  readonly #call: Call;
  readonly #place: Place;
  readonly #modified: number | undefined;
  readonly #fd: number;
  readonly #file: OpenFile;
  /** Its hidden name, while it has one. */
  #hidden: Place | undefined;

  /**
   * @param place Where it is going to be. Takes over the directory, also if it
   * fails.
   * @throws {Error} What the system reports, such as EACCES; EEXIST if the name
   * exists; ENOSPC if there is not enough room.
   */
  constructor(place: Place, options: NewFileOptions, call: Call) {
    this.#place = place;
    this.#call = call;
    this.#modified = options.modified;
    try {
      refuseExisting(place, call);
      checkSpace(place.directory, options.size, call);
      this.#fd = this.#make();
      const status = statusAt(this.#fd, "", call);
      this.#file = new OpenFile(call.path, {}, { fd: this.#fd, status });
    } catch (error) {
      close(place.directory);
      throw error;
    }
  }

  /** Writes all bytes. They must not be changed meanwhile. */
  write(
    offset: number,
    from: Uint8Array<ArrayBuffer>,
  ): number | Promise<number> {
    return this.#file.write(offset, from);
  }

  /**
   * Gives it its name. All writes must have ended.
   *
   * @throws {Error} EEXIST if the name exists now; otherwise what the system
   * reports.
   */
  commit(): void {
    const call = this.#call;
    if (this.#modified !== undefined) {
      setModified(this.#fd, this.#modified, call);
    }
    if (this.#hidden === undefined) {
      return linkOpenFile(this.#fd, this.#place, call);
    }
    renameAt(this.#hidden, this.#place, call);
    this.#hidden = undefined;
  }

  /** Closes it. What was not committed is gone. */
  close(): void {
    if (this.#hidden !== undefined) removeQuietly(this.#hidden, this.#call);
    this.#file.close();
    close(this.#place.directory);
  }

  /** Makes the file, without a name if that can be. */
  #make(): number {
    const { directory } = this.#place;
    const call = this.#call;
    const { O_TMPFILE } = architectureNumbers();
    try {
      return openAt(directory, ".", O_TMPFILE | O_RDWR, call, MODE);
    } catch (error) {
      if (!isSystemError(error, ...NO_UNNAMED)) throw error;
    }
    for (;;) {
      const hidden = { directory, name: unfinishedName() };
      const flags = O_CREAT | O_EXCL | O_RDWR;
      const fd = openAt(directory, hidden.name, flags, call, MODE);
      // Before it is locked, another process may think that it is abandoned.
      if (tryLock(fd, call) && isThere(hidden, call)) {
        this.#hidden = hidden;
        return fd;
      }
      removeQuietly(hidden, call);
      close(fd);
    }
  }
}

/**
 * Removes a file whose writer has ended before it was complete: it is not locked.
 *
 * @param hidden Its place: see {@linkcode isUnfinished}.
 */
export function removeAbandoned(hidden: Place, call: Call): void {
  // A pipe that has taken its place does not wait.
  const flags = O_RDONLY | O_NONBLOCK | architectureNumbers().O_NOFOLLOW;
  let fd;
  try {
    fd = openAt(hidden.directory, hidden.name, flags, call);
  } catch (error) {
    // Gone, or of another user
    if (isSystemError(error)) return;
    throw error;
  }
  try {
    if (tryLock(fd, call)) removeQuietly(hidden, call);
  } finally {
    close(fd);
  }
}

function removeQuietly(hidden: Place, call: Call): void {
  try {
    removeAt(hidden, "file", call);
  } catch (error) {
    // It is gone, or stays until the directory can be changed.
    if (!isSystemError(error)) throw error;
  }
}

function refuseExisting(place: Place, call: Call): void {
  if (!isThere(place, call)) return;
  throw errorOf(
    Errno.EEXIST,
    `Cannot ${call.action}: it exists: ${call.path}`,
    { syscall: "openat", path: call.path },
  );
}

function checkSpace(
  directory: number,
  size: number | undefined,
  call: Call,
): void {
  if (size === undefined) return;
  const { free } = spaceOf(directory, call);
  if (size <= free) return;
  throw errorOf(
    Errno.ENOSPC,
    `Cannot ${call.action}: it has ${size} bytes, but only ${free} are free: ${call.path}`,
    { syscall: "fstatvfs", path: call.path },
  );
}
