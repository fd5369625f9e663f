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
import { type FileStatus, FileTree } from "../../../files/file_tree.ts";
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
}

const OPTIONS: Rules<DirectoryStoreOptions> = { readOnly: FLAG };
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
  const { readOnly = false } = options;
  return readOnly
    ? reading(new FileTree(ACTION, path, "directory"))
    : writing(new WritableTree(ACTION, path, "directory"));
}

function reading(tree: FileTree): ObjectStore {
  return {
    list: (folder) => entriesOf(tree, folder, () => {}),
    look(path) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const status = isUnfinished(name) ? undefined : tree.look(path);
      return status && entryOf(name, status);
    },
    open: (path) => tree.open(path),
    space: () => tree.space(),
  };
}

function writing(tree: WritableTree): ObjectStore {
  return {
    ...reading(tree),
    list: (folder) =>
      entriesOf(tree, folder, (path) => tree.removeAbandoned(path)),
    create: (path, options) => tree.create(path, options),
    makeFolder: (path) => tree.makeDirectory(path),
    rename: (from, to) => tree.rename(from, to),
    remove: (path) => tree.remove(path),
    edit: (path) => tree.open(path, { write: true }),
  };
}

/** @param unfinished Called with the path of each file that is not complete. */
function* entriesOf(
  tree: FileTree,
  folder: string,
  unfinished: (path: string) => void,
): Generator<ObjectEntry> {
  for (const piece of tree.list(folder, "list directory")) {
    for (const { name, ...status } of piece) {
      if (isUnfinished(name)) {
        if (status.kind === "file") {
          unfinished(folder === "" ? name : `${folder}/${name}`);
        }
        continue;
      }
      const entry = entryOf(name, status);
      if (entry !== undefined) yield entry;
    }
  }
}

function entryOf(
  name: string,
  { kind, size, modified }: FileStatus,
): ObjectEntry | undefined {
  if (kind === "file") return { name, kind, size, modified };
  if (kind !== "directory") return undefined;
  return { name, kind: "folder", size: 0, modified };
}
