/**
 * What a host reads of an object: GetObjectInfo, GetObject, GetThumb,
 * GetPartialObject (PTP 10.4.8 to 10.4.10, 10.4.24), and Android's for offsets of 64
 * bits.
 *
 * @module
 */
import { OperationCode } from "../../protocol/codes.ts";
import { encodeObjectInfo } from "../../protocol/object_info.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { ObjectNode } from "../object_node.ts";
import type { Answer, OutgoingData } from "../operation.ts";
import type { Operation, Operations } from "../operation.ts";
import { currentFile, isReadOnly, number64 } from "../targets.ts";

/** Operations that read. */
export function readOperations(device: Device): Operations {
  const { objects } = device;
  return {
    [OperationCode.GetObjectInfo]: {
      data: "to host",
      async run({ parameters: [handle] }) {
        const node = await objects.current(handle);
        const thumbnail = await thumbnailOf(device, node);
        const data = encodeObjectInfo({
          storageId: node.storage.id,
          format: node.format,
          isProtected: isReadOnly(node.storage),
          size: node.entry.size,
          thumbnailSize: thumbnail?.byteLength ?? 0,
          parent: node.parent?.handle ?? 0,
          name: node.name,
          modified: node.entry.modified,
        });
        return { data };
      },
    },
    [OperationCode.GetObject]: {
      data: "to host",
      async run({ parameters: [handle] }) {
        return { data: await contentOf(device, handle, 0, Infinity) };
      },
    },
    [OperationCode.GetThumb]: {
      data: "to host",
      async run({ parameters: [handle] }) {
        const thumbnail = await thumbnailOf(
          device,
          await objects.current(handle),
        );
        if (thumbnail === undefined) {
          throw new ResponseError("No_Thumbnail_Present");
        }
        return { data: new Uint8Array(thumbnail) };
      },
    },
    [OperationCode.GetPartialObject]: partial(
      device,
      ([handle, offset, size]) => [handle, offset, size],
    ),
    [OperationCode.GetPartialObject64]: partial(
      device,
      ([handle, low, high, size]) => [handle, number64(low, high), size],
    ),
  };
}

/** An operation that reads a part, and returns how much of it there is. */
function partial(
  device: Device,
  part: (parameters: readonly number[]) => [number, number, number],
): Operation {
  return {
    data: "to host",
    async run({ parameters }): Promise<Answer> {
      const [handle, offset, size] = part(parameters);
      const data = await contentOf(device, handle, offset, size);
      return { parameters: [data.byteLength], data };
    },
  };
}

/** What a file has in it from an offset on, at most `size` bytes. */
async function contentOf(
  { objects }: Device,
  handle: number,
  offset: number,
  size: number,
): Promise<OutgoingData> {
  const { storage, path } = await currentFile(objects, handle);
  const file = await storage.store.open(path);
  const left = Math.max(0, file.byteLength - offset);
  return {
    byteLength: Math.min(left, size),
    read: (at, into) => file.read(offset + at, into),
    close: () => file.close(),
  };
}

/** A thumbnail, if the program has one. */
async function thumbnailOf(
  { options }: Device,
  { isFolder, storage, path }: ObjectNode,
): Promise<Uint8Array | undefined> {
  return isFolder ? undefined : await options.thumbnail?.(storage, path);
}
