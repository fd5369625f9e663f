/**
 * Properties of objects (MTP 1.1, 5.3.2 and appendix B).
 *
 * @module
 */
import { DataType, ObjectProperty } from "../protocol/codes.ts";
import type { Value } from "../protocol/dataset.ts";
import { encodeDate } from "../protocol/date.ts";
import { NOT_PROTECTED, READ_ONLY } from "../protocol/object_info.ts";
import { ResponseError } from "../protocol/response.ts";
import type { ObjectNode } from "./object_node.ts";
import { persistentId } from "./persistent_id.ts";
import { isReadOnly } from "./targets.ts";

/** A property that all objects have. */
export interface Property {
  readonly code: number;
  readonly type: number;
  readonly value: (node: ObjectNode) => Value;
  /** Whether a host can set it. */
  readonly settable?: boolean;
  /** Whether it is a text with a date. */
  readonly isDate?: boolean;
}

/**
 * All properties. Name is not settable: libmtp would set it to the title of a track,
 * and thereby rename its file.
 */
export const PROPERTIES: readonly Property[] = [
  {
    code: ObjectProperty.StorageID,
    type: DataType.UINT32,
    value: ({ storage }) => storage.id,
  },
  {
    code: ObjectProperty.ObjectFormat,
    type: DataType.UINT16,
    value: ({ format }) => format,
  },
  {
    code: ObjectProperty.ProtectionStatus,
    type: DataType.UINT16,
    value: ({ storage }) => isReadOnly(storage) ? READ_ONLY : NOT_PROTECTED,
  },
  {
    code: ObjectProperty.ObjectSize,
    type: DataType.UINT64,
    value: ({ entry }) => BigInt(entry.size),
  },
  {
    code: ObjectProperty.ObjectFileName,
    type: DataType.STR,
    value: ({ name }) => name,
    settable: true,
  },
  {
    code: ObjectProperty.DateModified,
    type: DataType.STR,
    value: ({ entry }) => encodeDate(entry.modified),
    isDate: true,
  },
  {
    code: ObjectProperty.ParentObject,
    type: DataType.UINT32,
    value: ({ parent }) => parent?.handle ?? 0,
  },
  {
    code: ObjectProperty.PersistentUniqueObjectIdentifier,
    type: DataType.UINT128,
    value: persistentId,
  },
  {
    code: ObjectProperty.Name,
    type: DataType.STR,
    value: ({ name }) => name,
  },
];

const BY_CODE = new Map(PROPERTIES.map((it) => [it.code, it]));

/**
 * The property with a code.
 *
 * @throws {ResponseError} `ObjectProp_Not_Supported`, or `Invalid_ObjectPropCode` if
 * it is not the code of a property of objects (MTP 1.1, 4.3).
 */
export function propertyWith(code: number): Property {
  const property = BY_CODE.get(code);
  if (property !== undefined) return property;
  const isCode = code >= 0xd800 && code <= 0xdfff;
  throw new ResponseError(
    isCode ? "ObjectProp_Not_Supported" : "Invalid_ObjectPropCode",
  );
}
