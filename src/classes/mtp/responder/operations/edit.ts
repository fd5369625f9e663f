/**
 * Android's extension: files that are changed in place, several at once.
 *
 * @module
 */
import { OperationCode } from "../../protocol/codes.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device, Edit } from "../device.ts";
import type { Operations } from "../operation.ts";
import {
  checkCapability,
  checkWritable,
  currentFile,
  number64,
} from "../targets.ts";

/** Operations that change a file. */
export function editOperations(device: Device): Operations {
  const { objects, edits } = device;

  /** Fails as Android does if the host has not begun to edit a file. */
  function editOf(handle: number): Edit {
    objects.node(handle);
    const edit = edits.get(handle);
    if (edit === undefined) throw new ResponseError("General_Error");
    return edit;
  }

  return {
    [OperationCode.BeginEditObject]: {
      async run({ parameters: [handle], signal }) {
        const node = await currentFile(objects, handle);
        const { storage: { store }, path } = node;
        checkWritable(node.storage);
        checkCapability(store, "edit");
        if (edits.has(handle)) throw new ResponseError("General_Error");
        const file = await store.edit(path);
        if (signal.aborted || objects.find(handle) !== node) {
          file.close();
          signal.throwIfAborted();
          throw new ResponseError("Invalid_ObjectHandle");
        }
        edits.set(handle, { node, file });
      },
    },
    [OperationCode.SendPartialObject]: {
      data: "from host",
      async run({ parameters: [handle, low, high, size], data, signal }) {
        const { node, file } = editOf(handle);
        const offset = number64(low, high);
        if (!Number.isSafeInteger(offset + size)) {
          throw new ResponseError("Invalid_Parameter");
        }
        if ((data.byteLength ?? size) !== size) {
          throw new ResponseError("Incomplete_Transfer");
        }
        let written = 0;
        try {
          for await (const part of data.parts()) {
            signal.throwIfAborted();
            await file.write(offset + written, part);
            written += part.byteLength;
          }
        } finally {
          await objects.refresh(node);
        }
        if (written !== size) throw new ResponseError("Incomplete_Transfer");
        return { parameters: [written] };
      },
    },
    [OperationCode.TruncateObject]: {
      async run({ parameters: [handle, low, high] }) {
        const { node, file } = editOf(handle);
        const byteLength = number64(low, high);
        await objects.exclusively(async () => {
          await file.resize(byteLength);
          await objects.refresh(node);
        });
      },
    },
    [OperationCode.EndEditObject]: {
      async run({ parameters: [handle] }) {
        const { node } = editOf(handle);
        device.closeEdits((it) => it === node);
        await objects.refresh(node);
      },
    },
  };
}
