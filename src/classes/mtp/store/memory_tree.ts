/**
 * Files and folders in memory, by their paths.
 *
 * @module
 */
import type { MemoryContents } from "./memory_contents.ts";
import { ResponseError } from "../protocol/response.ts";

/** A file in memory. */
export interface MemoryFile {
  readonly kind: "file";
  readonly contents: MemoryContents;
}

/** A folder in memory. */
export interface MemoryFolder {
  readonly kind: "folder";
  readonly children: Map<string, MemoryNode>;
  /** In milliseconds since 1970. */
  modified: number;
}

/** A file or a folder. */
export type MemoryNode = MemoryFile | MemoryFolder;

/** A place in a folder, whether or not there is something. */
export interface MemoryPlace {
  readonly folder: MemoryFolder;
  readonly name: string;
  readonly node: MemoryNode | undefined;
}

/** Makes an empty folder. */
export function newFolder(): MemoryFolder {
  return { kind: "folder", children: new Map(), modified: Date.now() };
}

/** Whether names with slashes between them can be of files and folders. */
export function isPath(path: string): boolean {
  return path.split("/").every((name) =>
    // deno-lint-ignore no-control-regex -- as for a directory of this machine
    name.length <= 255 && !/^\.{0,2}$|\x00/.test(name)
  );
}

/** What a path leads to; `undefined` if it does not exist. `""` is the root. */
export function nodeAt(
  root: MemoryFolder,
  path: string,
): MemoryNode | undefined {
  let node: MemoryNode | undefined = root;
  for (const name of path === "" ? [] : path.split("/")) {
    node = node?.kind === "folder" ? node.children.get(name) : undefined;
  }
  return node;
}

/**
 * The place of a path. Throws `Invalid_ObjectHandle` if its folder does not exist,
 * and `Invalid_Parameter` for the root and names that are not possible.
 */
export function placeAt(root: MemoryFolder, path: string): MemoryPlace {
  if (!isPath(path)) throw new ResponseError("Invalid_Parameter");
  const { folder: parent, name } = splitPath(path);
  const folder = nodeAt(root, parent);
  if (folder?.kind !== "folder") {
    throw new ResponseError("Invalid_ObjectHandle");
  }
  return { folder, name, node: folder.children.get(name) };
}

/** The path of the folder, and the name in it. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return {
    folder: path.slice(0, Math.max(0, slash)),
    name: path.slice(slash + 1),
  };
}

/** Puts a node where nothing is. Throws `Access_Denied` if something is. */
export function put(
  { folder, name }: MemoryPlace,
  node: MemoryNode,
): void {
  if (folder.children.has(name)) throw new ResponseError("Access_Denied");
  folder.children.set(name, node);
  folder.modified = Date.now();
}

/** Takes a node out of its folder. */
export function take({ folder, name }: MemoryPlace): void {
  folder.children.delete(name);
  folder.modified = Date.now();
}

/** Gives the room of a node back, with all that is in it. */
export function release(node: MemoryNode): void {
  if (node.kind === "file") return node.contents.release();
  for (const child of node.children.values()) release(child);
}
