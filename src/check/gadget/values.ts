/**
 * Checks of single values of a gadget's definition.
 *
 * @module
 */
import type { LocalizedString } from "../../definition/function.ts";
import { show } from "../../arguments/show.ts";
import { checkCharacters, unknownLanguage } from "../function/strings.ts";
import type { ProblemList } from "../problem.ts";
import { languageId, languageTag } from "../../usb/language.ts";

/** MAX_USB_STRING_LANGS, the same for the device and each configuration. */
const MAX_LANGUAGES = 2;

/** Checks a whole number from 0 to `max`, which may be left out. */
export function checkNumber(
  list: ProblemList,
  path: string,
  value: unknown,
  max: number,
  what: string,
): void {
  if (value !== undefined) list.range(value, [0, max], path, what);
}

/** Checks a version in binary-coded decimal, which may be left out. */
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

/** Checks a text for one file of configfs, which may be left out. */
export function checkText(
  list: ProblemList,
  path: string,
  value: string | undefined,
  maxBytes?: number,
): void {
  if (value === undefined) return;
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
 * Checks a string descriptor in all its languages, which may be left out.
 *
 * @param languages Where its languages are noted.
 */
export function checkString(
  list: ProblemList,
  path: string,
  value: LocalizedString | undefined,
  languages: Set<number>,
): void {
  if (value === undefined) return;
  if (typeof value === "string") {
    languages.add(ENGLISH);
    return checkText(list, path, value);
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
    } else {
      seen.add(id);
      languages.add(id);
    }
    checkText(list, at, text);
  }
}

/** Whether configfs makes a directory for a LANGID (`usb_validate_langid()`). */
function isTaken(id: number): boolean {
  const primary = id & 0x3ff;
  return id >> 10 !== 0 && primary !== 0 &&
    (primary < 0x62 || primary === 0xff);
}

/** Checks how many languages there are. */
export function checkLanguages(
  list: ProblemList,
  path: string,
  languages: ReadonlySet<number>,
): void {
  if (languages.size <= MAX_LANGUAGES) return;
  list.write(
    "language",
    path,
    `The strings have ${languages.size} languages, and Linux takes ${MAX_LANGUAGES}: use fewer`,
  );
}

/** The language of a text that is given without one. */
const ENGLISH = 0x0409;

/** The texts by LANGID. A text for all languages counts as English. */
export function localized(value: LocalizedString): [number, string][] {
  if (typeof value === "string") return [[ENGLISH, value]];
  return Object.entries(value).map(([tag, text]) => [languageId(tag)!, text]);
}

/** Names become names of directories: nothing may lead out of the gadget's. */
export function checkName(
  list: ProblemList,
  path: string,
  name: unknown,
  what: string,
): void {
  if (typeof name !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    list.write(
      "name",
      path,
      `${what} is ${
        show(name)
      }: use letters, digits, "_", "-" and ".", and begin with none of "-" and "."`,
    );
  } else if (name.length > 255) {
    list.write(
      "name",
      path,
      `${what} has ${name.length} characters, and a directory's name takes 255: shorten it`,
    );
  }
}

/** A path below a function's directory. */
export function checkPath(
  list: ProblemList,
  path: string,
  value: string,
  what: string,
): void {
  for (const part of value.split("/")) checkName(list, path, part, what);
}
