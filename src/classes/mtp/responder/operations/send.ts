/**
 * SendObjectInfo and SendObject (PTP 10.4.12, 10.4.13).
 *
 * @module
 */
import { ObjectFormat, OperationCode } from "../../protocol/codes.ts";
import { FORMATS } from "../../protocol/formats.ts";
import { decodeObjectInfo, UNKNOWN_SIZE } from "../../protocol/object_info.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { AnnouncedFile, Device } from "../device.ts";
import { type ObjectNode, pathIn } from "../object_node.ts";
import type { Call, Operations } from "../operation.ts";
import { checkName } from "../names.ts";
import { checkWritable, firstStorage, folderFor } from "../targets.ts";
import { checkFree, checkRoom, commitFile, makeFolder } from "./commit.ts";

/** Operations by which a host sends objects. */
export function sendOperations(device: Device): Operations {
  return {
    [OperationCode.SendObjectInfo]: {
      data: "from host",
      async run({ parameters: [storageId, parent], data }) {
        device.announced = undefined;
        const info = decodeObjectInfo(await data.dataset());
        checkName(info.name, "Invalid_Dataset");
        const { size } = info;
        const folder = targetFolder(device, storageId, parent);
        const handle = await announce(device, folder, {
          ...info,
          size: size === UNKNOWN_SIZE ? undefined : size,
        });
        return {
          parameters: [folder.storage.id, folder.handle, handle],
        };
      },
    },
    [OperationCode.SendObject]: {
      data: "from host",
      announced: () => device.announced?.size,
      async run(call) {
        const { announced } = device;
        device.announced = undefined;
        if (announced === undefined) {
          throw new ResponseError("No_Valid_ObjectInfo");
        }
        await receive(device, announced, call);
      },
    },
  };
}

/** The folder for an object that the host sends; with storage 0 the device chooses. */
export function targetFolder(
  { objects }: Device,
  storageId: number,
  parent: number,
): ObjectNode {
  if (storageId !== 0) return folderFor(objects, storageId, parent);
  const storage = objects.find(parent)?.storage ?? firstStorage(objects);
  return folderFor(objects, storage.id, parent);
}

/** What a host announces. */
export type Announcement = Pick<
  AnnouncedFile,
  "name" | "format" | "size" | "modified"
>;

/** Makes a folder, or expects a file. Returns the handle that it has or will have. */
export async function announce(
  device: Device,
  folder: ObjectNode,
  { name, format, size, modified }: Announcement,
): Promise<number> {
  const { objects } = device;
  const { storage } = folder;
  checkWritable(storage);
  if (format === ObjectFormat.Association) {
    return (await makeFolder(objects, folder, name)).handle;
  }
  await checkFree(folder, name);
  await checkRoom(storage, size ?? UNKNOWN_SIZE);
  const handle = objects.reserveHandle();
  device.announced = { handle, folder, name, format, size, modified };
  return handle;
}

/** Receives the data of a file that was announced. */
async function receive(
  { objects }: Device,
  { handle, folder, name, format, size, modified }: AnnouncedFile,
  { data, signal }: Call,
): Promise<void> {
  objects.checkFolder(folder);
  const { store } = folder.storage;
  checkWritable(folder.storage);
  const options = { ...size !== undefined && { size }, modified };
  const file = await store.create!(pathIn(folder, name), options);
  try {
    let received = 0;
    for await (const part of data.parts()) {
      signal.throwIfAborted();
      const end = received + part.byteLength;
      if (size !== undefined && end > size) {
        throw new ResponseError("Incomplete_Transfer");
      }
      await file.write(received, part);
      received = end;
    }
    signal.throwIfAborted();
    const expected = size ?? data.byteLength ??
      Math.max(received, UNKNOWN_SIZE);
    if (received !== expected) throw new ResponseError("Incomplete_Transfer");
    const node = await commitFile(objects, folder, name, file, signal, handle);
    if (FORMATS.includes(format)) node.givenFormat = format;
  } finally {
    file.close();
  }
}
