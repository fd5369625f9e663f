/**
 * GetObjectReferences and SetObjectReferences (MTP 1.1 E.2.9, E.2.10): playlists and
 * albums. They last as long as the device.
 *
 * @module
 */
import { OperationCode } from "../../protocol/codes.ts";
import { DatasetReader, DatasetWriter } from "../../protocol/dataset.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";

/** Operations on references. */
export function referenceOperations({ objects }: Device): Operations {
  return {
    [OperationCode.GetObjectReferences]: {
      data: "to host",
      run({ parameters: [handle] }) {
        const { references } = objects.node(handle);
        const existing = references.filter((it) => objects.find(it));
        return { data: new DatasetWriter().array32(existing).bytes };
      },
    },
    [OperationCode.SetObjectReferences]: {
      data: "from host",
      async run({ parameters: [handle], data }) {
        const node = objects.node(handle);
        const reader = new DatasetReader(await data.dataset());
        const references = reader.array32();
        if (!references.every((it) => objects.find(it))) {
          throw new ResponseError("Invalid_ObjectReference");
        }
        node.references = references;
      },
    },
  };
}
