/**
 * Report descriptors for tests.
 *
 * @module
 */
import {
  collection,
  input,
  logicalRange,
  output,
  padding,
  reportCount,
  type ReportDescriptor,
  reportDescriptor,
  type ReportItems,
  reportSize,
  usage,
  usagePage,
  usageRange,
  usages,
} from "../../../src/classes/hid/report/mod.ts";

/** Bytes from their hexadecimal digits. */
export function bytesOf(digits: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    digits.trim().split(/\s+/).map((it) => parseInt(it, 16)),
  );
}

/** A device of the items, with a usage. */
export function device(...items: readonly ReportItems[]): ReportDescriptor {
  return reportDescriptor([
    usagePage("generic desktop"),
    usage("gamepad"),
    collection("application", items),
  ]);
}

/** The bytes of items within a device. */
export function bytesWithin(...items: readonly ReportItems[]): Uint8Array {
  return device(...items).bytes.slice(6, -1);
}

/** Size, count and range. */
export function shape(
  bits: number,
  count: number,
  minimum: number,
  maximum: number,
): readonly ReportItems[] {
  return [reportSize(bits), reportCount(count), logicalRange(minimum, maximum)];
}

/** The mouse of HID 1.11, E.10. */
export const mouse = reportDescriptor([
  usagePage("generic desktop"),
  usage("mouse"),
  collection("application", [
    usage("pointer"),
    collection("physical", [
      ...[usagePage("button"), usageRange(1, 3), logicalRange(0, 1)],
      ...[reportCount(3), reportSize(1), input({ name: "buttons" })],
      padding(5),
      ...[usagePage("generic desktop"), usages("x", "y")],
      ...[logicalRange(-127, 127), reportSize(8), reportCount(2)],
      input({ relative: true }),
    ]),
  ]),
]);

/** The keyboard of HID 1.11, E.6. */
export const keyboard = reportDescriptor([
  usagePage("generic desktop"),
  usage("keyboard"),
  collection("application", [
    ...[usagePage("keyboard"), usageRange(0xe0, 0xe7), logicalRange(0, 1)],
    ...[reportSize(1), reportCount(8), input({ name: "modifiers" })],
    padding(8),
    ...[reportCount(5), reportSize(1), usagePage("led"), usageRange(1, 5)],
    output(),
    padding(3, "output"),
    ...[reportCount(6), reportSize(8), logicalRange(0, 101)],
    ...[usagePage("keyboard"), usageRange(0, 101), input({ array: true })],
  ]),
]);
