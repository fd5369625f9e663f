/**
 * One list of items out of lists in lists: which usage page each belongs to, and
 * the numbers of usages that are given by name.
 *
 * @module
 */
import { isWithin } from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import {
  Global,
  isItem,
  itemLength,
  type ReportItem,
  unsigned,
  unsignedData,
} from "./items/encoding.ts";
import type { NamedUsageItem, ReportItems } from "./items/usage_items.ts";
import { noUsage, usageNumber } from "./items/usages.ts";
import type { ProblemList } from "./problem.ts";

type Item = ReportItem | NamedUsageItem;

/**
 * Finds the usage page of each item. That of a local item is the page at its
 * main item, not the one at itself (HID 1.11, 6.2.2.8).
 */
export function pagesOf(items: readonly Item[]): number[] {
  const pages: number[] = [];
  const stack: number[] = [];
  let page = 0;
  let first = 0;
  items.forEach((item, index) => {
    if (!("usage" in item)) {
      if (isItem(item, "global", Global.USAGE_PAGE)) page = unsigned(item);
      if (isItem(item, "global", Global.PUSH)) stack.push(page);
      if (isItem(item, "global", Global.POP)) page = stack.pop() ?? page;
    }
    pages.push(page);
    if (item.type !== "main") return;
    pages.fill(page, first);
    first = index + 1;
  });
  return pages;
}

/**
 * Makes one list of items, in which usages are numbers.
 *
 * @throws {TypeError} For something that is no item.
 */
export function resolveItems(
  nested: readonly ReportItems[],
  problems: ProblemList,
): readonly ReportItem[] {
  const given = flatten(nested);
  const pages = pagesOf(given);
  let offset = 0;
  const number = ({ type, tag, usage }: NamedUsageItem, item: number) => {
    const page = pages[item];
    const id = usageNumber(page, usage);
    if (id === undefined) {
      problems.add(
        { item, offset },
        page === 0
          ? `Usage ${show(usage)} has no usage page: put usagePage() before it`
          : `Usage is unknown: ${noUsage(page, usage)}`,
      );
    }
    return { type, tag, data: unsignedData(id ?? 0) };
  };
  const items = given.map((item, index) => {
    const resolved = "usage" in item ? number(item, index) : item;
    offset += itemLength(resolved);
    return frozen(resolved);
  });
  return Object.freeze(items);
}

function flatten(nested: readonly ReportItems[]): Item[] {
  return nested.flatMap((it) => {
    if (isList(it)) return flatten(it);
    if (isReportItem(it)) return it;
    throw new TypeError(
      `Cannot build report descriptor: ${
        show(it)
      } is no item: use the builders, such as usagePage() and input()`,
    );
  });
}

function isList(items: ReportItems): items is readonly ReportItems[] {
  return Array.isArray(items);
}

function isReportItem(item: unknown): boolean {
  if (typeof item !== "object" || item === null) return false;
  const { type, tag, data, usage, name } = item as Record<string, unknown>;
  const isLong = type === "long";
  if (!isWithin(tag, 0, isLong ? 255 : 15)) return false;
  if (usage !== undefined) return type === "local" && typeof usage === "string";
  return typeof type === "string" &&
    ["main", "global", "local", "reserved", "long"].includes(type) &&
    Array.isArray(data) && data.every((it) => isWithin(it, 0, 255)) &&
    (isLong ? data.length <= 255 : [0, 1, 2, 4].includes(data.length)) &&
    (name === undefined || typeof name === "string");
}

function frozen({ type, tag, data, name }: ReportItem): ReportItem {
  return Object.freeze({
    type,
    tag,
    data: Object.freeze([...data]),
    ...(name === undefined ? {} : { name }),
  });
}
