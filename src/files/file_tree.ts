/**
 * A directory with all that is in it, as it is on this machine.
 *
 * @module
 */
import {
  architectureNumbers,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { close, realPath } from "../../ffi/file.ts";
import { directoryEntries } from "../../ffi/files/directory.ts";
import { type FileSystemSpace, spaceOf } from "../../ffi/files/space.ts";
import { type FileStatus, statusAt } from "../../ffi/files/status.ts";
import { atPlace, type Call, openBelow } from "./descend.ts";
import { OpenFile } from "./open_file.ts";

export type { FileStatus, FileSystemSpace };

/** A file or directory in its directory. */
export interface FileEntry extends FileStatus {
  /**
   * Its name. What is not UTF-8 has unpaired surrogates in it, by which it is
   * found again.
   */
  readonly name: string;
}

/** Bytes for the names of one piece of a directory: about a hundred of them. */
const PIECE = 4096;

/**
 * A directory with all that is in it, or a single file. No link in it is ever
 * followed, not even one that takes the place of a directory later.
 *
 * Paths are names with slashes between them; `""` is the root. Those with names
 * that no file can have fail with EINVAL.
 */
export class FileTree {
  readonly #action: string;
  /** The absolute path of the root, without links. */
  protected readonly root: string;
  /** What the root is. */
  readonly status: FileStatus;

  /**
   * @param action What fails, after "Cannot".
   * @param path The root. A link to it is followed, now.
   * @param kind What it must be.
   * @throws {Error} If it cannot be opened for reading; ENOTDIR if it must be a
   * directory and is none.
   */
  constructor(action: string, path: string, kind?: "directory") {
    this.#action = action;
    this.root = realPath(path, { action });
    const call = { action, path };
    const fd = openBelow(this.root, "", O_RDONLY | O_NONBLOCK, call);
    try {
      this.status = statusAt(fd, "", call);
    } finally {
      close(fd);
    }
    if (kind === undefined || this.status.kind === kind) return;
    throw errorOf(
      Errno.ENOTDIR,
      `Cannot ${action}: it must be a directory, is a ${this.status.kind}: ${path}`,
      { syscall: "open", path },
    );
  }

  /** The absolute path of a file, for messages. */
  pathOf(path: string): string {
    return path === "" ? this.root : `${this.root}/${path}`;
  }

  /**
   * Lists a directory in the order of its file system, piece by piece. A piece
   * takes well below a millisecond if the file system does not wait.
   *
   * @param action What fails; by default that of the tree.
   */
  *list(path: string, action: string = this.#action): Generator<FileEntry[]> {
    const call = this.call(action, path);
    const flags = O_RDONLY | architectureNumbers().O_DIRECTORY;
    const fd = openBelow(this.root, path, flags, call);
    try {
      for (const piece of directoryEntries(fd, PIECE, call)) {
        yield piece.flatMap(({ name }) => {
          const path = `${call.path}/${name}`;
          const status = statusIfThere(fd, name, { ...call, path });
          return status === undefined ? [] : [{ name, ...status }];
        });
      }
    } finally {
      close(fd);
    }
  }

  /** Returns what a path is now; `undefined` if it does not exist. */
  look(path: string): FileStatus | undefined {
    const call = this.call("look up file", path);
    if (path === "") {
      const fd = openBelow(this.root, "", O_PATH, call);
      try {
        return statusAt(fd, "", call);
      } finally {
        close(fd);
      }
    }
    try {
      return atPlace(
        this.root,
        path,
        call,
        ({ directory, name }) => statusIfThere(directory, name, call),
      );
    } catch (error) {
      // Something on the way is gone, or no directory any more.
      if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  }

  /**
   * Opens a file.
   *
   * @throws {Error} If it does not exist, is no file, or cannot be opened: EISDIR
   * for a directory, ENOENT for a link or a special file.
   */
  open(path: string, { write = false } = {}): OpenFile {
    const call = this.call("open file", path);
    const status = this.look(path);
    // Before it is opened: some devices act then.
    if (status !== undefined) checkFile(status, call);
    return this.#openFile(call, path, write ? O_RDWR : O_RDONLY);
  }

  /** Returns the room of the file system of the root. */
  space(): FileSystemSpace {
    const call = this.call("look up free space", "");
    const fd = openBelow(this.root, "", O_PATH, call);
    try {
      return spaceOf(fd, call);
    } finally {
      close(fd);
    }
  }

  /**
   * Reads from a file. What the page cache has is read at once.
   *
   * @param path Names with slashes between them; `""` for the root.
   * @param into Filled up to the end of the file.
   * @throws {Error} If the file does not exist any more, is no file any more, or
   * cannot be read.
   */
  read(
    path: string,
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): void | Promise<void> {
    const call = this.call("read file", path);
    const file = this.#openFile(call, path, O_RDONLY);
    try {
      const count = file.read(offset, into);
      if (typeof count !== "number") return count.then(() => {});
    } finally {
      // It stays open for a call that is pending.
      file.close();
    }
  }

  /** What a failure with a path is reported with. */
  protected call(action: string, path: string): Call {
    return { action, path: this.pathOf(path) };
  }

  #openFile(call: Call, path: string, flags: number): OpenFile {
    // A pipe that has taken its place does not wait.
    const fd = openBelow(this.root, path, flags | O_NONBLOCK, call);
    try {
      const status = statusAt(fd, "", call);
      checkFile(status, call);
      return new OpenFile(call.path, {}, { fd, status });
    } catch (error) {
      close(fd);
      throw error;
    }
  }
}

function statusIfThere(
  fd: number,
  name: string,
  call: Call,
): FileStatus | undefined {
  try {
    return statusAt(fd, name, call);
  } catch (error) {
    // It has gone in the meantime.
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function checkFile({ kind }: FileStatus, { action, path }: Call): void {
  if (kind === "file") return;
  throw errorOf(
    kind === "directory" ? Errno.EISDIR : Errno.ENOENT,
    `Cannot ${action}: it is a ${kind} now: ${path}`,
    { syscall: "openat", path },
  );
}
