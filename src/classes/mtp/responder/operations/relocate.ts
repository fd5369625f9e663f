/**
 * MoveObject and CopyObject (PTP 10.4.25, 10.4.26).
 *
 * @module
 */
import { OperationCode } from "../../protocol/codes.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import { type ObjectNode, pathIn } from "../object_node.ts";
import type { Call, Operations } from "../operation.ts";
import { Slices } from "../../../slices.ts";
import type { NewFile, ObjectFile } from "../../store/object_store.ts";
import { checkCapability, checkWritable, folderFor } from "../targets.ts";
import { checkFree, checkRoom, commitFile, makeFolder } from "./commit.ts";
import { Deletion } from "./delete.ts";

/** Bytes that are copied at once. */
const PIECE = 0x40000;

/** Operations that give an object another place. */
export function relocateOperations(device: Device): Operations {
  return {
    [OperationCode.MoveObject]: {
      async run(call) {
        const { node, folder } = await placesOf(device, call);
        checkWritable(node.storage);
        if (node.parent === folder) return;
        if (!await moveByRename(device, node, folder)) {
          await moveByCopy(device, node, folder, call.signal);
        }
      },
    },
    [OperationCode.CopyObject]: {
      async run(call) {
        const { node, folder } = await placesOf(device, call);
        const copy = await copyTo(device, node, folder, call.signal);
        return { parameters: [copy.handle] };
      },
    },
  };
}

/** The object, and the folder for it. */
async function placesOf(
  { objects }: Device,
  { parameters: [handle, storageId, parent] }: Call,
): Promise<{ node: ObjectNode; folder: ObjectNode }> {
  const node = await objects.current(handle);
  const folder = folderFor(objects, storageId, parent);
  checkWritable(folder.storage);
  if (folder.isWithin(node)) throw new ResponseError("Invalid_ParentObject");
  return { node, folder };
}

/** Gives an object another path in its store. */
export function rename(
  { objects }: Device,
  node: ObjectNode,
  folder: ObjectNode,
  name: string,
): Promise<void> {
  const { store } = node.storage;
  checkCapability(store, "rename");
  return objects.exclusively(async () => {
    objects.node(node.handle);
    objects.checkFolder(folder);
    await checkFree(folder, name);
    await store.rename(node.path, pathIn(folder, name));
    objects.moved(node, folder, name);
  });
}

/** Moves within a storage, if its store can: returns whether it has. */
async function moveByRename(
  device: Device,
  node: ObjectNode,
  folder: ObjectNode,
): Promise<boolean> {
  const { storage } = node;
  if (storage !== folder.storage || storage.store.rename === undefined) {
    return false;
  }
  try {
    await rename(device, node, folder, node.entry.name);
    return true;
  } catch (error) {
    // A directory can have other file systems in it.
    if ((error as { code?: unknown }).code === "EXDEV") return false;
    throw error;
  }
}

/** Copies, then removes: the object keeps its handle, and so do those in it. */
async function moveByCopy(
  device: Device,
  node: ObjectNode,
  folder: ObjectNode,
  signal: AbortSignal,
): Promise<void> {
  device.closeEdits((it) => it.isWithin(node));
  const copy = await copyTo(device, node, folder, signal);
  device.objects.exchange(node, copy);
  await remove(device, node);
}

/** Removes all of an object, also when the host has cancelled. */
async function remove(device: Device, node: ObjectNode): Promise<void> {
  const deletion = new Deletion(device, new AbortController().signal);
  await deletion.remove(node);
  deletion.check();
}

/** Copies an object, with all that is in it. Nothing remains of a copy that fails. */
async function copyTo(
  device: Device,
  node: ObjectNode,
  folder: ObjectNode,
  signal: AbortSignal,
): Promise<ObjectNode> {
  if (!node.isFolder) return await copyFile(device, node, folder, signal);
  const copy = await makeFolder(device.objects, folder, node.entry.name);
  try {
    for (const child of await device.objects.children(node)) {
      signal.throwIfAborted();
      await copyTo(device, child, copy, signal);
    }
  } catch (error) {
    await remove(device, copy).catch(() => {});
    throw error;
  }
  return copy;
}

async function copyFile(
  { objects }: Device,
  { entry: { name }, storage: { store }, path, givenFormat }: ObjectNode,
  folder: ObjectNode,
  signal: AbortSignal,
): Promise<ObjectNode> {
  await checkFree(folder, name);
  const entry = await store.look(path);
  if (entry?.kind !== "file") throw new ResponseError("Invalid_ObjectHandle");
  const { size, modified } = entry;
  await checkRoom(folder.storage, size);
  const from = await store.open(path);
  try {
    const target = pathIn(folder, name);
    const to = await folder.storage.store.create!(target, { size, modified });
    try {
      await copyContent(from, to, signal);
      const copy = await commitFile(objects, folder, name, to, signal);
      copy.givenFormat = givenFormat;
      return copy;
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}

async function copyContent(
  from: ObjectFile,
  to: NewFile,
  signal: AbortSignal,
): Promise<void> {
  const memory = new Uint8Array(Math.max(1, Math.min(PIECE, from.byteLength)));
  const slices = new Slices();
  for (let offset = 0;;) {
    signal.throwIfAborted();
    const count = await from.read(offset, memory);
    if (count === 0) return;
    await to.write(offset, memory.subarray(0, count));
    offset += count;
    if (slices.isOver) await slices.next();
  }
}
