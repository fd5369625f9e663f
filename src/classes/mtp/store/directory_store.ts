/**
 * A directory of this machine as a storage.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  FLAG,
  type Rules,
  TEXT,
} from "../../../arguments/rules.ts";
import { DirectoryWatch } from "../../../files/directory_watch.ts";
import type { FileStatus } from "../../../files/file_tree.ts";
import { isUnfinished, WritableTree } from "../../../files/writable_tree.ts";
import type { ObjectEntry, ObjectStore } from "./object_store.ts";

/**
 * Options of {@linkcode directoryStore}.
 *
 * @category Object stores
 */
export interface DirectoryStoreOptions {
  /** Whether hosts may change nothing. By default, they may. */
  readonly readOnly?: boolean;
  /** Whether hosts are informed of what other programs change. By default, they are. */
  readonly watch?: boolean;
}

const OPTIONS: Rules<DirectoryStoreOptions> = { readOnly: FLAG, watch: FLAG };
const ACTION = "make directory store";

/**
 * Makes an {@linkcode ObjectStore} of a directory of this machine. It needs only
 * `--allow-ffi`.
 *
 * - Files and folders are what the directory has at any depth, hidden ones as well.
 *   Links and special files (FIFOs, sockets, devices) are left out, and no link is
 *   ever followed, not even one that takes the place of a folder: nothing outside of
 *   the directory is read or changed. Other file systems that are mounted in it are
 *   part of it. A folder that holds only a link is not empty.
 * - A file that the host sends appears when it is complete. If the host or this
 *   program ends before, nothing remains: it has no name until then. Where the file
 *   system does not support that (FAT, FUSE), it has a hidden name,
 *   `.usb-gadget-….part`; one that a killed program has left is removed when its
 *   folder is next listed.
 * - Nothing is ever replaced: a name that exists fails with EEXIST.
 * - The event loop does not wait for the contents of files: what the page cache has
 *   is read at once, and everything else on another thread. Names and sizes are
 *   looked up on the event loop.
 * - `watch` reports what other programs change in the folders that are listed while
 *   it runs, some 100 ms later. It takes one inotify watch for each folder; folders
 *   beyond the user's limit (`fs.inotify.max_user_watches`) are not reported on.
 * - Names that are not UTF-8 have unpaired surrogates, by which they are found again.
 * - What was sent is written back to the disk by the kernel, some seconds later.
 *
 * Calls fail with errors of the system, whose `code` is ENOENT, EACCES, EEXIST,
 * ENOSPC and so on; and EINVAL for names that no file can have, such as `..`.
 *
 * @param path The directory, relative to the current one. It is resolved now, once.
 * @throws {TypeError} If an argument is of another type, or an option unknown.
 * @throws {Error} If the directory cannot be opened: what the system reports, such
 * as ENOENT and EACCES; ENOTDIR if it is something else.
 *
 * @example
 * ```ts ignore
 * import { directoryStore } from "@usb/gadget/mtp";
 *
 * const pictures = directoryStore("/srv/pictures", { readOnly: true });
 * ```
 *
 * @category Object stores
 */
export function directoryStore(
  path: string,
  options: DirectoryStoreOptions = {},
): ObjectStore {
  checkArgument(ACTION, "the path", path, TEXT);
  checkOptions(ACTION, options, OPTIONS);
  const { readOnly = false, watch = true } = options;
  const tree = new WritableTree(ACTION, path, "directory");
  const changes = new DirectoryWatch(tree.pathOf(""));
  return {
    ...reading(tree, changes, readOnly),
    ...(readOnly ? {} : writing(tree, changes)),
    ...(watch ? { watch: (changed) => changes.subscribe(changed) } : {}),
  };
}

type Reading = Pick<ObjectStore, "list" | "look" | "open" | "space">;
type Writing = Omit<ObjectStore, keyof Reading | "watch">;

function reading(
  tree: WritableTree,
  changes: DirectoryWatch,
  readOnly: boolean,
): Reading {
  return {
    *list(folder) {
      changes.add(folder);
      for (const piece of tree.list(folder, "list directory")) {
        for (const { name, ...status } of piece) {
          const entry = entryOf(name, status);
          if (entry !== undefined) yield entry;
          else if (!readOnly && isUnfinished(name) && status.kind === "file") {
            tree.removeAbandoned(folder === "" ? name : `${folder}/${name}`);
          }
        }
      }
    },
    look(path) {
      const status = tree.look(path);
      return status && entryOf(path.slice(path.lastIndexOf("/") + 1), status);
    },
    open: (path) => tree.open(path),
    space: () => tree.space(),
  };
}

function writing(tree: WritableTree, changes: DirectoryWatch): Writing {
  return {
    create(path, options) {
      const file = tree.create(path, options);
      return {
        write: (offset, from) => file.write(offset, from),
        commit: () =>
          changes.own([{ path, change: "added" }], () => file.commit()),
        close: () =>
          changes.own([{ path, change: "written" }], () => file.close()),
      };
    },
    makeFolder: (path) =>
      changes.own([{ path, change: "added" }], () => tree.makeDirectory(path)),
    rename: (from, to) =>
      changes.own([
        { path: from, change: "removed" },
        { path: to, change: "added" },
      ], () => {
        tree.rename(from, to);
        changes.follow(from, to);
      }),
    remove: (path) =>
      changes.own([{ path, change: "removed" }], () => {
        tree.remove(path);
        changes.forget(path);
      }),
    edit(path) {
      const file = tree.open(path, { write: true });
      return {
        get byteLength() {
          return file.byteLength;
        },
        read: (offset, into) => file.read(offset, into),
        write: (offset, from) => file.write(offset, from),
        resize: (byteLength) => file.resize(byteLength),
        close: () =>
          changes.own([{ path, change: "written" }], () => file.close()),
      };
    },
  };
}

function entryOf(
  name: string,
  { kind, size, modified }: FileStatus,
): ObjectEntry | undefined {
  if (isUnfinished(name)) return undefined;
  if (kind === "file") return { name, kind, size, modified };
  if (kind !== "directory") return undefined;
  return { name, kind: "folder", size: 0, modified };
}
