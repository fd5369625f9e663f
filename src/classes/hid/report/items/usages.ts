/**
 * Usage pages and usages by name (HID Usage Tables 1.5).
 *
 * @module
 */
import { nameRemedy } from "../../../../arguments/known_names.ts";
import { hex, show } from "../../../../arguments/show.ts";
import { NAMED_USAGES, PAGES } from "./usage_tables.ts";

/** Pages from here on belong to vendors. */
const FIRST_VENDOR_PAGE = 0xff00;
/** Pages whose usages are numbered, and the word before the number. */
const NUMBERED: Readonly<Record<number, string>> = {
  0x09: "button",
  0x0a: "instance",
};
/** Shorter names of pages. */
const ALIASES: Readonly<Record<string, number>> = {
  "simulation": 0x02,
  "keyboard": 0x07,
  "digitizer": 0x0d,
  "fido": 0xf1d0,
};

const pageNumbers = new Map(
  Object.entries(PAGES).map(([page, name]) => [name, Number(page)]),
);

/** The names of the usages of a page, and the other way round. */
interface PageUsages {
  readonly names: ReadonlyMap<number, string>;
  readonly ids: ReadonlyMap<string, number>;
}

const usagesOf = new Map<number, PageUsages>();

/** Reads the table of a page on first use. */
function pageUsages(page: number): PageUsages {
  const known = usagesOf.get(page);
  if (known !== undefined) return known;
  const names = new Map<number, string>();
  for (const [first, run] of Object.entries(NAMED_USAGES[page] ?? {})) {
    run.split(", ").forEach((name, at) => names.set(Number(first) + at, name));
  }
  const ids = new Map([...names].map(([id, name]) => [name, id]));
  const result = { names, ids };
  // Tables of other pages are empty: not worth keeping.
  if (page in NAMED_USAGES) usagesOf.set(page, result);
  return result;
}

/** The number of a usage page, or `undefined`. */
export function pageNumber(name: string): number | undefined {
  return pageNumbers.get(name) ??
    (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined);
}

/** Says that there is no such page, and which one was probably meant. */
export function noPage(name: string): string {
  return `there is no usage page ${show(name)}: ${
    nameRemedy(name, [...pageNumbers.keys(), ...Object.keys(ALIASES)])
  }`;
}

/** The name of a usage page: `generic desktop`, `vendor 0xff00`, `page 0x0055`. */
export function pageName(page: number): string {
  return PAGES[page] ??
    `${page >= FIRST_VENDOR_PAGE ? "vendor" : "page"} ${hex(page, 4)}`;
}

/** The number of a usage within its page, or `undefined`. */
export function usageNumber(page: number, name: string): number | undefined {
  const numbered = NUMBERED[page];
  if (numbered === undefined) return pageUsages(page).ids.get(name);
  const [, digits] = name.match(/^[a-z]+ ([1-9]\d{0,4})$/) ?? [];
  const id = Number(digits);
  return name === `${numbered} ${digits}` && id <= 0xffff ? id : undefined;
}

/** Says that a page has no such usage, and which one was probably meant. */
export function noUsage(page: number, name: string): string {
  const known = page in NUMBERED
    ? [`${NUMBERED[page]} 1`]
    : [...pageUsages(page).ids.keys()];
  const what = `the usage page ${show(pageName(page))} has no usage ${
    show(name)
  }`;
  return known.length === 0
    ? `${what}, and no names at all: give the number`
    : known.length > MOST_SHOWN && nameRemedy(name, known).startsWith("remove")
    ? `${what}: see the HID Usage Tables, or give the number`
    : `${what}: ${nameRemedy(name, known)}`;
}

/** The most names that a message lists. */
const MOST_SHOWN = 20;

/** The name of a usage, if it has one. */
export function knownUsageName(page: number, id: number): string | undefined {
  return page in NUMBERED && id > 0
    ? `${NUMBERED[page]} ${id}`
    : pageUsages(page).names.get(id);
}

/** A name for any usage: `x`, `button 3`, `keyboard/keypad 0xe1`. */
export function usageName(page: number, id: number): string {
  return knownUsageName(page, id) ?? `${pageName(page)} ${hex(id)}`;
}
