/**
 * Makes the reports of items, and finds all that is wrong with them (HID 1.11,
 * 6.2.2).
 *
 * @module
 */
import { type FieldDraft, fieldsOf, namedFields } from "./field.ts";
import { GlobalState } from "./global_state.ts";
import {
  Global,
  isItem,
  itemLength,
  Main,
  type ReportItem,
  unsigned,
} from "./items/encoding.ts";
import { Flag } from "./items/main_items.ts";
import { LocalState } from "./local_state.ts";
import type { Place, ProblemList } from "./problem.ts";
import { ReportLayout, type ReportType } from "./report_layout.ts";
import { pagesOf } from "./resolve.ts";
import { rangeOfBits } from "./values.ts";

/** What Linux takes: HID_MAX_DESCRIPTOR_SIZE. */
export const MOST_BYTES = 4096;
/** What Linux takes: HID_MAX_USAGES. */
const MOST_COUNT = 12288;
/** The most bits of padding in one field, in Linux. */
const MOST_PADDING = 256;
/** The most bits of a value. */
const MOST_BITS = 32;
/** The most bits of a report. */
const MOST_REPORT_BITS = 65535;
/** The type of the outermost collections. */
const APPLICATION = 1;

const REPORT_TYPES: Readonly<Record<number, [ReportType, string]>> = {
  [Main.INPUT]: ["input", "Input"],
  [Main.OUTPUT]: ["output", "Output"],
  [Main.FEATURE]: ["feature", "Feature"],
};

/** A report that grows. */
interface Draft {
  readonly type: ReportType;
  readonly id: number;
  readonly first: Place;
  readonly fields: (FieldDraft & { readonly place: Place })[];
  bits: number;
}

/** Returns the reports that items make. */
export function parse(
  items: readonly ReportItem[],
  problems: ProblemList,
): ReportLayout[] {
  const parser = new Parser(problems);
  const pages = pagesOf(items);
  let offset = 0;
  items.forEach((item, index) => {
    parser.take(item, pages[index], { item: index, offset });
    offset += itemLength(item);
  });
  return parser.finish({ item: items.length, offset });
}

class Parser {
  readonly #problems: ProblemList;
  readonly #globals: GlobalState;
  readonly #locals: LocalState;
  /** Where the collections began that are open. */
  readonly #collections: Place[] = [];
  readonly #reports = new Map<string, Draft>();

  constructor(problems: ProblemList) {
    this.#problems = problems;
    this.#globals = new GlobalState(problems);
    this.#locals = new LocalState(problems);
  }

  take(item: ReportItem, page: number, place: Place): void {
    if (item.type === "global") this.#globals.take(item, place);
    if (item.type === "local") this.#locals.take(item, page, place);
    if (item.type !== "main") return;
    this.#locals.finish();
    if (isItem(item, "main", Main.COLLECTION)) {
      this.#open(unsigned(item), place);
    } else if (isItem(item, "main", Main.END_COLLECTION)) {
      if (this.#collections.pop() === undefined) {
        this.#problems.add(
          place,
          "End Collection has no collection: remove it",
        );
      }
    } else if (item.tag in REPORT_TYPES) {
      this.#addFields(item, place);
    }
    this.#locals.reset();
  }

  /** Ends the descriptor. */
  finish(end: Place): ReportLayout[] {
    if (end.offset === 0) {
      this.#problems.add(
        end,
        "The descriptor is empty: give at least a collection",
      );
    }
    if (end.offset > MOST_BYTES) {
      this.#problems.add(end, tooLong(end.offset));
    }
    this.#globals.finish();
    for (const place of this.#collections) {
      this.#problems.add(
        place,
        "Collection is open: put End Collection after it",
      );
    }
    const drafts = [...this.#reports.values()];
    for (const { id, first } of drafts) {
      if (id !== 0 || !this.#globals.usesIds) continue;
      this.#problems.add(
        first,
        "The report has no ID, but others have: put reportId() before it",
      );
    }
    return drafts.map(({ type, id, fields, bits }) => {
      const named = namedFields(fields, ({ place }, name) =>
        this.#problems.add(
          place,
          `The name "${name}" is taken by another field of the ${type} report: give each its own`,
        ));
      return new ReportLayout(type, id, bits, named);
    });
  }

  #open(type: number, place: Place): void {
    if (this.#collections.length === 0 && type !== APPLICATION) {
      this.#problems.add(
        place,
        'Collection is outermost, but no application: put it into collection("application", ...)',
      );
    }
    if (type === APPLICATION && this.#locals.usages.length === 0) {
      this.#problems.add(
        place,
        "Collection has no usage that says what the device is: put usage() before it",
      );
    }
    this.#collections.push(place);
  }

  #addFields(item: ReportItem, place: Place): void {
    const [type, what] = REPORT_TYPES[item.tag];
    if (this.#collections.length === 0) {
      this.#problems.add(
        place,
        `${what} is outside of all collections: put it into collection("application", ...)`,
      );
    }
    const id = this.#globals.number(Global.REPORT_ID) ?? 0;
    const key = `${type} ${id}`;
    const report: Draft = this.#reports.get(key) ??
      { type, id, first: place, fields: [], bits: 0 };
    this.#reports.set(key, report);

    const { usages } = this.#locals;
    const flags = unsigned(item);
    const isPadding = (flags & Flag.constant) !== 0 &&
      item.name === undefined && usages.length === 0;
    const size = this.#check(
      Global.REPORT_SIZE,
      `${what} has {} report size`,
      isPadding ? MOST_PADDING : MOST_BITS,
      place,
    );
    const count = this.#check(
      Global.REPORT_COUNT,
      `${what} has {} report count`,
      MOST_COUNT,
      place,
    );
    const range = isPadding ? undefined : this.#range(what, size, place);
    if (size === undefined || count === undefined) return;

    const bitOffset = report.bits;
    report.bits += size * count;
    if (report.bits > MOST_REPORT_BITS) {
      if (bitOffset > MOST_REPORT_BITS) return;
      this.#problems.add(
        place,
        `${what} makes its report longer than ${MOST_REPORT_BITS} bits: use smaller fields, or another report`,
      );
    } else if (range !== undefined) {
      const drafts = fieldsOf({
        ...{ bitOffset, size, count, usages },
        ...{ logicalMinimum: range[0], logicalMaximum: range[1] },
        ...this.#globals.physical(range),
        ...flagsOf(flags),
      }, item.name);
      for (const draft of drafts) report.fields.push({ ...draft, place });
    }
  }

  /** A size or a count, if it is there and can be used. */
  #check(
    tag: number,
    what: string,
    most: number,
    place: Place,
  ): number | undefined {
    const value = this.#globals.number(tag);
    if (value !== undefined && value >= 1 && value <= most) return value;
    const builder = tag === Global.REPORT_SIZE ? "reportSize" : "reportCount";
    this.#problems.add(
      place,
      value === undefined
        ? `${what.replace("{}", "no")}: put ${builder}() before it`
        : `${what.replace("{}", "a")} of ${value}: give 1 to ${most}`,
    );
    return undefined;
  }

  /** The logical range of an item, if it is there and can be used. */
  #range(
    what: string,
    size: number | undefined,
    place: Place,
  ): [number, number] | undefined {
    const range = this.#globals.logicalRange();
    if (range === undefined) {
      this.#problems.add(
        place,
        `${what} has no logical range: put logicalRange() before it`,
      );
      return undefined;
    }
    const [least, greatest] = range;
    if (least > greatest) {
      this.#problems.add(
        place,
        `${what} has a logical minimum of ${least}, above its maximum of ${greatest}: swap them`,
      );
      return undefined;
    }
    if (size === undefined) return undefined;
    const [lowest, highest] = rangeOfBits(size, least < 0);
    if (least >= lowest && greatest <= highest) return range;
    this.#problems.add(
      place,
      `${what} has values from ${least} to ${greatest}, which do not fit ${size} ${
        size === 1 ? "bit" : "bits"
      }: give a larger report size, or a smaller range`,
    );
    return undefined;
  }
}

/** Says that a descriptor is too long. */
export function tooLong(bytes: number): string {
  return `The descriptor has ${bytes} bytes: Linux takes at most ${MOST_BYTES}`;
}

function flagsOf(flags: number) {
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    constant: has(Flag.constant),
    array: !has(Flag.variable),
    relative: has(Flag.relative),
    wrap: has(Flag.wrap),
    nonLinear: has(Flag.nonLinear),
    noPreferred: has(Flag.noPreferred),
    nullState: has(Flag.nullState),
    volatile: has(Flag.volatile),
    bufferedBytes: has(Flag.bufferedBytes),
  };
}
