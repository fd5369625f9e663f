/**
 * Builders of usage pages and usages (HID 1.11, 6.2.2.7 and 6.2.2.8).
 *
 * @module
 */
import { checkInteger } from "../../../../arguments/rules.ts";
import {
  Global,
  littleEndian,
  Local,
  type ReportItem,
  unsignedData,
} from "./encoding.ts";
import { ACTION, checkWithin, MOST } from "./raw_item.ts";
import { noPage, noUsage, pageNumber, usageNumber } from "./usages.ts";

/**
 * A usage by a name that belongs to the usage page of its main item. It becomes
 * a {@linkcode ReportItem} in {@linkcode reportDescriptor}.
 *
 * @category Report descriptors
 */
export interface NamedUsageItem {
  /** Usages are local items. */
  readonly type: "local";
  /** 0 for a usage, 1 and 2 for the ends of a range. */
  readonly tag: number;
  /** The name. */
  readonly usage: string;
}

/**
 * An item of a report descriptor, or a list of items and lists.
 *
 * @category Report descriptors
 */
export type ReportItems =
  | ReportItem
  | NamedUsageItem
  | readonly ReportItems[];

/**
 * A usage: its name or number on the usage page of its main item; a number above
 * 65535 with the page in its upper half; or a page and a usage on it.
 *
 * @category Report descriptors
 */
export type UsageReference =
  | string
  | number
  | readonly [page: string | number, usage: string | number];

/**
 * The usage page of the usages that follow.
 *
 * @param page The name, such as `"generic desktop"`, `"keyboard"`, `"led"`,
 *   `"button"` or `"consumer"`, or the number. Pages from 0xff00 on are for vendors.
 * @throws {TypeError} If there is no page of that name.
 * @throws {RangeError} If the number is not from 1 to 65535.
 *
 * @category Report descriptors
 */
export function usagePage(page: string | number): ReportItem {
  return {
    type: "global",
    tag: Global.USAGE_PAGE,
    data: unsignedData(resolvePage(page)),
  };
}

function resolvePage(page: unknown): number {
  if (typeof page === "string") {
    const number = pageNumber(page);
    if (number !== undefined) return number;
    throw new TypeError(`Cannot ${ACTION}: ${noPage(page)}`);
  }
  checkWithin("the usage page", page, 1, 0xffff);
  return page;
}

/**
 * What the next collection or field is for.
 *
 * @throws {TypeError} If there is no page of that name, or no usage of that name on a given page.
 * @throws {RangeError} If a number is out of range.
 *
 * @category Report descriptors
 */
export function usage(usage: UsageReference): ReportItem | NamedUsageItem {
  return usageItem(Local.USAGE, usage);
}

/**
 * The usages of the fields that the next main item makes, in order. The last one
 * is that of all further fields.
 *
 * @throws {TypeError} As {@linkcode usage}.
 * @throws {RangeError} As {@linkcode usage}.
 *
 * @category Report descriptors
 */
export function usages(
  ...usages: readonly UsageReference[]
): readonly ReportItems[] {
  return usages.map(usage);
}

/**
 * A range of usages, both ends included, such as buttons 1 to 3.
 *
 * @throws {TypeError} As {@linkcode usage}.
 * @throws {RangeError} As {@linkcode usage}.
 *
 * @category Report descriptors
 */
export function usageRange(
  minimum: UsageReference,
  maximum: UsageReference,
): readonly ReportItems[] {
  return [
    usageItem(Local.USAGE_MINIMUM, minimum),
    usageItem(Local.USAGE_MAXIMUM, maximum),
  ];
}

function usageItem(tag: number, usage: unknown): ReportItem | NamedUsageItem {
  if (typeof usage === "string") return { type: "local", tag, usage };
  if (!Array.isArray(usage)) {
    checkInteger(ACTION, "a usage", usage, MOST);
    return local(tag, unsignedData(usage as number));
  }
  const [pageReference, reference] = usage as unknown[];
  const page = resolvePage(pageReference);
  if (typeof reference !== "string") {
    checkInteger(ACTION, "a usage", reference, 0xffff);
    return local(tag, littleEndian(page * 65536 + (reference as number), 4));
  }
  const id = usageNumber(page, reference);
  if (id === undefined) {
    throw new TypeError(`Cannot ${ACTION}: ${noUsage(page, reference)}`);
  }
  return local(tag, littleEndian(page * 65536 + id, 4));
}

function local(tag: number, data: number[]): ReportItem {
  return { type: "local", tag, data };
}
