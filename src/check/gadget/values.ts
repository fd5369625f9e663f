/**
 * Checks of single values of a gadget's definition. Most are shapes, which also
 * report values of the right type that the kernel refuses.
 *
 * @module
 */
import { languageId, languageTag } from "../../usb/language.ts";
import { checkCharacters, unknownLanguage } from "../function/strings.ts";
import type { ProblemList } from "../problem.ts";
import { hex, show } from "../../arguments/show.ts";
import { isPlain } from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import { localized } from "../function/shape.ts";
import { type Shape, text } from "../shape.ts";

/** MAX_USB_STRING_LANGS, the same for the device and each configuration. */
const MAX_LANGUAGES = 2;
/** The language of a text that is given without one. */
const ENGLISH = 0x0409;
/** NAME_MAX of Linux. */
export const MAX_FILE_NAME = 255;

/** A whole number from 0 to `most`. */
export function upTo(most: number, what: string): Shape {
  return (list, it, path) =>
    it === undefined || list.range(it, [0, most], path, what) ||
    typeof it === "number";
}

/** A version in binary-coded decimal. */
export function version(what: string): Shape {
  const word = upTo(0xffff, what);
  return (list, it, path) => {
    if (!word(list, it, path)) return false;
    const digits = typeof it === "number" ? it.toString(16) : "";
    if (/^[0-9a-f]{1,4}$/.test(digits) && /[a-f]/.test(digits)) {
      list.writeFails(
        "version",
        path,
        `${what} is 0x${
          digits.padStart(4, "0")
        }, and the kernel takes decimal digits only: use the digits 0 to 9, as in 0x0102 for 1.02`,
      );
    }
    return true;
  };
}

/** Text for one file of configfs. */
export function line(maxBytes?: number): Shape {
  return (list, it, path) => {
    if (!text(list, it, path)) return false;
    if (typeof it !== "string") return true;
    checkCharacters(list, it, path, maxBytes);
    if (it.includes("\n")) {
      list.writeFails(
        "string",
        path,
        "The text has a line break, which ends a value in configfs: remove it",
      );
    }
    return true;
  };
}

/** Text for one file of configfs in each language. */
export const localizedLine: Shape = (list, it, path) => {
  const text = line();
  if (!isPlain(it)) {
    return localized(list, it, path) && text(list, it, path);
  }
  const seen = new Set<number>();
  let sound = true;
  for (const [tag, value] of Object.entries(it)) {
    const at = `${path}[${show(tag)}]`;
    const id = languageId(tag);
    if (id === undefined) {
      list.configureFails("language", at, unknownLanguage(tag));
    } else if (!isTaken(id)) {
      list.writeFails(
        "language",
        at,
        `configfs refuses the LANGID ${
          hex(id, 4)
        }: use one with a sublanguage (bits 10 to 15) and a primary language from 0x01 to 0x61, or 0xff`,
      );
    } else if (seen.has(id)) {
      list.configureFails(
        "language",
        at,
        `Language ${languageTag(id)} is given twice: give it once`,
      );
    } else seen.add(id);
    // Not undefined: the language would have no text.
    if (!text(list, value ?? null, at)) sound = false;
  }
  return sound;
};

/** Whether configfs makes a directory for a LANGID (`usb_validate_langid()`). */
function isTaken(id: number): boolean {
  const primary = id & 0x3ff;
  return id >> 10 !== 0 && primary !== 0 &&
    (primary < 0x62 || primary === 0xff);
}

/** Checks how many languages strings have that share a directory. */
export function checkLanguages(
  list: ProblemList,
  path: string,
  strings: readonly (LocalizedString | undefined)[],
): void {
  const languages = new Set(
    strings.filter((it) => it !== undefined).flatMap((it) =>
      typeof it === "string"
        ? [ENGLISH]
        : Object.keys(it).map(languageId).filter((id) => id !== undefined)
    ),
  );
  if (languages.size <= MAX_LANGUAGES) return;
  list.writeFails(
    "language",
    path,
    `The strings have ${languages.size} languages, and Linux takes ${MAX_LANGUAGES}: use fewer`,
  );
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
    list.writeFails(
      "name",
      path,
      `${what} is ${
        show(name)
      }: use letters, digits, "_", "-" and ".", and do not begin with "-" or "."`,
    );
  } else if (name.length > most) {
    list.writeFails(
      "name",
      path,
      `${what} has ${name.length} characters, and there is room for ${most}: shorten it`,
    );
  }
}
