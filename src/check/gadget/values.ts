/**
 * Checks of single values of a gadget's definition.
 *
 * @module
 */
import { languageId, languageTag } from "../../usb/language.ts";
import { checkCharacters, unknownLanguage } from "../function/strings.ts";
import type { ProblemList } from "../problem.ts";
import { show } from "../../arguments/show.ts";

/** MAX_USB_STRING_LANGS, the same for the device and each configuration. */
const MAX_LANGUAGES = 2;
/** The language of a text that is given without one. */
const ENGLISH = 0x0409;
/** NAME_MAX of Linux. */
export const MAX_FILE_NAME = 255;

/**
 * Checks optional whole numbers.
 *
 * @param at The path of what has them, with a dot at its end.
 * @param limits The name of each in messages, and its greatest value.
 */
export function checkNumbers<T extends object>(
  list: ProblemList,
  at: string,
  values: T,
  limits: { readonly [K in keyof T]?: readonly [what: string, most: number] },
): void {
  for (const name of Object.keys(limits) as (keyof T & string)[]) {
    const [what, most] = limits[name]!;
    if (values[name] === undefined) continue;
    list.range(values[name], [0, most], `${at}${name}`, what);
  }
}

/** Checks an optional version in binary-coded decimal. */
export function checkVersion(
  list: ProblemList,
  path: string,
  value: unknown,
  what: string,
): void {
  if (value === undefined) return;
  if (!list.range(value, [0, 0xffff], path, what)) return;
  const digits = value.toString(16).padStart(4, "0");
  if (/^\d+$/.test(digits)) return;
  list.write(
    "version",
    path,
    `${what} is 0x${digits}, and the kernel takes decimal digits only: use the digits 0 to 9, as in 0x0102 for 1.02`,
  );
}

/** Checks an optional text for one file of configfs. */
export function checkText(
  list: ProblemList,
  path: string,
  value: unknown,
  maxBytes?: number,
): void {
  if (value === undefined) return;
  if (typeof value !== "string") {
    list.write("string", path, `The value is ${show(value)}: give text`);
    return;
  }
  checkCharacters(list, value, path, maxBytes);
  if (value.includes("\n")) {
    list.write(
      "string",
      path,
      "The text has a line break, which ends a value in configfs: remove it",
    );
  }
}

/**
 * Checks optional strings in all their languages, which they share.
 *
 * @param at The path of what has them.
 * @param strings The strings by their names.
 */
export function checkStrings(
  list: ProblemList,
  at: string,
  strings: Readonly<Record<string, unknown>>,
): void {
  const languages = new Set(
    Object.entries(strings).flatMap(([name, value]) =>
      checkString(list, at === "" ? name : `${at}.${name}`, value)
    ),
  );
  if (languages.size <= MAX_LANGUAGES) return;
  list.write(
    "language",
    at,
    `The strings have ${languages.size} languages, and Linux takes ${MAX_LANGUAGES}: use fewer`,
  );
}

/** Checks a string, and returns the LANGIDs of its languages. */
function checkString(
  list: ProblemList,
  path: string,
  value: unknown,
): number[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) {
    checkText(list, path, value);
    return [ENGLISH];
  }
  const seen = new Set<number>();
  for (const [tag, text] of Object.entries(value)) {
    const at = `${path}[${show(tag)}]`;
    const id = languageId(tag);
    if (id === undefined) list.configure("language", at, unknownLanguage(tag));
    else if (!isTaken(id)) {
      list.write(
        "language",
        at,
        `configfs refuses the LANGID 0x${
          id.toString(16).padStart(4, "0")
        }: use one with a sublanguage (bits 10 to 15) and a primary language from 0x01 to 0x61, or 0xff`,
      );
    } else if (seen.has(id)) {
      list.configure(
        "language",
        at,
        `Language ${languageTag(id)} is given twice: give it once`,
      );
    } else seen.add(id);
    checkText(list, at, text);
  }
  return [...seen];
}

/** Whether configfs makes a directory for a LANGID (`usb_validate_langid()`). */
function isTaken(id: number): boolean {
  const primary = id & 0x3ff;
  return id >> 10 !== 0 && primary !== 0 &&
    (primary < 0x62 || primary === 0xff);
}

/** Checks a name, which becomes that of a directory inside the gadget's. */
export function checkName(
  list: ProblemList,
  path: string,
  name: unknown,
  what: string,
  most = MAX_FILE_NAME,
): void {
  if (typeof name !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    list.write(
      "name",
      path,
      `${what} is ${
        show(name)
      }: use letters, digits, "_", "-" and ".", and do not begin with "-" or "."`,
    );
  } else if (name.length > most) {
    list.write(
      "name",
      path,
      `${what} has ${name.length} characters, and there is room for ${most}: shorten it`,
    );
  }
}
