/**
 * What a host learns and announces of an object: the ObjectInfo dataset (PTP 5.5.2).
 *
 * @module
 */
import { ObjectFormat } from "./codes.ts";
import { DatasetReader, DatasetWriter } from "./dataset.ts";
import { decodeDate, encodeDate } from "./date.ts";

/** Sizes from here on do not fit their field. */
export const UNKNOWN_SIZE = 0xffff_ffff;
/** The type of an association that is a folder. */
const GENERIC_FOLDER = 1;
const JFIF = 0x3808;
/** Values of ProtectionStatus: whether the host can change an object. */
export const NOT_PROTECTED = 0;
export const READ_ONLY = 1;

/** An ObjectInfo dataset. */
export interface ObjectInfo {
  readonly storageId: number;
  readonly format: number;
  readonly isProtected: boolean;
  /** Bytes. 4 GiB - 1 also stands for any greater size. */
  readonly size: number;
  /** Bytes of a thumbnail; 0 if there is none. */
  readonly thumbnailSize: number;
  /** The handle of its folder; 0 for the root. */
  readonly parent: number;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly modified: number | undefined;
}

/** Encodes an ObjectInfo dataset. */
export function encodeObjectInfo(info: ObjectInfo): Uint8Array<ArrayBuffer> {
  const isFolder = info.format === ObjectFormat.Association;
  const data = new DatasetWriter();
  data.u32(info.storageId).u16(info.format);
  data.u16(info.isProtected ? READ_ONLY : NOT_PROTECTED);
  data.clamped32(info.size);
  data.u16(info.thumbnailSize === 0 ? 0 : JFIF).u32(info.thumbnailSize);
  // Width and height of the thumbnail; width, height and depth of the image.
  data.u32(0).u32(0).u32(0).u32(0).u32(0);
  data.u32(info.parent).u16(isFolder ? GENERIC_FOLDER : 0);
  data.u32(0).u32(0); // what the folder means, the place in a sequence
  const date = encodeDate(info.modified);
  data.string(info.name).string(date).string(date);
  data.string(""); // keywords
  return data.bytes;
}

/**
 * Decodes an ObjectInfo dataset. Those of hosts may end after the name.
 *
 * @throws {ResponseError} `Invalid_Dataset` if it is too short.
 */
export function decodeObjectInfo(bytes: Uint8Array): ObjectInfo {
  const data = new DatasetReader(bytes);
  const storageId = data.u32();
  const format = data.u16();
  const isProtected = data.u16() !== NOT_PROTECTED;
  const size = data.u32();
  data.u16(); // format of the thumbnail
  const thumbnailSize = data.u32();
  for (let field = 0; field < 5; field++) data.u32();
  const parent = data.u32();
  data.u16();
  data.u32();
  data.u32();
  const name = data.string();
  if (data.left > 0) data.string(); // when it was captured
  const modified = data.left > 0 ? decodeDate(data.string()) : undefined;
  return {
    storageId,
    format,
    isProtected,
    size,
    thumbnailSize,
    parent,
    name,
    modified,
  };
}
