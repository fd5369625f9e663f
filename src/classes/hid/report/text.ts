/**
 * Report descriptors as text.
 *
 * @module
 */
import { hex, show } from "../../../arguments/show.ts";
import {
  encodeItem,
  exponent,
  Global,
  isItem,
  Local,
  Main,
  type ReportItem,
  signed,
  unsigned,
} from "./items/encoding.ts";
import { collectionName, Flag } from "./items/main_items.ts";
import { unitName } from "./items/units.ts";
import { knownUsageName, pageName } from "./items/usages.ts";
import { pagesOf } from "./resolve.ts";

const MAIN_NAMES: Readonly<Record<number, string>> = {
  [Main.INPUT]: "Input",
  [Main.OUTPUT]: "Output",
  [Main.COLLECTION]: "Collection",
  [Main.FEATURE]: "Feature",
  [Main.END_COLLECTION]: "End Collection",
};
const GLOBAL_NAMES: Readonly<Record<number, string>> = {
  [Global.USAGE_PAGE]: "Usage Page",
  [Global.LOGICAL_MINIMUM]: "Logical Minimum",
  [Global.LOGICAL_MAXIMUM]: "Logical Maximum",
  [Global.PHYSICAL_MINIMUM]: "Physical Minimum",
  [Global.PHYSICAL_MAXIMUM]: "Physical Maximum",
  [Global.UNIT_EXPONENT]: "Unit Exponent",
  [Global.UNIT]: "Unit",
  [Global.REPORT_SIZE]: "Report Size",
  [Global.REPORT_ID]: "Report ID",
  [Global.REPORT_COUNT]: "Report Count",
  [Global.PUSH]: "Push",
  [Global.POP]: "Pop",
};
const LOCAL_NAMES: Readonly<Record<number, string>> = {
  [Local.USAGE]: "Usage",
  [Local.USAGE_MINIMUM]: "Usage Minimum",
  [Local.USAGE_MAXIMUM]: "Usage Maximum",
  [Local.DESIGNATOR_INDEX]: "Designator Index",
  [Local.DESIGNATOR_MINIMUM]: "Designator Minimum",
  [Local.DESIGNATOR_MAXIMUM]: "Designator Maximum",
  [Local.STRING_INDEX]: "String Index",
  [Local.STRING_MINIMUM]: "String Minimum",
  [Local.STRING_MAXIMUM]: "String Maximum",
  [Local.DELIMITER]: "Delimiter",
};
const NAMES = {
  main: MAIN_NAMES,
  global: GLOBAL_NAMES,
  local: LOCAL_NAMES,
  reserved: {} as Readonly<Record<number, string>>,
  long: {} as Readonly<Record<number, string>>,
} as const;

/** Words for bits that are set; those of the first three have another for 0. */
const FLAG_WORDS:
  readonly (readonly [flag: number, set: string, clear?: string])[] = [
    [Flag.constant, "constant", "data"],
    [Flag.variable, "variable", "array"],
    [Flag.relative, "relative", "absolute"],
    [Flag.wrap, "wrap"],
    [Flag.nonLinear, "non-linear"],
    [Flag.noPreferred, "no preferred"],
    [Flag.nullState, "null state"],
    [Flag.volatile, "volatile"],
    [Flag.bufferedBytes, "buffered bytes"],
  ];

const INDENT = "  ";

/** The minima, which say whether the maxima have a sign. */
interface Minima {
  readonly logical: number;
  readonly physical: number;
}

/** Formats items, one a line, with their bytes after them. */
export function formatItems(items: readonly ReportItem[]): string {
  const pages = pagesOf(items);
  const states: Minima[] = [];
  let minima: Minima = { logical: 0, physical: 0 };
  let depth = 0;
  const lines = items.map((item, index) => {
    if (isItem(item, "global", Global.LOGICAL_MINIMUM)) {
      minima = { ...minima, logical: signed(item) };
    }
    if (isItem(item, "global", Global.PHYSICAL_MINIMUM)) {
      minima = { ...minima, physical: signed(item) };
    }
    if (isItem(item, "global", Global.PUSH)) states.push(minima);
    if (isItem(item, "global", Global.POP)) minima = states.pop() ?? minima;
    if (isItem(item, "main", Main.END_COLLECTION)) {
      depth = Math.max(depth - 1, 0);
    }
    const text = INDENT.repeat(depth) + itemText(item, pages[index], minima);
    if (isItem(item, "main", Main.COLLECTION)) depth++;
    return { text, bytes: encodeItem(item).map((it) => hex(it).slice(2)) };
  });
  const width = Math.max(...lines.map(({ text }) => text.length));
  return lines.map(({ text, bytes }) =>
    `${text.padEnd(width)}  // ${bytes.join(" ")}`
  ).join("\n");
}

function itemText(
  item: ReportItem,
  page: number,
  minima: Minima,
): string {
  const { type, tag, data } = item;
  const name = NAMES[type][tag];
  const value = valueText(item, page, minima);
  if (name !== undefined) return value === "" ? name : `${name} (${value})`;
  const what = `${
    type === "long"
      ? "Long"
      : type === "reserved"
      ? "Reserved"
      : `Reserved ${type}`
  } item ${hex(tag)}`;
  return data.length === 0
    ? what
    : type === "long"
    ? `${what} (${data.length} ${data.length === 1 ? "byte" : "bytes"})`
    : `${what} (${hex(unsigned(item))})`;
}

function valueText(
  item: ReportItem,
  page: number,
  minima: Minima,
): string {
  const value = unsigned(item);
  switch (item.type) {
    case "main":
      return mainText(item, value);
    case "global":
      switch (item.tag) {
        case Global.USAGE_PAGE:
          return pageName(value);
        case Global.LOGICAL_MINIMUM:
        case Global.PHYSICAL_MINIMUM:
          return String(signed(item));
        case Global.LOGICAL_MAXIMUM:
          return String(minima.logical < 0 ? signed(item) : value);
        case Global.PHYSICAL_MAXIMUM:
          return String(minima.physical < 0 ? signed(item) : value);
        case Global.UNIT_EXPONENT:
          return String(exponent(item));
        case Global.UNIT:
          return unitName(value) ?? hex(value);
        case Global.PUSH:
        case Global.POP:
          return "";
      }
      return String(value);
    case "local":
      if (item.tag > Local.USAGE_MAXIMUM) {
        return item.tag === Local.DELIMITER
          ? ["close", "open"][value] ?? String(value)
          : String(value);
      }
      return usageText(item, page, value);
  }
  return "";
}

function mainText({ tag, name }: ReportItem, value: number): string {
  if (tag === Main.COLLECTION) return collectionName(value) ?? hex(value);
  if (tag === Main.END_COLLECTION) return "";
  const words = FLAG_WORDS.map(([flag, set, clear]) =>
    (value & flag) !== 0 ? set : clear
  ).filter((it) => it !== undefined);
  return words.join(", ") + (name === undefined ? "" : `; ${show(name)}`);
}

function usageText(item: ReportItem, page: number, value: number): string {
  const hasPage = item.data.length === 4;
  const id = value % 65536;
  const itsPage = hasPage ? Math.floor(value / 65536) : page;
  const text = knownUsageName(itsPage, id) ?? hex(id);
  return hasPage ? `${pageName(itsPage)}, ${text}` : text;
}
