/**
 * What a host sends before a file.
 *
 * @module
 */
import { ObjectFormat } from "../../../src/classes/mtp/protocol/codes.ts";
import {
  encodeObjectInfo,
  type ObjectInfo,
} from "../../../src/classes/mtp/protocol/object_info.ts";

/** The data of SendObjectInfo: an empty file, unless it says otherwise. */
export function announcement(info: Partial<ObjectInfo>) {
  const data = encodeObjectInfo({
    storageId: 0,
    format: ObjectFormat.Undefined,
    isProtected: false,
    size: 0,
    thumbnailSize: 0,
    parent: 0,
    name: "new",
    modified: undefined,
    ...info,
  });
  return { data };
}
