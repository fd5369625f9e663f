/**
 * What the parameters of operations mean.
 *
 * @module
 */
import { ALL } from "../protocol/codes.ts";
import { ResponseError } from "../protocol/response.ts";
import type { ObjectStore } from "../store/object_store.ts";
import type { ObjectNode } from "./object_node.ts";
import type { ObjectTable } from "./object_table.ts";
import type { Storage } from "./storage.ts";

/** Whether the host can change nothing in a storage. */
export function isReadOnly({ readOnly, store }: Storage): boolean {
  return readOnly || store.create === undefined;
}

/** The storage that the device chooses, where the host names none. */
export function firstStorage({ storages: [first] }: ObjectTable): Storage {
  if (first === undefined) throw new ResponseError("Store_Not_Available");
  return first;
}

/** Fails unless the host can change something in a storage. */
export function checkWritable(storage: Storage): void {
  if (isReadOnly(storage)) throw new ResponseError("Store_Read_Only");
}

/** Fails with `Access_Denied` if a store lacks a method. */
export function checkCapability<
  T extends "makeFolder" | "rename" | "remove" | "edit",
>(
  store: ObjectStore,
  method: T,
): asserts store is ObjectStore & Required<Pick<ObjectStore, T>> {
  if (store[method] === undefined) throw new ResponseError("Access_Denied");
}

/** The number in two parameters. */
export function number64(low: number, high: number): number {
  const value = high * 2 ** 32 + low;
  if (!Number.isSafeInteger(value)) {
    throw new ResponseError("Invalid_Parameter");
  }
  return value;
}

/** A file, with what the store says of it now. */
export async function currentFile(
  objects: ObjectTable,
  handle: number,
): Promise<ObjectNode> {
  const node = await objects.current(handle);
  if (node.isFolder) throw new ResponseError("Invalid_ObjectHandle");
  return node;
}

/**
 * The folder that a host means by a storage and a parent, in which 0 and 0xffffffff
 * are the root.
 */
export function folderFor(
  objects: ObjectTable,
  storageId: number,
  parent: number,
): ObjectNode {
  const root = objects.root(storageId);
  if (parent === 0 || parent === ALL) return root;
  const folder = parentFolder(objects, parent);
  if (folder.storage !== root.storage) {
    throw new ResponseError("Invalid_ParentObject");
  }
  return folder;
}

/** The folder with a handle. Throws `Invalid_ParentObject` if it is none. */
export function parentFolder(
  objects: ObjectTable,
  handle: number,
): ObjectNode {
  const folder = objects.find(handle);
  if (!folder?.isFolder) throw new ResponseError("Invalid_ParentObject");
  return folder;
}
