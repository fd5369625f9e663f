/**
 * Checks of single values of a gadget's definition.
 *
 * @module
 */
import type { LocalizedString } from "../descriptors/mod.ts";
import { languageId } from "../usb/mod.ts";

/** USB_MAX_STRING_LEN: what configfs takes, and a host is given. */
const MAX_STRING_BYTES = 126;
/** MAX_USB_STRING_LANGS, the same for the device and each configuration. */
const MAX_LANGUAGES = 2;

/** Checks an integer from 0 to `max`; without a value there is nothing wrong. */
export function checkNumber(
  key: string,
  value: number | undefined,
  max: number,
): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(
      `Cannot make gadget: "${key}" must be an integer from 0 to ${max}, is ${value}`,
    );
  }
}

/** Checks a text for one file of configfs. */
export function checkText(
  key: string,
  value: string | undefined,
  maxBytes: number,
): void {
  if (value === undefined) return;
  const { length } = new TextEncoder().encode(value);
  if (length > maxBytes) {
    throw new RangeError(
      `Cannot make gadget: "${key}" has ${length} bytes of UTF-8, ${maxBytes} is the limit`,
    );
  }
  if (/[\0\n]/.test(value)) {
    throw new TypeError(
      `Cannot make gadget: "${key}" has a NUL or a line break inside: ${
        JSON.stringify(value)
      }`,
    );
  }
}

/** Checks a string descriptor in all its languages, and notes these. */
export function checkString(
  key: string,
  value: LocalizedString | undefined,
  languages: Set<number>,
): void {
  if (value === undefined) return;
  for (const [language, text] of localized(value)) {
    languages.add(language);
    checkText(key, text, MAX_STRING_BYTES);
  }
}

/** Checks how many languages there are. */
export function checkLanguages(
  what: string,
  languages: ReadonlySet<number>,
): void {
  if (languages.size > MAX_LANGUAGES) {
    throw new RangeError(
      `Cannot make gadget: ${what} have ${languages.size} languages, ${MAX_LANGUAGES} is the limit of Linux`,
    );
  }
}

/**
 * The texts by LANGID. A text for all languages counts as English.
 *
 * @throws {TypeError} If a language is not known.
 */
export function localized(value: LocalizedString): [number, string][] {
  const record = typeof value === "string" ? { "en-US": value } : value;
  return Object.entries(record).map(([tag, text]) => {
    const id = languageId(tag);
    if (id === undefined) {
      throw new TypeError(
        `Cannot make gadget: the language "${tag}" is not known; give its LANGID, such as "0x0409"`,
      );
    }
    return [id, text];
  });
}

/** Names become names of directories: nothing may lead out of the gadget's. */
export function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new TypeError(
      `Cannot make gadget: the ${what} name "${name}" must consist of letters, digits, "_", "-" and ".", and not begin with "." or "-"`,
    );
  }
  if (name.length > 255) {
    throw new RangeError(
      `Cannot make gadget: the ${what} name has ${name.length} characters, 255 is the limit`,
    );
  }
}

/** A path below a function's directory. */
export function checkPath(what: string, path: string): void {
  for (const part of path.split("/")) checkName(what, part);
}
