/**
 * New objects: in the store, and in the table.
 *
 * @module
 */
import { ResponseError } from "../../protocol/response.ts";
import type { NewFile } from "../../store/object_store.ts";
import { type ObjectNode, pathIn } from "../object_node.ts";
import type { ObjectTable } from "../object_table.ts";
import type { Storage } from "../storage.ts";
import { checkCapability } from "../targets.ts";

/** Fails if an object has that name: objects are not overwritten. */
export async function checkFree(
  folder: ObjectNode,
  name: string,
): Promise<void> {
  const existing = await folder.storage.store.look(pathIn(folder, name));
  if (existing !== undefined) throw new ResponseError("Access_Denied");
}

/** Fails if a storage has no room for so many bytes. */
export async function checkRoom(
  { store }: Storage,
  byteLength: number,
): Promise<void> {
  const space = await store.space?.();
  if (space !== undefined && byteLength > space.free) {
    throw new ResponseError("Store_Full");
  }
}

/** Puts a file that is whole into the store and the table. */
export function commitFile(
  objects: ObjectTable,
  folder: ObjectNode,
  name: string,
  file: NewFile,
  signal: AbortSignal,
  handle?: number,
): Promise<ObjectNode> {
  return objects.exclusively(async () => {
    signal.throwIfAborted();
    objects.checkFolder(folder);
    await checkFree(folder, name);
    await file.commit();
    return add(objects, folder, name, handle);
  });
}

/** Makes a folder in the store and the table. */
export function makeFolder(
  objects: ObjectTable,
  folder: ObjectNode,
  name: string,
): Promise<ObjectNode> {
  const { store } = folder.storage;
  checkCapability(store, "makeFolder");
  return objects.exclusively(async () => {
    objects.checkFolder(folder);
    await checkFree(folder, name);
    await store.makeFolder(pathIn(folder, name));
    return add(objects, folder, name);
  });
}

async function add(
  objects: ObjectTable,
  folder: ObjectNode,
  name: string,
  handle?: number,
): Promise<ObjectNode> {
  const entry = await folder.storage.store.look(pathIn(folder, name));
  if (entry === undefined) throw new ResponseError("Invalid_ObjectHandle");
  return objects.add(folder, { ...entry, name }, handle);
}
