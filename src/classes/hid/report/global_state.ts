/**
 * The state of the global items (HID 1.11, 6.2.2.7).
 *
 * @module
 */
import {
  exponent,
  Global,
  type ReportItem,
  signed,
  unsigned,
} from "./items/encoding.ts";
import type { Place, ProblemList } from "./problem.ts";

/** States that Linux saves: HID_GLOBAL_STACK_SIZE. */
const MOST_STATES = 4;
const MOST_ID = 255;

/** What the global items say at some place in a descriptor. */
export class GlobalState {
  /** Whether there is any report ID. */
  usesIds = false;
  readonly #problems: ProblemList;
  /** The last item of each tag. */
  #items = new Map<number, ReportItem>();
  readonly #states: { items: Map<number, ReportItem>; place: Place }[] = [];

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** Takes a global item. */
  take(item: ReportItem, place: Place): void {
    const value = unsigned(item);
    switch (item.tag) {
      case Global.PUSH:
        if (this.#states.length === MOST_STATES) {
          this.#problems.add(
            place,
            `Push would save more than ${MOST_STATES} states, the most that Linux takes: use fewer`,
          );
        }
        this.#states.push({ items: new Map(this.#items), place });
        return;
      case Global.POP: {
        const state = this.#states.pop();
        if (state === undefined) {
          this.#problems.add(place, "Pop has no Push: put push() before it");
        } else this.#items = state.items;
        return;
      }
      case Global.USAGE_PAGE:
        if (value >= 1 && value <= 0xffff) break;
        this.#problems.add(
          place,
          `Usage Page is ${value}: give a page from 1 to 65535`,
        );
        break;
      case Global.REPORT_ID:
        if (value >= 1 && value <= MOST_ID) {
          this.usesIds = true;
          break;
        }
        this.#problems.add(
          place,
          `Report ID is ${value}: give 1 to ${MOST_ID}`,
        );
        break;
    }
    this.#items.set(item.tag, item);
  }

  /** Ends the descriptor. */
  finish(): void {
    for (const { place } of this.#states) {
      this.#problems.add(place, "Push has no Pop: put pop() after it");
    }
  }

  /** The number of an item, without a sign. */
  number(tag: number): number | undefined {
    const item = this.#items.get(tag);
    return item && unsigned(item);
  }

  /** The logical range, if there is one. */
  logicalRange(): [number, number] | undefined {
    const minimum = this.#items.get(Global.LOGICAL_MINIMUM);
    const maximum = this.#items.get(Global.LOGICAL_MAXIMUM);
    return minimum && maximum && rangeOf(minimum, maximum);
  }

  /** What the ends of a logical range stand for. */
  physical([least, greatest]: readonly [number, number]) {
    const [low, high] = rangeOf(
      this.#items.get(Global.PHYSICAL_MINIMUM),
      this.#items.get(Global.PHYSICAL_MAXIMUM),
    );
    // Without an extent, it is the logical one (6.2.2.7).
    const hasExtent = low !== 0 || high !== 0;
    const unitExponent = this.#items.get(Global.UNIT_EXPONENT);
    return {
      physicalMinimum: hasExtent ? low : least,
      physicalMaximum: hasExtent ? high : greatest,
      unit: this.number(Global.UNIT) ?? 0,
      unitExponent: unitExponent === undefined ? 0 : exponent(unitExponent),
    };
  }
}

/** A range; its maximum has a sign only if the minimum is negative, as in Linux. */
function rangeOf(minimum?: ReportItem, maximum?: ReportItem): [number, number] {
  const least = minimum === undefined ? 0 : signed(minimum);
  const greatest = maximum === undefined
    ? 0
    : least < 0
    ? signed(maximum)
    : unsigned(maximum);
  return [least, greatest];
}
