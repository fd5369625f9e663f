/**
 * FunctionFS blocks from bytes to a tree.
 *
 * @module
 */

import { checkBytes } from "../arguments/bytes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import { BlockCursor, Refusal } from "./block_cursor.ts";
import { decodeList } from "./decode.ts";
import {
  FUNCTIONFS_DESCRIPTORS_MAGIC,
  FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
  FUNCTIONFS_EVENTFD,
  FUNCTIONFS_HAS_FS_DESC,
  FUNCTIONFS_HAS_HS_DESC,
  FUNCTIONFS_HAS_MS_OS_DESC,
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
import { acceptStrings } from "../../tests/kernel_model/write_model_strings.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes the blocks that a program writes to ep0. It reads more than the kernel accepts: types that FunctionFS
 * cannot carry become nodes of bytes, and flags that no kernel knows are kept.
 *
 * @param descriptors The descriptors block, in either format.
 * @param strings The strings block.
 * @returns The tree.
 * @throws {RangeError} When a block is cut off, or is none.
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
  try {
    const tree = decodeBlock(new BlockCursor(descriptors));
    return strings ? { ...tree, languages: decodeStrings(strings) } : tree;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { path, message } = error;
    throw new RangeError(`Cannot decode ${path}: ${message}`);
  }
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
  const length = cursor.rest[0];
  if (length === undefined || length < 2 || length > cursor.left) {
    throw new Refusal("length", path, "The block ends before this descriptor");
  }
  return cursor.take(length);
}

function takeFeature(cursor: BlockCursor, path: string): OsFeatureNode {
  need(cursor, OS_HEADER_LENGTH, path);
  const version = cursor.u16At(5);
  const index = cursor.u16At(7);
  const count = cursor.u16At(9);
  const [number] = cursor.take(OS_HEADER_LENGTH);
  const compatibleIds: OsFeatureNode["compatibleIds"][number][] = [];
  const properties: OsFeatureNode["properties"][number][] = [];
  for (let i = 0; i < count; i++) {
    const at = `${path}[${i}]`;
    if (index === EXTENDED_COMPAT_ID) {
      need(cursor, COMPAT_ID_LENGTH, at);
      const bytes = cursor.take(COMPAT_ID_LENGTH);
      compatibleIds.push({
        interface: bytes[0],
        compatibleId: text(bytes.subarray(2, 10)),
        subCompatibleId: text(bytes.subarray(10, 18)),
      });
    } else {
      need(cursor, 10, at);
      const type = cursor.u32At(4);
      const nameLength = cursor.u16At(8);
      cursor.take(10);
      need(cursor, nameLength + 4, at);
      const name = text(cursor.take(nameLength));
      const valueLength = cursor.u32(at);
      need(cursor, valueLength, at);
      properties.push({ type, name, value: [...cursor.take(valueLength)] });
    }
  }
  return { index, version, interface: number, compatibleIds, properties };
}

function need(cursor: BlockCursor, length: number, path: string): void {
  if (cursor.left >= length) return;
  throw new Refusal("length", path, "The block ends before this feature");
}

/** Text up to its terminator. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function decodeStrings(bytes: Uint8Array): LanguageNode[] {
  // One string is needed, so that the kernel's rules hold for the body as well.
  const isEmpty = bytes.length < 16 || bytes.subarray(8, 16).every((it) => !it);
  return acceptStrings(bytes, isEmpty ? 0 : 1).map((it) => ({
    language: it.language,
    strings: it.strings.map((string) => decoder.decode(string)),
  }));
}
