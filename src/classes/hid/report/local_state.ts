/**
 * The state of the local items (HID 1.11, 6.2.2.8).
 *
 * @module
 */
import type { UsageRange } from "./field.ts";
import { Local, type ReportItem, unsigned } from "./items/encoding.ts";
import type { Place, ProblemList } from "./problem.ts";

/** What the local items say since the last main item. */
export class LocalState {
  /** The usages, in order. */
  usages: UsageRange[] = [];
  readonly #problems: ProblemList;
  #minimum: { usage: UsageRange; place: Place } | undefined;
  /** In a set of usages of which the first one counts. */
  #set: { place: Place; used: boolean } | undefined;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** Takes a local item, whose main item has a usage page. */
  take(item: ReportItem, page: number, place: Place): void {
    const value = unsigned(item);
    // Four bytes have a page of their own (6.2.2.8).
    const hasPage = item.data.length === 4;
    const id = value % 65536;
    const usage = {
      page: hasPage ? Math.floor(value / 65536) : page,
      minimum: id,
      maximum: id,
    };
    switch (item.tag) {
      case Local.USAGE:
        this.#addUsages(usage);
        return;
      case Local.USAGE_MINIMUM:
        this.#checkMinimum();
        this.#minimum = { usage, place };
        return;
      case Local.USAGE_MAXIMUM:
        this.#takeMaximum(usage, hasPage, place);
        return;
      case Local.DELIMITER:
        if (value === 1 && this.#set === undefined) {
          this.#set = { place, used: false };
        } else if (value === 0 && this.#set !== undefined) {
          this.#set = undefined;
        } else {
          this.#problems.add(
            place,
            value === 0
              ? "Delimiter closes a set that is not open: remove it"
              : value === 1
              ? "Delimiter opens a set within a set: close the first one before"
              : `Delimiter is ${value}: give 1 to open a set, 0 to close it`,
          );
        }
        return;
    }
  }

  #takeMaximum(usage: UsageRange, hasPage: boolean, place: Place): void {
    const minimum = this.#minimum?.usage;
    this.#minimum = undefined;
    if (minimum === undefined) {
      this.#problems.add(place, "Usage Maximum has no Usage Minimum before it");
      return;
    }
    const { page } = minimum;
    if (hasPage && usage.page !== page) {
      this.#problems.add(
        place,
        "Usage Maximum is of another page than Usage Minimum: give both the same",
      );
    } else if (usage.maximum < minimum.minimum) {
      this.#problems.add(
        place,
        `Usage Maximum ${usage.maximum} is below Usage Minimum ${minimum.minimum}: swap them`,
      );
    } else {
      this.#addUsages({
        page,
        minimum: minimum.minimum,
        maximum: usage.maximum,
      });
    }
  }

  #addUsages(usages: UsageRange): void {
    if (this.#set?.used) return;
    if (this.#set !== undefined) this.#set.used = true;
    this.usages.push(usages);
  }

  #checkMinimum(): void {
    if (this.#minimum === undefined) return;
    this.#problems.add(
      this.#minimum.place,
      "Usage Minimum has no Usage Maximum after it",
    );
  }

  /** Ends the items before a main item. */
  finish(): void {
    this.#checkMinimum();
    if (this.#set !== undefined) {
      this.#problems.add(
        this.#set.place,
        "Delimiter opens a set that is not closed before the next main item: close it",
      );
    }
  }

  /** Forgets all. */
  reset(): void {
    this.usages = [];
    this.#minimum = undefined;
    this.#set = undefined;
  }
}
