/**
 * A directory with all that is in it, as it is on this machine.
 *
 * @module
 */
import { architectureNumbers, O_NONBLOCK, O_RDONLY } from "../../ffi/abi.ts";
import { type FailedCall, isSystemError } from "../../ffi/errno.ts";
import { close, open, realPath } from "../../ffi/file.ts";
import { directoryEntries, openAt } from "../../ffi/files/directory.ts";
import { type FileStatus, statusAt } from "../../ffi/files/status.ts";
import { OpenFile } from "./open_file.ts";

export type { FileStatus };

/** A file or directory in its directory. */
export interface FileEntry extends FileStatus {
  /**
   * Its name. What is not UTF-8 has unpaired surrogates in it, by which it is
   * found again.
   */
  readonly name: string;
}

type Call = Omit<FailedCall, "syscall">;

/** Bytes for the names of one piece of a directory: about a hundred of them. */
const PIECE = 4096;

/**
 * A directory with all that is in it, or a single file. No link in it is ever
 * followed, not even one that takes the place of a directory later.
 */
export class FileTree {
  readonly #action: string;
  readonly #root: string;
  /** What the root is. */
  readonly status: FileStatus;

  /**
   * @param action What fails, after "Cannot".
   * @param path The root. A link to it is followed, now.
   * @throws {Error} If it cannot be opened for reading.
   */
  constructor(action: string, path: string) {
    this.#action = action;
    this.#root = realPath(path, { action });
    const call = { action, path };
    const fd = this.#open(call, "", O_NONBLOCK);
    try {
      this.status = statusAt(fd, "", call);
    } finally {
      close(fd);
    }
  }

  /** The absolute path of a file, for messages. */
  pathOf(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }

  /**
   * Lists a directory in the order of its file system, piece by piece. A piece
   * takes well below a millisecond if the file system does not wait.
   *
   * @param path Names with slashes between them; `""` for the root.
   */
  *list(path: string): Generator<FileEntry[]> {
    const call = { action: this.#action, path: this.pathOf(path) };
    const fd = this.#open(call, path, architectureNumbers().O_DIRECTORY);
    try {
      for (const piece of directoryEntries(fd, PIECE, call)) {
        yield piece.flatMap(({ name }) => {
          const path = `${call.path}/${name}`;
          try {
            return { name, ...statusAt(fd, name, { ...call, path }) };
          } catch (error) {
            // It has gone in the meantime.
            if (isSystemError(error, "ENOENT")) return [];
            throw error;
          }
        });
      }
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
    const file = this.#openFile(path);
    try {
      const count = file.read(offset, into);
      if (typeof count !== "number") return count.then(() => {});
    } finally {
      // It stays open for a call that is pending.
      file.close();
    }
  }

  #openFile(path: string): OpenFile {
    const call = { action: "read file", path: this.pathOf(path) };
    // A pipe that has taken its place does not wait.
    const fd = this.#open(call, path, O_NONBLOCK);
    try {
      const status = statusAt(fd, "", call);
      if (status.kind === "file") {
        return new OpenFile(call.path, {}, { fd, status });
      }
      throw new TypeError(
        `Cannot ${call.action}: it is a ${status.kind} now: ${call.path}`,
      );
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** Opens one name after another, so that none of them is a link. */
  #open(call: Call, path: string, flags: number): number {
    const { O_DIRECTORY, O_NOFOLLOW } = architectureNumbers();
    const names = path === "" ? [] : path.split("/");
    const flagsAt = (depth: number) =>
      O_RDONLY | O_NOFOLLOW | (depth === names.length ? flags : O_DIRECTORY);
    let fd = open(this.#root, flagsAt(0), call);
    for (const [index, name] of names.entries()) {
      try {
        const next = openAt(fd, name, flagsAt(index + 1), call);
        close(fd);
        fd = next;
      } catch (error) {
        close(fd);
        throw error;
      }
    }
    return fd;
  }
}
