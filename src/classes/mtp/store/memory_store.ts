/**
 * Files in memory as a storage.
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";
import {
  checkArgument,
  checkOptions,
  isPlain,
  isWithin,
  type Rule,
  type Rules,
  TEXT,
} from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import { ResponseError } from "../protocol/response.ts";
import { MemoryChanges } from "./memory_changes.ts";
import { MemoryContents, Room } from "./memory_contents.ts";
import {
  isPath,
  type MemoryFile,
  type MemoryNode,
  newFolder,
  nodeAt,
  placeAt,
  put,
  release,
  splitPath,
  take,
} from "./memory_tree.ts";
import type {
  EditableFile,
  NewFile,
  NewFileOptions,
  ObjectEntry,
  ObjectFile,
  ObjectStore,
  StoreSpace,
} from "./object_store.ts";

/**
 * Options of {@linkcode memoryStore}.
 *
 * @category Object stores
 */
export interface MemoryStoreOptions {
  /**
   * What is in it at first, by path: names with slashes between them. Bytes are
   * copied; a string is a text in UTF-8. By default nothing.
   */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  /** Bytes of all files together. By default 64 MiB. */
  readonly capacity?: number;
}

/**
 * Files and folders in memory: see {@linkcode memoryStore}. All methods finish
 * before they return.
 *
 * @category Object stores
 */
export interface MemoryStore extends ObjectStore {
  /**
   * Returns a copy of a file's bytes; `undefined` if there is no file of that path.
   */
  get(path: string): Uint8Array<ArrayBuffer> | undefined;
  /**
   * Makes a file, with the folders that it needs, or gives it other bytes, which are
   * copied. Hosts are informed.
   *
   * @param content A string is a text in UTF-8.
   * @throws {TypeError} If the path has empty names, `.`, `..`, NUL characters or
   * names of more than 255 characters, or leads through a file or to a folder.
   * @throws {ResponseError} `Store_Full` if there is not enough room.
   */
  set(path: string, content: Uint8Array | string): void;
  /**
   * Removes a file, or a folder with all that is in it. Hosts are informed.
   *
   * @returns Whether it existed.
   */
  delete(path: string): boolean;

  list(folder: string): Iterable<ObjectEntry>;
  look(path: string): ObjectEntry | undefined;
  open(path: string): ObjectFile;
  space(): StoreSpace;
  watch(changed: (folder?: string) => void): Disposable;
  create(path: string, options: NewFileOptions): NewFile;
  makeFolder(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  edit(path: string): EditableFile;
}

const ACTION = "make memory store";
const FILES: Rule = {
  expected: "an object with contents by path",
  accepts: isPlain,
};
const CAPACITY: Rule = {
  expected: "a number of bytes",
  accepts: (value) => isWithin(value, 0, Number.MAX_SAFE_INTEGER),
};
const OPTIONS: Rules<MemoryStoreOptions> = { files: FILES, capacity: CAPACITY };

/**
 * Makes an {@linkcode ObjectStore} of files in memory, which hosts and the program
 * read and change. It is empty again when the program ends. Memory is taken for what
 * is written.
 *
 * Calls of hosts fail with the {@linkcode ResponseError} that they get.
 *
 * @throws {TypeError} If an argument is of another type, an option unknown, or a
 * path not possible: see {@linkcode MemoryStore.set}.
 * @throws {ResponseError} `Store_Full` if the files do not fit.
 *
 * @example
 * ```ts
 * import { memoryStore } from "@usb/gadget/mtp";
 * import { assertEquals } from "@std/assert";
 *
 * const store = memoryStore({
 *   files: { "readme.txt": "Drop files here\n" },
 *   capacity: 1 << 20,
 * });
 * store.set("logs/today.txt", "It works\n");
 * assertEquals([...store.list("")].map(({ name }) => name), [
 *   "readme.txt",
 *   "logs",
 * ]);
 * assertEquals(store.get("logs/today.txt")?.byteLength, 9);
 * assertEquals(store.delete("logs"), true);
 * ```
 *
 * @category Object stores
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkOptions(ACTION, options, OPTIONS);
  const { files = {}, capacity = 64 << 20 } = options;
  const root = newFolder();
  const room = new Room(capacity);
  const changes = new MemoryChanges();

  function file(path: string): MemoryFile {
    const node = nodeAt(root, path);
    if (node === undefined) throw new ResponseError("Invalid_ObjectHandle");
    if (node.kind === "folder") throw new ResponseError("Access_Denied");
    return node;
  }

  function set(action: string, path: string, content: Uint8Array | string) {
    checkPath(action, path);
    const bytes = bytesOf(action, path, content);
    const names = path.split("/");
    const parents = names.map((_, index) => names.slice(0, index).join("/"));
    for (const parent of parents) {
      if ((nodeAt(root, parent) ?? root).kind === "folder") continue;
      throw new TypeError(`Cannot ${action}: ${show(parent)} is a file`);
    }
    const before = nodeAt(root, path);
    if (before?.kind === "folder") {
      throw new TypeError(`Cannot ${action}: ${show(path)} is a folder`);
    }
    room.check(bytes.byteLength - (before?.contents.byteLength ?? 0));
    // Whoever has the old one open goes on with it.
    if (before !== undefined) {
      release(before);
      take(placeAt(root, path));
    }
    const contents = new MemoryContents(room);
    contents.write(0, bytes);
    for (const parent of parents.slice(1)) {
      if (nodeAt(root, parent) !== undefined) continue;
      put(placeAt(root, parent), newFolder());
      changes.in(splitPath(parent).folder);
    }
    put(placeAt(root, path), { kind: "file", contents });
    changes.in(splitPath(path).folder);
  }

  for (const [path, content] of Object.entries(files)) {
    set(ACTION, path, content);
  }
  return {
    get(path) {
      const node = nodeAt(root, path);
      if (node?.kind !== "file") return undefined;
      const bytes = new Uint8Array(node.contents.byteLength);
      node.contents.read(0, bytes);
      return bytes;
    },
    set: (path, content) => set("set file", path, content),
    delete(path) {
      checkPath("delete file", path);
      const node = nodeAt(root, path);
      if (node === undefined) return false;
      release(node);
      take(placeAt(root, path));
      changes.in(splitPath(path).folder);
      return true;
    },
    *list(folder) {
      const node = nodeAt(root, folder);
      if (node?.kind !== "folder") {
        throw new ResponseError("Invalid_ObjectHandle");
      }
      for (const [name, child] of node.children) yield entryOf(name, child);
    },
    look(path) {
      const node = nodeAt(root, path);
      return node && entryOf(splitPath(path).name, node);
    },
    open: (path) => file(path).contents,
    space: () => ({ capacity: room.capacity, free: room.free }),
    watch: (changed) => changes.subscribe(changed),
    create(path, { size = 0, modified }) {
      const place = placeAt(root, path);
      if (place.node !== undefined) throw new ResponseError("Access_Denied");
      room.check(size);
      const contents = new MemoryContents(room);
      let committed = false;
      return {
        write: (offset, from) => contents.write(offset, from),
        commit() {
          put(placeAt(root, path), { kind: "file", contents });
          contents.modified = modified ?? Date.now();
          committed = true;
        },
        close() {
          if (!committed) contents.release();
        },
      };
    },
    makeFolder: (path) => put(placeAt(root, path), newFolder()),
    rename(from, to) {
      const old = placeAt(root, from);
      const place = placeAt(root, to);
      if (old.node === undefined) {
        throw new ResponseError("Invalid_ObjectHandle");
      }
      // Not into itself
      if (to.startsWith(`${from}/`)) {
        throw new ResponseError("Invalid_Parameter");
      }
      put(place, old.node);
      take(old);
    },
    remove(path) {
      const place = placeAt(root, path);
      const { node } = place;
      if (node === undefined) throw new ResponseError("Invalid_ObjectHandle");
      if (node.kind === "folder" && node.children.size > 0) {
        throw new ResponseError("Partial_Deletion");
      }
      release(node);
      take(place);
    },
    edit: (path) => file(path).contents,
  };
}

function entryOf(name: string, node: MemoryNode): ObjectEntry {
  const { kind } = node;
  if (kind === "folder") {
    return { name, kind, size: 0, modified: node.modified };
  }
  const { byteLength, modified } = node.contents;
  return { name, kind, size: byteLength, modified };
}

function checkPath(action: string, path: string): void {
  checkArgument(action, "the path", path, TEXT);
  if (isPath(path)) return;
  throw new TypeError(
    `Cannot ${action}: the path must be names of 1 to 255 characters with slashes between them, without "." and "..", is ${
      show(path)
    }`,
  );
}

function bytesOf(
  action: string,
  path: string,
  content: Uint8Array | string,
): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  const problem = bytesProblem(content, "a Uint8Array or a string");
  if (problem === undefined) return content;
  throw new TypeError(`Cannot ${action}: ${show(path)} ${problem}`);
}
