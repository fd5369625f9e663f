/**
 * Report descriptors (HID 1.11, 6.2.2).
 *
 * @module
 */
import { checkBytes, viewOf } from "../../../arguments/bytes.ts";
import { checkArgument, LIST } from "../../../arguments/rules.ts";
import { decodeItems, encodeItem, type ReportItem } from "./items/encoding.ts";
import type { ReportItems } from "./items/usage_items.ts";
import { MOST_BYTES, parse, tooLong } from "./parser.ts";
import { ProblemList } from "./problem.ts";
import type { ReportLayout, ReportType } from "./report_layout.ts";
import { resolveItems } from "./resolve.ts";
import { formatItems } from "./text.ts";

/**
 * A report descriptor: which reports a device has, and what their bits mean.
 *
 * {@linkcode reportDescriptor} builds one, {@linkcode ReportDescriptor.decode}
 * makes one of bytes.
 *
 * @example What a descriptor contains
 * ```ts
 * import { ReportDescriptor } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const lamp = ReportDescriptor.decode(
 *   new Uint8Array([
 *     ...[0x05, 0x08, 0x09, 0x4b, 0xa1, 0x01, 0x09, 0x4b, 0x15, 0x00],
 *     ...[0x25, 0x01, 0x75, 0x08, 0x95, 0x01, 0x91, 0x02, 0xc0],
 *   ]),
 * );
 * assertEquals(
 *   lamp.toString(),
 *   [
 *     "Usage Page (led)                     // 05 08",
 *     "Usage (generic indicator)            // 09 4b",
 *     "Collection (application)             // a1 01",
 *     "  Usage (generic indicator)          // 09 4b",
 *     "  Logical Minimum (0)                // 15 00",
 *     "  Logical Maximum (1)                // 25 01",
 *     "  Report Size (8)                    // 75 08",
 *     "  Report Count (1)                   // 95 01",
 *     "  Output (data, variable, absolute)  // 91 02",
 *     "End Collection                       // c0",
 *   ].join("\n"),
 * );
 * const values = lamp.report("output").unpack(new Uint8Array([1]));
 * assertEquals(values, { "generic indicator": 1 });
 * ```
 *
 * @category Report descriptors
 */
export class ReportDescriptor {
  /** All items, ends of collections included. */
  readonly items: readonly ReportItem[];
  /** All reports, in the order of their first fields. */
  readonly reports: readonly ReportLayout[];
  /** Whether the first byte of each report is its ID. */
  readonly usesIds: boolean;

  readonly #bytes: Uint8Array<ArrayBuffer>;

  /**
   * Creates a descriptor, as {@linkcode reportDescriptor} does.
   *
   * @param items The items, with lists in the list.
   * @throws {TypeError} If something is no item.
   * @throws {ReportDescriptorError} If hosts would refuse or misread it.
   */
  constructor(items: readonly ReportItems[]) {
    checkArgument("build report descriptor", "the items", items, LIST);
    const problems = new ProblemList();
    this.items = resolveItems(items, problems);
    this.reports = Object.freeze(parse(this.items, problems));
    problems.check();
    this.usesIds = this.reports.some(({ id }) => id !== 0);
    this.#bytes = Uint8Array.from(this.items.flatMap(encodeItem));
    Object.freeze(this);
  }

  /**
   * Decodes a report descriptor, of any origin. Fields have the names of their
   * usages.
   *
   * @throws {TypeError} If it is not a `Uint8Array`.
   * @throws {ReportDescriptorError} If hosts would refuse or misread it.
   */
  static decode(bytes: Uint8Array): ReportDescriptor {
    checkBytes("decode report descriptor", "the data", bytes);
    const problems = new ProblemList();
    if (bytes.length > MOST_BYTES) {
      problems.add({ item: 0, offset: 0 }, tooLong(bytes.length));
      problems.check();
    }
    const { items, problem } = decodeItems(viewOf(bytes));
    if (problem !== undefined) {
      problems.add(problem, problem.message);
      problems.check();
    }
    return new ReportDescriptor(items);
  }

  /** The descriptor's bytes: a copy. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice();
  }

  /**
   * Returns a report.
   *
   * @param type The type.
   * @param id The report ID, or 0 if the descriptor uses none.
   * @throws {RangeError} If there is no such report.
   */
  report(type: ReportType, id = 0): ReportLayout {
    const found = this.reports.find((it) => it.type === type && it.id === id);
    if (found !== undefined) return found;
    const known = this.reports.map((it) =>
      it.id === 0 ? it.type : `${it.type} ${it.id}`
    );
    throw new RangeError(
      `Cannot find ${type} report ${id}: the descriptor has ${
        known.length === 0 ? "no reports" : `only ${known.join(", ")}`
      }`,
    );
  }

  /** Formats the descriptor for people, one item a line, with its bytes. */
  toString(): string {
    return formatItems(this.items);
  }
}

/**
 * Builds a report descriptor of items, as the tables in the HID specifications
 * list them.
 *
 * Global items (usage page, ranges, sizes, report ID) hold until the next one;
 * usages belong to the next collection or field.
 *
 * @param items The items, with lists in the list.
 * @throws {TypeError} If something is no item.
 * @throws {ReportDescriptorError} If hosts would refuse or misread it, with all that is wrong.
 *
 * @example A mouse with three buttons and a wheel
 * ```ts
 * import {
 *   collection,
 *   input,
 *   logicalRange,
 *   padding,
 *   reportCount,
 *   reportDescriptor,
 *   reportSize,
 *   usage,
 *   usagePage,
 *   usageRange,
 *   usages,
 * } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const mouse = reportDescriptor([
 *   usagePage("generic desktop"),
 *   usage("mouse"),
 *   collection("application", [
 *     usage("pointer"),
 *     collection("physical", [
 *       ...[usagePage("button"), usageRange(1, 3)],
 *       ...[logicalRange(0, 1), reportSize(1), reportCount(3)],
 *       input({ name: "buttons" }),
 *       padding(5),
 *       ...[usagePage("generic desktop"), usages("x", "y", "wheel")],
 *       ...[logicalRange(-127, 127), reportSize(8), reportCount(3)],
 *       input({ relative: true }),
 *     ]),
 *   ]),
 * ]);
 * const report = mouse.report("input");
 * const bytes = report.pack({ buttons: [1, 3], x: -3, y: 7 });
 * assertEquals(bytes, new Uint8Array([0x05, 0xfd, 0x07, 0x00]));
 * assertEquals(report.unpack(bytes), { buttons: [1, 3], x: -3, y: 7, wheel: 0 });
 * ```
 *
 * @category Report descriptors
 */
export function reportDescriptor(
  items: readonly ReportItems[],
): ReportDescriptor {
  return new ReportDescriptor(items);
}
