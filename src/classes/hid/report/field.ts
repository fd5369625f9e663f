/**
 * Fields of reports, and their usages.
 *
 * @module
 */
import { pageName, usageName } from "./items/usages.ts";

/**
 * Usages of one page, from the first to the last.
 *
 * @category Report descriptors
 */
export interface UsageRange {
  /** The number of the usage page. */
  readonly page: number;
  /** The first usage. */
  readonly minimum: number;
  /** The last usage. */
  readonly maximum: number;
}

/**
 * One value of a report, and where it lies. A main item makes several, if it has
 * several usages and no name.
 *
 * @category Report descriptors
 */
export interface ReportField {
  /** The name, of which there is only one in the report. */
  readonly name: string;
  /**
   * What the value is. `"number"`: a number, or `null` in a null state.
   * `"usages"`: a list of the usages that are on; their numbers, above 65535 with
   * the page in the upper half if they are of several pages. `"bytes"`: a
   * `Uint8Array` of `count` bytes. `"numbers"`: a list of `count` numbers.
   */
  readonly kind: "number" | "usages" | "bytes" | "numbers";
  /** Where it begins, in bits after the report ID. */
  readonly bitOffset: number;
  /** The size of each element in bits, 1 to 32. */
  readonly size: number;
  /** How many elements there are. */
  readonly count: number;
  /** The usages of the elements. Those of an array are the ones that an element can have. */
  readonly usages: readonly UsageRange[];
  /** The least value of an element. Below 0, elements are signed. */
  readonly logicalMinimum: number;
  /** The greatest value of an element. */
  readonly logicalMaximum: number;
  /** What the logical minimum stands for. */
  readonly physicalMinimum: number;
  /** What the logical maximum stands for. */
  readonly physicalMaximum: number;
  /** The code of the unit, 0 for none (HID 1.11, 6.2.2.7). */
  readonly unit: number;
  /** The power of ten that physical values are multiplied by. */
  readonly unitExponent: number;
  /** The value never changes. */
  readonly constant: boolean;
  /** Elements are the numbers of usages that are on. */
  readonly array: boolean;
  /** The value is the change since the last report. */
  readonly relative: boolean;
  /** The value goes on at the other end of its range. */
  readonly wrap: boolean;
  /** The value is not proportional to what it measures. */
  readonly nonLinear: boolean;
  /** The control does not return to a state by itself. */
  readonly noPreferred: boolean;
  /** There is a state without a value. */
  readonly nullState: boolean;
  /** The value can change without the host. */
  readonly volatile: boolean;
  /** The elements are a stream of bytes. */
  readonly bufferedBytes: boolean;
}

/** A field without its final name. */
export interface FieldDraft extends Omit<ReportField, "name"> {
  /** The name, if the item has one. */
  readonly given?: string;
  /** The name otherwise, which others can have as well. */
  readonly usual: string;
}

/** What all fields of a main item have in common. The count is that of the item. */
export type FieldBase = Omit<ReportField, "name" | "kind">;

/** Names of values that consist of all usages of an item, by page. */
const LIST_NAMES: Readonly<Record<number, string>> = {
  0x07: "keys",
  0x09: "buttons",
};

/** An item with more usages than this makes one value, even without a name. */
const MOST_VALUES = 128;

/** The fields that a main item makes. */
export function fieldsOf(base: FieldBase, given?: string): FieldDraft[] {
  const { array, count, size, usages, bitOffset } = base;
  const number = usageCount(usages);
  if (array || given !== undefined || number === 0 || isList(base)) {
    const used = array ? usages : firstUsages(usages, count);
    const usual = number === 0
      ? "data"
      : !array && number === 1
      ? usageName(usages[0].page, usages[0].minimum)
      : LIST_NAMES[usages[0].page] ?? pageName(usages[0].page);
    return [draft({ ...base, usages: used }, usual, given)];
  }
  const fields = Math.min(count, number);
  return Array.from({ length: fields }, (_, at) => {
    const usage = usageAt(usages, at) ?? usages[0];
    return draft({
      ...base,
      usages: [usage],
      bitOffset: bitOffset + at * size,
      // The last usage is that of all further fields (HID 1.11, 6.2.2.8).
      count: at === fields - 1 ? count - at : 1,
    }, usageName(usage.page, usage.minimum));
  });
}

/** Whether the usages of a variable are one value, although it has no name. */
function isList({ usages, size, count }: FieldBase): boolean {
  const number = Math.min(usageCount(usages), count);
  return number > MOST_VALUES ||
    size === 1 && number > 1 && usages.every(({ page }) => page in LIST_NAMES);
}

function draft(base: FieldBase, usual: string, given?: string): FieldDraft {
  const { array, size, count, logicalMinimum } = base;
  const several = usageCount(base.usages) > 1;
  const kind = several && (array || size === 1)
    ? "usages"
    : count === 1
    ? "number"
    : size === 8 && logicalMinimum >= 0
    ? "bytes"
    : "numbers";
  return { ...base, kind, usual, ...(given === undefined ? {} : { given }) };
}

/**
 * Gives each field of a report a name of its own. A name that several fields
 * have by themselves gets a number.
 *
 * @param onTaken Is called with a field whose given name is that of another.
 */
export function namedFields<D extends FieldDraft>(
  drafts: readonly D[],
  onTaken: (draft: D, name: string) => void,
): ReportField[] {
  const taken = new Set<string>();
  for (const draft of drafts) {
    if (draft.given === undefined) continue;
    if (taken.has(draft.given)) onTaken(draft, draft.given);
    taken.add(draft.given);
  }
  const numbers = new Map<string, number>();
  const free = (usual: string) => {
    let number = numbers.get(usual) ?? 0;
    let name: string;
    do {
      number++;
      name = number === 1 ? usual : `${usual} ${number}`;
    } while (taken.has(name));
    numbers.set(usual, number);
    taken.add(name);
    return name;
  };
  return drafts.map((draft) =>
    fieldOf(draft, draft.given ?? free(draft.usual))
  );
}

/** The field without what only its draft has. */
function fieldOf(draft: FieldDraft, name: string): ReportField {
  return Object.freeze({
    name,
    kind: draft.kind,
    bitOffset: draft.bitOffset,
    size: draft.size,
    count: draft.count,
    usages: Object.freeze(draft.usages.map((it) => Object.freeze({ ...it }))),
    logicalMinimum: draft.logicalMinimum,
    logicalMaximum: draft.logicalMaximum,
    physicalMinimum: draft.physicalMinimum,
    physicalMaximum: draft.physicalMaximum,
    unit: draft.unit,
    unitExponent: draft.unitExponent,
    constant: draft.constant,
    array: draft.array,
    relative: draft.relative,
    wrap: draft.wrap,
    nonLinear: draft.nonLinear,
    noPreferred: draft.noPreferred,
    nullState: draft.nullState,
    volatile: draft.volatile,
    bufferedBytes: draft.bufferedBytes,
  });
}

/** How many usages there are. */
export function usageCount(usages: readonly UsageRange[]): number {
  return usages.reduce((sum, it) => sum + it.maximum - it.minimum + 1, 0);
}

/** The usage at an index, as a range of one. */
function usageAt(
  usages: readonly UsageRange[],
  index: number,
): UsageRange | undefined {
  let left = index;
  for (const { page, minimum, maximum } of usages) {
    const id = minimum + left;
    if (id <= maximum) return { page, minimum: id, maximum: id };
    left -= maximum - minimum + 1;
  }
  return undefined;
}

function firstUsages(
  usages: readonly UsageRange[],
  count: number,
): UsageRange[] {
  const first: UsageRange[] = [];
  let left = count;
  for (const { page, minimum, maximum } of usages) {
    if (left <= 0) break;
    const last = Math.min(maximum, minimum + left - 1);
    first.push({ page, minimum, maximum: last });
    left -= last - minimum + 1;
  }
  return first;
}

/** The index of a usage, given by its number, or -1. */
export function usageIndex(
  usages: readonly UsageRange[],
  usage: number,
): number {
  const id = usage % 65536;
  const wantedPage = Math.floor(usage / 65536);
  let index = 0;
  for (const { page, minimum, maximum } of usages) {
    const onPage = wantedPage === 0 || wantedPage === page;
    if (onPage && id >= minimum && id <= maximum) return index + id - minimum;
    index += maximum - minimum + 1;
  }
  return -1;
}

/** The number of the usage at an index, or `undefined`. */
export function usageValue(
  usages: readonly UsageRange[],
  index: number,
): number | undefined {
  const usage = usageAt(usages, index);
  if (usage === undefined) return undefined;
  const onePage = usages.every(({ page }) => page === usages[0].page);
  return onePage ? usage.minimum : usage.page * 65536 + usage.minimum;
}

/** The usages in words: `1 to 3, 9`. */
export function showUsages(usages: readonly UsageRange[]): string {
  const shown = usages.slice(0, 8).map(({ minimum, maximum }) =>
    minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`
  );
  return [...shown, ...(usages.length > 8 ? ["..."] : [])].join(", ");
}
