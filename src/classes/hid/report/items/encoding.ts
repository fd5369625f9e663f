/**
 * Items of report descriptors, and their bytes (HID 1.11, 6.2.2).
 *
 * @module
 */
import type { ReportDescriptorProblem } from "../problem.ts";

/**
 * The types of items. `"long"` items have up to 255 bytes of data; the others,
 * the short items, have 0, 1, 2 or 4.
 *
 * @category Report descriptors
 */
export type ReportItemType = "main" | "global" | "local" | "reserved" | "long";

/**
 * One item of a report descriptor (HID 1.11, 6.2.2).
 *
 * @category Report descriptors
 */
export interface ReportItem {
  /** The type. */
  readonly type: ReportItemType;
  /** The tag: 0 to 15, of a long item 0 to 255. */
  readonly tag: number;
  /** The bytes after the prefix, numbers in little-endian order. */
  readonly data: readonly number[];
  /** The name of the field that a main item makes. It is not in the bytes. */
  readonly name?: string;
}

/** Types of short items, by their number. */
const SHORT_TYPES = ["main", "global", "local", "reserved"] as const;
/** Bytes of data, by the size in the prefix. */
const SIZES = [0, 1, 2, 4] as const;
const LONG_PREFIX = 0xfe;

/** Tags of main items (6.2.2.4). */
export const Main = {
  INPUT: 0x8,
  OUTPUT: 0x9,
  COLLECTION: 0xa,
  FEATURE: 0xb,
  END_COLLECTION: 0xc,
} as const;

/** Tags of global items (6.2.2.7). */
export const Global = {
  USAGE_PAGE: 0x0,
  LOGICAL_MINIMUM: 0x1,
  LOGICAL_MAXIMUM: 0x2,
  PHYSICAL_MINIMUM: 0x3,
  PHYSICAL_MAXIMUM: 0x4,
  UNIT_EXPONENT: 0x5,
  UNIT: 0x6,
  REPORT_SIZE: 0x7,
  REPORT_ID: 0x8,
  REPORT_COUNT: 0x9,
  PUSH: 0xa,
  POP: 0xb,
} as const;

/** Tags of local items (6.2.2.8). */
export const Local = {
  USAGE: 0x0,
  USAGE_MINIMUM: 0x1,
  USAGE_MAXIMUM: 0x2,
  DESIGNATOR_INDEX: 0x3,
  DESIGNATOR_MINIMUM: 0x4,
  DESIGNATOR_MAXIMUM: 0x5,
  STRING_INDEX: 0x7,
  STRING_MINIMUM: 0x8,
  STRING_MAXIMUM: 0x9,
  DELIMITER: 0xa,
} as const;

/** Whether an item has a type and a tag. */
export function isItem(
  { type, tag }: Pick<ReportItem, "type" | "tag">,
  wanted: ReportItemType,
  ...tags: readonly number[]
): boolean {
  return type === wanted && tags.includes(tag);
}

/** The data of an item as an unsigned number. */
export function unsigned({ data }: Pick<ReportItem, "data">): number {
  return data.reduce((sum, byte, index) => sum + byte * 2 ** (8 * index), 0);
}

/** The data of an item as a number with a sign. */
export function signed(item: Pick<ReportItem, "data">): number {
  const bits = 8 * item.data.length;
  const value = unsigned(item);
  return bits > 0 && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

/** A unit exponent: a nibble with a sign (6.2.2.7), or a longer number as some devices have it. */
export function exponent(item: Pick<ReportItem, "data">): number {
  const value = unsigned(item);
  return value > 15 ? signed(item) : value > 7 ? value - 16 : value;
}

/** The fewest bytes for an unsigned number. One for 0, as in the tables of the specification. */
export function unsignedData(value: number): number[] {
  return littleEndian(value, value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4);
}

/** The fewest bytes for a number with a sign. */
export function signedData(value: number): number[] {
  const fits = (bits: number) =>
    value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
  return littleEndian(value, fits(8) ? 1 : fits(16) ? 2 : 4);
}

/** The bytes of a number. */
export function littleEndian(value: number, length: number): number[] {
  return Array.from({ length }, (_, index) => (value >>> (8 * index)) & 0xff);
}

/** How many bytes an item takes. */
export function itemLength({ type, data }: ReportItem): number {
  return (type === "long" ? 3 : 1) + data.length;
}

/** The bytes of an item. */
export function encodeItem({ type, tag, data }: ReportItem): number[] {
  if (type === "long") return [LONG_PREFIX, data.length, tag, ...data];
  const size = data.length === 4 ? 3 : data.length;
  return [(tag << 4) | (SHORT_TYPES.indexOf(type) << 2) | size, ...data];
}

/** The items in bytes, and the problem of the last one if it is cut off. */
export function decodeItems(
  bytes: Uint8Array,
): { items: ReportItem[]; problem?: ReportDescriptorProblem } {
  const items: ReportItem[] = [];
  for (let at = 0; at < bytes.length;) {
    const prefix = bytes[at];
    const isLong = prefix === LONG_PREFIX;
    const start = at + (isLong ? 3 : 1);
    const length = isLong ? bytes[at + 1] ?? 0 : SIZES[prefix & 3];
    if (start + length > bytes.length) {
      const missing = start + length - bytes.length;
      const message = `Item is cut off: ${missing} more ${
        missing === 1 ? "byte" : "bytes"
      } must follow`;
      return { items, problem: { item: items.length, offset: at, message } };
    }
    items.push({
      type: isLong ? "long" : SHORT_TYPES[(prefix >> 2) & 3],
      tag: isLong ? bytes[at + 2] : prefix >> 4,
      data: [...bytes.subarray(start, start + length)],
    });
    at = start + length;
  }
  return { items };
}
