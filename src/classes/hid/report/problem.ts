/**
 * What is wrong with a report descriptor.
 *
 * @module
 */

/**
 * One thing that is wrong with a report descriptor.
 *
 * @category Report descriptors
 */
export interface ReportDescriptorProblem {
  /** Which item it is, counted from 0 over the whole descriptor, ends of collections included. */
  readonly item: number;
  /** Where the item begins, in bytes from the start. */
  readonly offset: number;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** More problems are in `problems`, but not in the message. */
const MOST_SHOWN = 20;

/**
 * Thrown for a report descriptor that hosts refuse or misread, with all that is
 * wrong.
 *
 * @example Usage
 * ```ts
 * import {
 *   collection,
 *   input,
 *   reportDescriptor,
 *   ReportDescriptorError,
 *   usage,
 *   usagePage,
 * } from "@usb/gadget/hid";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () =>
 *     reportDescriptor([
 *       usagePage("generic desktop"),
 *       usage("mouse"),
 *       collection("application", [usage("x"), input()]),
 *     ]),
 *   ReportDescriptorError,
 * );
 * assertEquals(error.problems.map((it) => it.message), [
 *   "Input has no report size: put reportSize() before it",
 *   "Input has no report count: put reportCount() before it",
 *   "Input has no logical range: put logicalRange() before it",
 * ]);
 * ```
 *
 * @category Report descriptors
 */
export class ReportDescriptorError extends TypeError {
  /** Everything that is wrong. At least one. */
  readonly problems: readonly ReportDescriptorProblem[];

  /**
   * Creates an error.
   *
   * @param problems Everything that is wrong.
   */
  constructor(problems: readonly ReportDescriptorProblem[]) {
    const lines = problems.slice(0, MOST_SHOWN).map(
      ({ item, offset, message }) =>
        `item ${item} (byte ${offset}): ${message}`,
    );
    if (problems.length > MOST_SHOWN) {
      lines.push(`and ${problems.length - MOST_SHOWN} more`);
    }
    super(
      lines.length === 1
        ? `Cannot use report descriptor: ${lines[0]}`
        : `Cannot use report descriptor, ${problems.length} problems:\n  ${
          lines.join("\n  ")
        }`,
    );
    this.name = "ReportDescriptorError";
    this.problems = problems;
  }
}

/** Where an item is. */
export type Place = Omit<ReportDescriptorProblem, "message">;

/** Collects the problems of a descriptor. */
export class ProblemList {
  readonly problems: ReportDescriptorProblem[] = [];

  /** Adds a problem of an item. */
  add({ item, offset }: Place, message: string): void {
    this.problems.push({ item, offset, message });
  }

  /** Throws if there are any, in the order of the items. */
  check(): void {
    if (this.problems.length === 0) return;
    throw new ReportDescriptorError(
      this.problems.sort((a, b) => a.item - b.item),
    );
  }
}
