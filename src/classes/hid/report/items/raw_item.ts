/**
 * The builder of any item, and what all builders of items share.
 *
 * @module
 */
import { checkBytes } from "../../../../arguments/bytes.ts";
import {
  checkArgument,
  checkInteger,
  isWithin,
  NUMBER,
  oneOf,
} from "../../../../arguments/rules.ts";
import {
  type ReportItem,
  type ReportItemType,
  unsignedData,
} from "./encoding.ts";

/** What fails. */
export const ACTION = "build report descriptor";
/** The greatest number that an item can have. */
export const MOST = 0xffffffff;

/**
 * Any item, for those without a builder: designators, strings, delimiters, and
 * items of vendors.
 *
 * @param tag The tag: 0 to 14, of a long item 0 to 255.
 * @param data The bytes: 0, 1, 2 or 4, of a long item up to 255. A number takes
 *   the fewest bytes that it fits, without a sign.
 * @throws {TypeError} If an argument is of a wrong type.
 * @throws {RangeError} If the tag is out of range, or the data has a wrong length.
 *
 * @example A control that a string describes
 * ```ts
 * import { rawItem } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const stringIndex = rawItem("local", 7, 4);
 * assertEquals(stringIndex, { type: "local", tag: 7, data: [4] });
 * ```
 *
 * @category Report descriptors
 */
export function rawItem(
  type: ReportItemType,
  tag: number,
  data: number | Uint8Array = new Uint8Array(),
): ReportItem {
  checkArgument(
    ACTION,
    "the type of an item",
    type,
    oneOf("main", "global", "local", "reserved", "long"),
  );
  const isLong = type === "long";
  // Linux takes tag 15 of any type for the prefix of a long item.
  checkInteger(ACTION, "the tag of an item", tag, isLong ? 255 : 14);
  if (typeof data === "number") {
    checkInteger(ACTION, "the data of an item", data, MOST);
    return { type, tag, data: unsignedData(data) };
  }
  checkBytes(ACTION, "the data of an item", data);
  const { length } = data;
  if (isLong ? length > 255 : ![0, 1, 2, 4].includes(length)) {
    throw new RangeError(
      `Cannot ${ACTION}: the data of a ${
        isLong ? "long" : "short"
      } item must have ${
        isLong ? "up to 255" : "0, 1, 2 or 4"
      } bytes, has ${length}`,
    );
  }
  return { type, tag, data: [...data] };
}

/** Requires a whole number from `least` to `greatest`. */
export function checkWithin(
  what: string,
  value: unknown,
  least: number,
  greatest: number,
): asserts value is number {
  checkArgument(ACTION, what, value, NUMBER);
  if (isWithin(value, least, greatest)) return;
  throw new RangeError(
    `Cannot ${ACTION}: ${what} must be an integer from ${least} to ${greatest}, is ${value}`,
  );
}
