/**
 * A directory in which files and directories are made, moved and removed.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import {
  makeDirectoryAt,
  type Place,
  removeAt,
  renameAt,
} from "../../ffi/files/change.ts";
import { statusAt } from "../../ffi/files/status.ts";
import { atPlace, type Call, openPlace } from "./descend.ts";
import { FileTree } from "./file_tree.ts";
import {
  isUnfinished,
  NewFile,
  type NewFileOptions,
  removeAbandoned,
} from "./new_file.ts";

export { isUnfinished };
export type { NewFile, NewFileOptions };

/**
 * A {@linkcode FileTree} that changes. Nothing is ever replaced, and only files and
 * directories are touched: links and special files do not exist for it.
 */
export class WritableTree extends FileTree {
  /**
   * Begins a file that is not there before its commit.
   *
   * @throws {Error} EEXIST if there is something of that name; ENOSPC if it does not
   * fit; otherwise what the system reports.
   */
  create(path: string, options: NewFileOptions): NewFile {
    const call = this.call("make file", path);
    refuseUnfinished(path, call);
    return new NewFile(openPlace(this.root, path, call), options, call);
  }

  /** Makes a directory. Throws EEXIST if there is something of that name. */
  makeDirectory(path: string): void {
    const call = this.call("make directory", path);
    refuseUnfinished(path, call);
    this.#at(path, call, (place) => makeDirectoryAt(place, call));
  }

  /**
   * Moves a file or a directory. Throws EEXIST if there is something of the new
   * name; EXDEV if that is on another file system.
   */
  rename(from: string, to: string): void {
    const call = this.call("move file", from);
    const target = this.call("move file", to);
    refuseUnfinished(to, target);
    this.#at(from, call, (old) => {
      kindOf(old, call);
      this.#at(to, target, (place) => renameAt(old, place, target));
    });
  }

  /** Removes a file or an empty directory. */
  remove(path: string): void {
    const call = this.call("remove file", path);
    this.#at(path, call, (place) => removeAt(place, kindOf(place, call), call));
  }

  /** Removes a file that a process has left unfinished: see {@linkcode isUnfinished}. */
  removeAbandoned(path: string): void {
    const call = this.call("remove unfinished file", path);
    this.#at(path, call, (place) => removeAbandoned(place, call));
  }

  #at<T>(path: string, call: Call, work: (place: Place) => T): T {
    return atPlace(this.root, path, call, work);
  }
}

function kindOf(
  { directory, name }: Place,
  call: Call,
): "file" | "directory" {
  const { kind } = statusAt(directory, name, call);
  if (kind === "file" || kind === "directory") return kind;
  throw errorOf(
    Errno.ENOENT,
    `Cannot ${call.action}: it is a ${kind}: ${call.path}`,
    { syscall: "statx", path: call.path },
  );
}

/** These names would be hidden, and removed. */
function refuseUnfinished(path: string, { action, path: shown }: Call): void {
  if (!isUnfinished(path.slice(path.lastIndexOf("/") + 1))) return;
  throw errorOf(
    Errno.EINVAL,
    `Cannot ${action}: names like this are those of unfinished files: ${shown}`,
    { syscall: "openat", path: shown },
  );
}
