/**
 * Decodes FunctionFS blocks.
 *
 * @module
 */

import { checkBytes } from "../arguments/bytes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import { decodeList, u16 } from "./decode_descriptors.ts";
import {
  FUNCTIONFS_DESCRIPTORS_MAGIC,
  FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
  FUNCTIONFS_EVENTFD,
  FUNCTIONFS_HAS_FS_DESC,
  FUNCTIONFS_HAS_HS_DESC,
  FUNCTIONFS_HAS_MS_OS_DESC,
  FUNCTIONFS_STRINGS_MAGIC,
} from "../compile/functionfs_abi.ts";
import {
  COMPAT_ID_LENGTH,
  EXTENDED_COMPAT_ID,
  OS_HEADER_LENGTH,
  PROPERTY_TYPES,
} from "../compile/microsoft_os_encoding.ts";
import type { ExtendedPropertyType } from "../definition/microsoft_os.ts";
import type {
  DecodedFunctionBlock,
  DescriptorNode,
  OsFeatureNode,
} from "./descriptor_nodes.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes the blocks that a program writes to ep0. It accepts more than the kernel: descriptors of types that
 * FunctionFS cannot carry become bytes, and flags that no kernel knows are kept.
 *
 * @param descriptors The descriptors block, in either format.
 * @param strings The strings block.
 * @throws {RangeError} When the data is cut off or not a block.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { compileFunction, decodeFunctionBlock } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const { descriptors, strings } = compileFunction(usbFunction({
 *   name: "echo",
 *   interfaces: [{
 *     class: 0xff,
 *     description: "Echo",
 *     endpoints: { link: bulkPair() },
 *   }],
 * }));
 * const block = decodeFunctionBlock(descriptors, strings);
 * assertEquals(Object.keys(block.speeds), ["full", "high", "super"]);
 * assertEquals(block.languages[0].strings, ["Echo"]);
 * ```
 *
 * @category Inspect
 */
export function decodeFunctionBlock(
  descriptors: Uint8Array,
  strings?: Uint8Array,
): DecodedFunctionBlock {
  checkBytes("decode function", "the descriptors block", descriptors);
  if (strings !== undefined) {
    checkBytes("decode function", "the strings block", strings);
  }
  const block = decodeBlock(new BlockReader(descriptors));
  return strings ? { ...block, languages: decodeStrings(strings) } : block;
}

/** Takes a block apart, from front to back. */
class BlockReader {
  /** The bytes that are left. */
  rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.rest = bytes;
  }

  take(length: number, path: string, what: string): Uint8Array {
    if (this.rest.length < length) {
      throw refused(path, `the block ends before this ${what}`);
    }
    const bytes = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return bytes;
  }

  u32(path: string, what = "field"): number {
    return u32(this.take(4, path, what), 0);
  }
}

function decodeBlock(reader: BlockReader): DecodedFunctionBlock {
  const field = (name: string) => reader.u32(`descriptors.${name}`);
  const magic = field("magic");
  const isV2 = magic === FUNCTIONFS_DESCRIPTORS_MAGIC_V2;
  if (!isV2 && magic !== FUNCTIONFS_DESCRIPTORS_MAGIC) {
    throw refused(
      "descriptors",
      `a descriptors block starts with 1 or 3, not ${magic}`,
    );
  }
  field("length");
  const flags = isV2
    ? field("flags")
    : FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC;
  const eventfd = flags & FUNCTIONFS_EVENTFD ? field("eventfd") | 0 : undefined;
  const present = FUNCTION_SPEEDS.filter((_, index) => flags & 1 << index);
  const counts = present.map((it) => field(`${it}.count`));
  const osCount = flags & FUNCTIONFS_HAS_MS_OS_DESC ? field("os.count") : 0;
  const speeds: { [S in FunctionSpeed]?: DescriptorNode[] } = {};
  present.forEach((speed, index) => {
    const list: Uint8Array[] = [];
    while (list.length < counts[index]) {
      const path = `descriptors.${speed}[${list.length}]`;
      const [length = 2] = reader.rest;
      if (length < 2) throw refused(path, `its length is ${length}`);
      list.push(reader.take(length, path, "descriptor"));
    }
    speeds[speed] = decodeList(list);
  });
  const microsoftOs: OsFeatureNode[] = [];
  while (microsoftOs.length < osCount) {
    microsoftOs.push(
      takeFeature(reader, `descriptors.os[${microsoftOs.length}]`),
    );
  }
  return {
    kind: "function-block",
    version: isV2 ? 2 : 1,
    flags,
    ...(eventfd === undefined ? {} : { eventfd }),
    speeds,
    microsoftOs,
    languages: [],
  };
}

function takeFeature(reader: BlockReader, path: string): OsFeatureNode {
  const header = reader.take(OS_HEADER_LENGTH, path, "feature");
  const index = u16(header, 7);
  const count = u16(header, 9);
  const compatibleIds: OsFeatureNode["compatibleIds"][number][] = [];
  const properties: OsFeatureNode["properties"][number][] = [];
  for (let i = 0; i < count; i++) {
    const at = `${path}[${i}]`;
    if (index === EXTENDED_COMPAT_ID) {
      const bytes = reader.take(COMPAT_ID_LENGTH, at, "feature");
      compatibleIds.push({
        interface: bytes[0],
        compatibleId: text(bytes.subarray(2, 10)),
        subCompatibleId: text(bytes.subarray(10, 18)),
      });
    } else {
      const head = reader.take(10, at, "feature");
      const name = text(reader.take(u16(head, 8), at, "feature"));
      const length = reader.u32(at, "feature");
      const value = [...reader.take(length, at, "feature")];
      properties.push({ type: u32(head, 4), name, value });
    }
  }
  return {
    index,
    version: u16(header, 5),
    interface: header[0],
    compatibleIds,
    properties,
  };
}

/** Decodes text up to its terminator. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function decodeStrings(bytes: Uint8Array): DecodedFunctionBlock["languages"] {
  const path = "strings";
  const reader = new BlockReader(bytes);
  const magic = reader.u32(path);
  const length = reader.u32(path);
  const stringCount = reader.u32(path);
  const languageCount = reader.u32(path);
  if (magic !== FUNCTIONFS_STRINGS_MAGIC) {
    throw refused(
      path,
      `a strings block starts with ${FUNCTIONFS_STRINGS_MAGIC}, not ${magic}`,
    );
  }
  if (length !== bytes.length) {
    throw refused(
      path,
      `its length field is ${length}, but it has ${bytes.length} bytes`,
    );
  }
  if ((stringCount === 0) !== (languageCount === 0)) {
    throw refused(
      path,
      `it has ${stringCount} strings in ${languageCount} languages`,
    );
  }
  const languages: DecodedFunctionBlock["languages"][number][] = [];
  while (languages.length < languageCount) {
    const at = `${path}[${languages.length}]`;
    const language = u16(reader.take(2, at, "language"), 0);
    const strings: string[] = [];
    while (strings.length < stringCount) {
      const end = reader.rest.indexOf(0);
      const place = `${at}.strings[${strings.length}]`;
      if (end < 0) throw refused(place, "it has no terminator");
      strings.push(text(reader.take(end + 1, place, "string")));
    }
    languages.push({ language, strings });
  }
  if (languageCount > 0 && reader.rest.length > 0) {
    throw refused(
      path,
      `it has ${reader.rest.length} bytes after its last string`,
    );
  }
  return languages;
}

function u32(bytes: Uint8Array, offset: number): number {
  return (u16(bytes, offset) | u16(bytes, offset + 2) << 16) >>> 0;
}

function refused(path: string, message: string): RangeError {
  return new RangeError(`Cannot decode ${path}: ${message}`);
}

/** Returns the name of a property type, if it has one. */
export function propertyTypeName(
  type: number,
): ExtendedPropertyType | undefined {
  const names = Object.keys(PROPERTY_TYPES) as ExtendedPropertyType[];
  return names.find((it) => PROPERTY_TYPES[it] === type);
}

/** Decodes the value of a text property. */
export function propertyText(value: readonly number[]): string {
  return decoder.decode(new Uint8Array(value)).replace(/\0$/, "");
}
