/**
 * FunctionFS blocks from bytes to a tree.
 *
 * @module
 */

import { checkBytes } from "../arguments/bytes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import { BlockCursor } from "./block_cursor.ts";
import { decodeList } from "./decode.ts";
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
} from "../compile/microsoft_os_encoding.ts";
import type {
  DescriptorNode,
  FunctionBlockTree,
  LanguageNode,
  OsFeatureNode,
} from "./tree.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes the blocks that a program writes to ep0. It reads more than the kernel accepts: types that FunctionFS
 * cannot carry become nodes of bytes, and flags that no kernel knows are kept.
 *
 * @param descriptors The descriptors block, in either format.
 * @param strings The strings block.
 * @returns The tree.
 * @throws {RangeError} If a block is cut off, or starts with another number.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, compileFunction, decodeFunctionBlock, usbFunction } from "@usb/gadget";
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
 * const tree = decodeFunctionBlock(descriptors, strings);
 * assertEquals(Object.keys(tree.speeds), ["full", "high", "super"]);
 * assertEquals(tree.languages[0].strings, ["Echo"]);
 * ```
 */
export function decodeFunctionBlock(
  descriptors: Uint8Array,
  strings?: Uint8Array,
): FunctionBlockTree {
  checkBytes("decode function", "the descriptors block", descriptors);
  if (strings !== undefined) {
    checkBytes("decode function", "the strings block", strings);
  }
  const tree = decodeBlock(new BlockCursor(descriptors));
  return strings
    ? { ...tree, languages: decodeStrings(new BlockCursor(strings)) }
    : tree;
}

function decodeBlock(cursor: BlockCursor): FunctionBlockTree {
  const magic = cursor.u32("descriptors.magic");
  const isV2 = magic === FUNCTIONFS_DESCRIPTORS_MAGIC_V2;
  if (!isV2 && magic !== FUNCTIONFS_DESCRIPTORS_MAGIC) {
    throw new RangeError(
      `Cannot decode descriptors: a descriptors block starts with 1 or 3, not ${magic}`,
    );
  }
  cursor.u32("descriptors.length");
  const flags = isV2
    ? cursor.u32("descriptors.flags")
    : FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC;
  const eventfd = flags & FUNCTIONFS_EVENTFD
    ? cursor.u32("descriptors.eventfd") | 0
    : undefined;
  const present = FUNCTION_SPEEDS.filter((_, index) => flags & 1 << index);
  const counts = present.map((it) => cursor.u32(`descriptors.${it}.count`));
  const osCount = flags & FUNCTIONFS_HAS_MS_OS_DESC
    ? cursor.u32("descriptors.os.count")
    : 0;
  const speeds: { [S in FunctionSpeed]?: DescriptorNode[] } = {};
  present.forEach((speed, index) => {
    const list: Uint8Array[] = [];
    while (list.length < counts[index]) {
      list.push(takeDescriptor(cursor, `descriptors.${speed}[${list.length}]`));
    }
    speeds[speed] = decodeList(list);
  });
  const microsoftOs: OsFeatureNode[] = [];
  while (microsoftOs.length < osCount) {
    microsoftOs.push(
      takeFeature(cursor, `descriptors.os[${microsoftOs.length}]`),
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

function takeDescriptor(cursor: BlockCursor, path: string): Uint8Array {
  const [length = 0] = cursor.rest;
  cursor.need(length < 2 ? Infinity : length, path, "descriptor");
  return cursor.take(length);
}

function takeFeature(cursor: BlockCursor, path: string): OsFeatureNode {
  const need = (length: number, path: string) =>
    cursor.need(length, path, "feature");
  need(OS_HEADER_LENGTH, path);
  const version = cursor.u16At(5);
  const index = cursor.u16At(7);
  const count = cursor.u16At(9);
  const [number] = cursor.take(OS_HEADER_LENGTH);
  const compatibleIds: OsFeatureNode["compatibleIds"][number][] = [];
  const properties: OsFeatureNode["properties"][number][] = [];
  for (let i = 0; i < count; i++) {
    const at = `${path}[${i}]`;
    if (index === EXTENDED_COMPAT_ID) {
      need(COMPAT_ID_LENGTH, at);
      const bytes = cursor.take(COMPAT_ID_LENGTH);
      compatibleIds.push({
        interface: bytes[0],
        compatibleId: text(bytes.subarray(2, 10)),
        subCompatibleId: text(bytes.subarray(10, 18)),
      });
    } else {
      need(10, at);
      const type = cursor.u32At(4);
      const nameLength = cursor.u16At(8);
      cursor.take(10);
      need(nameLength + 4, at);
      const name = text(cursor.take(nameLength));
      const valueLength = cursor.u32(at);
      need(valueLength, at);
      properties.push({ type, name, value: [...cursor.take(valueLength)] });
    }
  }
  return { index, version, interface: number, compatibleIds, properties };
}

/** Text up to its terminator. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function decodeStrings(cursor: BlockCursor): LanguageNode[] {
  const magic = cursor.u32("strings.magic");
  if (magic !== FUNCTIONFS_STRINGS_MAGIC) {
    throw new RangeError(
      `Cannot decode strings: a strings block starts with ${FUNCTIONFS_STRINGS_MAGIC}, not ${magic}`,
    );
  }
  cursor.u32("strings.length");
  const stringCount = cursor.u32("strings.count");
  const languageCount = cursor.u32("strings.languages");
  const languages: LanguageNode[] = [];
  while (languages.length < languageCount) {
    const path = `strings[${languages.length}]`;
    cursor.need(2, path, "language");
    const language = cursor.u16At(0);
    cursor.take(2);
    const strings: string[] = [];
    while (strings.length < stringCount) {
      const length = cursor.rest.indexOf(0);
      const at = `${path}.strings[${strings.length}]`;
      cursor.need(length < 0 ? Infinity : length, at, "string's end");
      strings.push(decoder.decode(cursor.take(length)));
      cursor.take(1);
    }
    languages.push({ language, strings });
  }
  return languages;
}
