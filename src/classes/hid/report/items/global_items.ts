/**
 * Builders of the global items that describe values and reports (HID 1.11,
 * 6.2.2.7).
 *
 * @module
 */
import { nameRemedy } from "../../../../arguments/known_names.ts";
import { checkInteger } from "../../../../arguments/rules.ts";
import { show } from "../../../../arguments/show.ts";
import {
  Global,
  type ReportItem,
  signedData,
  unsignedData,
} from "./encoding.ts";
import { ACTION, checkWithin, MOST } from "./raw_item.ts";
import { UNIT_NAMES, unitCode, type UnitName } from "./units.ts";

const LEAST_SIGNED = -(2 ** 31);

/**
 * The least and the greatest value of the fields that follow, in the numbers of
 * the report. A minimum below 0 makes the fields signed.
 *
 * @throws {TypeError} If they are not numbers.
 * @throws {RangeError} If they are not integers of 32 bits, or the minimum is above the maximum.
 *
 * @category Report descriptors
 */
export function logicalRange(
  minimum: number,
  maximum: number,
): readonly ReportItem[] {
  checkRange("logical", minimum, maximum);
  return [
    global(Global.LOGICAL_MINIMUM, signedData(minimum)),
    global(Global.LOGICAL_MAXIMUM, signedData(maximum)),
  ];
}

/**
 * What the ends of the logical range stand for, in {@linkcode unit}s. Without
 * it, or with 0 and 0, they stand for themselves.
 *
 * @throws {TypeError} If they are not numbers.
 * @throws {RangeError} If they are not integers of 32 bits, or the minimum is above the maximum.
 *
 * @category Report descriptors
 */
export function physicalRange(
  minimum: number,
  maximum: number,
): readonly ReportItem[] {
  checkRange("physical", minimum, maximum);
  return [
    global(Global.PHYSICAL_MINIMUM, signedData(minimum)),
    global(Global.PHYSICAL_MAXIMUM, signedData(maximum)),
  ];
}

function checkRange(kind: string, minimum: number, maximum: number): void {
  checkWithin(`the ${kind} minimum`, minimum, LEAST_SIGNED, 2 ** 31 - 1);
  checkWithin(`the ${kind} maximum`, maximum, LEAST_SIGNED, MOST);
  // The bytes would not show it: a maximum has a sign only below a negative minimum.
  if (minimum <= maximum) return;
  throw new RangeError(
    `Cannot ${ACTION}: the ${kind} minimum ${minimum} is above the ${kind} maximum ${maximum}`,
  );
}

/**
 * The unit of the physical values that follow.
 *
 * @param unit The name, or the code (HID 1.11, 6.2.2.7).
 * @throws {TypeError} If there is no unit of that name.
 * @throws {RangeError} If the code is not of 32 bits.
 *
 * @category Report descriptors
 */
export function unit(unit: UnitName | number): ReportItem {
  const code = typeof unit === "string" ? unitCode(unit) : unit;
  if (code === undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: there is no unit ${show(unit)}: ${
        nameRemedy(String(unit), UNIT_NAMES)
      }`,
    );
  }
  checkInteger(ACTION, "the unit", code, MOST);
  return global(Global.UNIT, unsignedData(code));
}

/**
 * The power of ten that physical values are multiplied by.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not from -8 to 7.
 *
 * @category Report descriptors
 */
export function unitExponent(exponent: number): ReportItem {
  checkWithin("the unit exponent", exponent, -8, 7);
  return global(Global.UNIT_EXPONENT, [exponent & 15]);
}

/**
 * The size of each field that follows, in bits.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer.
 *
 * @category Report descriptors
 */
export function reportSize(bits: number): ReportItem {
  checkInteger(ACTION, "the report size", bits, MOST);
  return global(Global.REPORT_SIZE, unsignedData(bits));
}

/**
 * How many fields each main item makes that follows.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer.
 *
 * @category Report descriptors
 */
export function reportCount(count: number): ReportItem {
  checkInteger(ACTION, "the report count", count, MOST);
  return global(Global.REPORT_COUNT, unsignedData(count));
}

/**
 * The report that the following fields are in. A descriptor that uses this gives
 * each report an ID, which is its first byte.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not from 1 to 255.
 *
 * @category Report descriptors
 */
export function reportId(id: number): ReportItem {
  checkWithin("the report ID", id, 1, 255);
  return global(Global.REPORT_ID, unsignedData(id));
}

/**
 * Saves the state of all global items: the usage page, ranges, unit, size, count
 * and ID. Linux keeps up to 4 states.
 *
 * @category Report descriptors
 */
export function push(): ReportItem {
  return global(Global.PUSH, []);
}

/**
 * Restores the state that {@linkcode push} saved last.
 *
 * @category Report descriptors
 */
export function pop(): ReportItem {
  return global(Global.POP, []);
}

function global(tag: number, data: number[]): ReportItem {
  return { type: "global", tag, data };
}
