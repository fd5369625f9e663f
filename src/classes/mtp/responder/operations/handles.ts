/**
 * GetNumObjects and GetObjectHandles (PTP 10.4.6, 10.4.7).
 *
 * @module
 */
import { ALL, OperationCode } from "../../protocol/codes.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import { LongDataset } from "../long_dataset.ts";
import type { ObjectNode } from "../object_node.ts";
import type { Call, Operations } from "../operation.ts";
import { parentFolder } from "../targets.ts";

/** Operations that list handles. */
export function handleOperations(device: Device): Operations {
  return {
    [OperationCode.GetNumObjects]: {
      async run(call) {
        let count = 0;
        for await (const _ of selected(device, call)) count++;
        return { parameters: [count] };
      },
    },
    [OperationCode.GetObjectHandles]: {
      data: "to host",
      async run(call) {
        const list = new LongDataset();
        for await (const { handle } of selected(device, call)) {
          list.item().u32(handle);
        }
        return { data: list.finish() };
      },
    },
  };
}

/** The objects that a storage, a format and a folder select. */
async function* selected(
  { objects }: Device,
  { parameters: [storageId, format, parent], signal }: Call,
): AsyncGenerator<ObjectNode> {
  for (const [folder, depth] of foldersToList()) {
    for await (const node of objects.within(folder, depth)) {
      signal.throwIfAborted();
      if (hasFormat(node, format)) yield node;
    }
  }

  function foldersToList(): [ObjectNode, number][] {
    const roots = objects.roots(storageId);
    if (parent === 0) return roots.map((root) => [root, Infinity]);
    if (parent === ALL) return roots.map((root) => [root, 1]);
    if (objects.find(parent) === undefined) {
      throw new ResponseError("Invalid_ObjectHandle");
    }
    const folder = parentFolder(objects, parent);
    if (!roots.some(({ storage }) => storage === folder.storage)) {
      throw new ResponseError("Invalid_ParentObject");
    }
    return [[folder, 1]];
  }
}

/** Whether a filter selects an object: 0 is all formats, 0xffffffff all images. */
export function hasFormat(node: ObjectNode, filter: number): boolean {
  if (filter === 0) return true;
  const { format } = node;
  return filter === ALL ? format >> 8 === 0x38 : format === filter;
}
