/**
 * The files and directories of a disk, wherever they come from.
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";
import { isPlain, isWithin, OBJECT } from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import { FileTree } from "../../../files/file_tree.ts";
import { type Content, MemoryContent } from "./segments.ts";
import type { Slices } from "../../slices.ts";
import type { FatDirectory, FatEntry, FatFile } from "./source.ts";

export const ACTION = "make FAT disk";
/** The most bytes of a file. */
const MAX_FILE = 2 ** 32 - 1;

/** A file. */
export interface FileNode {
  /** As in the source. */
  readonly name: string;
  /** In milliseconds since 1970. */
  readonly modified: number;
  readonly content: Content;
}

/** A directory. */
export interface DirectoryNode {
  readonly name: string;
  readonly modified: number;
  readonly entries: readonly TreeNode[];
}

/** A file or directory. */
export type TreeNode = FileNode | DirectoryNode;

/** Whether a node is a directory. */
export function isDirectory(node: TreeNode): node is DirectoryNode {
  return "entries" in node;
}

/** Reads the names and sizes of a source. */
export class TreeReader {
  readonly #slices: Slices;
  readonly #now: number;

  /** @param now When files in memory were modified, in milliseconds since 1970. */
  constructor(slices: Slices, now: number) {
    this.#slices = slices;
    this.#now = now;
  }

  /** Reads all of it, and returns its root. */
  async read(source: string | URL | FatDirectory): Promise<DirectoryNode> {
    if (typeof source === "string" || source instanceof URL) {
      const path = typeof source === "string"
        ? source
        : pathOf(source, "source");
      const node = await this.#onDisk("", path);
      if (isDirectory(node)) return node;
      throw new TypeError(`Cannot ${ACTION}: it is no directory: ${path}`);
    }
    if (isPlain(source)) return await this.#directory("", "", source, []);
    throw new TypeError(
      `Cannot ${ACTION}: the source must be a path, a URL or an object with files, is ${
        show(source)
      }`,
    );
  }

  async #directory(
    name: string,
    path: string,
    directory: FatDirectory,
    parents: readonly object[],
  ): Promise<DirectoryNode> {
    if (parents.includes(directory)) {
      throw new TypeError(
        `Cannot ${ACTION}: directory ${show(path)} contains itself`,
      );
    }
    const entries: TreeNode[] = [];
    for (const [name, entry] of Object.entries(directory)) {
      if (this.#slices.isOver) await this.#slices.next();
      if (/^\.{0,2}$|\//.test(name)) {
        throw new TypeError(
          `Cannot ${ACTION}: ${show(name)} is no name of a file: ${
            name.includes("/")
              ? "nest objects for directories"
              : "choose another"
          }`,
        );
      }
      const entryPath = path === "" ? name : `${path}/${name}`;
      entries.push(
        await this.#entry(name, entryPath, entry, [...parents, directory]),
      );
    }
    return { name, modified: this.#now, entries };
  }

  #entry(
    name: string,
    path: string,
    entry: FatEntry,
    parents: readonly object[],
  ): TreeNode | Promise<TreeNode> {
    if (typeof entry === "string") {
      return this.#inMemory(name, new TextEncoder().encode(entry));
    }
    if (entry instanceof URL) return this.#onDisk(name, pathOf(entry, path));
    if (bytesProblem(entry) === undefined) {
      return this.#inMemory(name, entry as Uint8Array);
    }
    if (isFile(entry)) {
      const { size, modified } = entry;
      checkSize(path, size);
      if (modified === undefined || isTime(modified)) {
        const time = modified?.getTime() ?? this.#now;
        const read: FatFile["read"] = (offset, into) =>
          entry.read(offset, into);
        return { name, modified: time, content: { size, read } };
      }
      throw new TypeError(
        `Cannot ${ACTION}: modified of ${show(path)} must be a valid Date, is ${
          show(modified)
        }`,
      );
    }
    if (isPlain(entry)) {
      return this.#directory(name, path, entry as FatDirectory, parents);
    }
    throw new TypeError(
      `Cannot ${ACTION}: ${
        show(path)
      } must be a string, a Uint8Array, a URL, or an object with a read method or with files, is ${
        show(entry)
      }`,
    );
  }

  #inMemory(name: string, bytes: Uint8Array): FileNode {
    return { name, modified: this.#now, content: new MemoryContent(bytes) };
  }

  /** @param path Where it is on this machine. */
  async #onDisk(name: string, path: string): Promise<TreeNode> {
    const tree = new FileTree(ACTION, path);
    const { kind, size, modified } = tree.status;
    if (kind === "directory") {
      return await this.#list(tree, name, "", modified);
    }
    if (kind === "file") return fileOnDisk(tree, name, "", size, modified);
    throw new TypeError(
      `Cannot ${ACTION}: it is neither a file nor a directory: ${path}`,
    );
  }

  async #list(
    tree: FileTree,
    name: string,
    path: string,
    modified: number,
  ): Promise<DirectoryNode> {
    const found = [];
    for (const piece of tree.list(path)) {
      found.push(...piece);
      if (this.#slices.isOver) await this.#slices.next();
    }
    // Players and printers show files in the order of the directory.
    found.sort((a, b) => a.name < b.name ? -1 : 1);
    const entries: TreeNode[] = [];
    for (const { name, kind, size, modified } of found) {
      const below = path === "" ? name : `${path}/${name}`;
      if (kind === "directory") {
        entries.push(await this.#list(tree, name, below, modified));
      } else if (kind === "file") {
        entries.push(fileOnDisk(tree, name, below, size, modified));
      }
    }
    return { name, modified, entries };
  }
}

function fileOnDisk(
  tree: FileTree,
  name: string,
  path: string,
  size: number,
  modified: number,
): FileNode {
  checkSize(tree.pathOf(path), size);
  return {
    name,
    modified,
    content: {
      size,
      read: (offset, into) => tree.read(path, offset, into),
    },
  };
}

function isFile(entry: object): entry is FatFile {
  return OBJECT.accepts(entry) && "read" in entry &&
    typeof entry.read === "function";
}

function isTime(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** @throws {RangeError} If FAT cannot have a file of a size. */
function checkSize(path: string, size: number): void {
  if (isWithin(size, 0, MAX_FILE)) return;
  throw new RangeError(
    `Cannot ${ACTION}: a file can have 4 GiB - 1 bytes at most, ${
      show(path)
    } has ${show(size)}`,
  );
}

/** The path of a file or directory of this machine. */
function pathOf(url: URL, what: string): string {
  const { protocol, hostname, pathname, href } = url;
  try {
    if (protocol === "file:" && hostname === "") {
      return decodeURIComponent(pathname);
    }
  } catch {
    // Bytes that are not UTF-8
  }
  throw new TypeError(
    `Cannot ${ACTION}: the URL of ${
      show(what)
    } must begin with "file:///", and be UTF-8, is ${show(href)}`,
  );
}
