/**
 * The rules for strings and languages.
 *
 * @module
 */

import { show } from "../../arguments/show.ts";
import { MAX_STRING_BYTES } from "../../compile/functionfs_abi.ts";
import type { Layout } from "../../compile/layout.ts";
import { textIn } from "../../compile/string_table.ts";
import type { LocalizedString } from "../../definition/function.ts";
import { languageId, languageTag } from "../../usb/language.ts";
import type { ProblemList } from "../problem.ts";

/** LANGIDs that fit into string descriptor 0. */
const MAX_LANGUAGES = 126;

/** Checks the languages and all descriptions of a function. */
export function checkStrings(
  list: ProblemList,
  { definition, descriptions, strings: { languages } }: Layout,
): void {
  if (definition.languages) checkLanguages(list, definition.languages);
  if (languages.length > MAX_LANGUAGES) {
    list.configureFails(
      "language",
      "languages",
      `There are ${languages.length} languages, but the host can read ${MAX_LANGUAGES} at most: use fewer`,
    );
  }
  for (const { path, text } of descriptions) {
    checkDescription(list, text, languages, path);
  }
}

function checkLanguages(
  list: ProblemList,
  languages: readonly (string | number)[],
): void {
  if (languages.length === 0) {
    list.configureFails(
      "language",
      "languages",
      `There is no language: name one, such as "en-US", or leave languages out`,
    );
  }
  const seen = new Set<number>();
  languages.forEach((language, index) => {
    const path = `languages[${index}]`;
    const id = languageId(language);
    if (id === undefined) {
      list.configureFails("language", path, unknownLanguage(language));
    } else if (seen.has(id)) {
      list.configureFails(
        "language",
        path,
        `Language ${show(language)} is named twice: name it once`,
      );
    } else {
      seen.add(id);
    }
  });
}

function checkDescription(
  list: ProblemList,
  text: LocalizedString,
  languages: readonly number[],
  path: string,
): void {
  if (typeof text === "string") return checkCharacters(list, text, path);
  const seen = new Set<number>();
  for (const [key, value] of Object.entries(text)) {
    const at = `${path}[${show(key)}]`;
    const id = languageId(key);
    if (id === undefined) {
      list.configureFails("language", at, unknownLanguage(key));
    } else if (seen.has(id)) {
      list.configureFails(
        "language",
        at,
        `Language ${languageTag(id)} is given twice: give it once`,
      );
    } else if (!languages.includes(id)) {
      list.configureFails(
        "language",
        at,
        `Language ${show(key)} is not one of the function: add it to languages`,
      );
    }
    if (id !== undefined) seen.add(id);
    checkCharacters(list, value, at);
  }
  for (const id of languages) {
    if (textIn(text, id) !== undefined) continue;
    const tag = languageTag(id);
    list.writeFails(
      "language",
      path,
      `Language "${tag}" is missing, but every text needs all languages: add text for "${tag}"`,
    );
  }
}

/**
 * Checks a text of a function, or of an attribute of a gadget.
 *
 * The kernel hands out what fits into 126 bytes of UTF-8, and stalls if that cuts a character.
 */
export function checkCharacters(
  list: ProblemList,
  text: string,
  path: string,
  maxBytes = MAX_STRING_BYTES,
): void {
  const { length } = new TextEncoder().encode(text);
  if (text === "") {
    list.configureFails(
      "string",
      path,
      "The text is empty: leave it out, the host then asks for none",
    );
  } else if (text.includes("\0")) {
    list.writeFails(
      "string",
      path,
      "The text has a NUL character, which ends a string: remove it",
    );
  } else if (!text.isWellFormed()) {
    list.configureFails(
      "string",
      path,
      "The text has half of a surrogate pair, which is no character: remove it",
    );
  } else if (length > maxBytes) {
    list.configureFails(
      "string",
      path,
      `The text takes ${length} bytes in UTF-8, but the kernel takes ${maxBytes} at most: shorten it`,
    );
  }
}

/** Reports a language without a LANGID, and the remedy. */
export function unknownLanguage(language: unknown): string {
  return `Language ${
    show(language)
  } has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535`;
}
