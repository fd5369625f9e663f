/**
 * Rules for strings and languages.
 *
 * @module
 */

import { languageId, languageTag } from "../../usb/language.ts";
import type {
  FunctionDefinition,
  LocalizedString,
} from "../../definition/function.ts";
import { MAX_STRING_BYTES } from "../../compile/functionfs_abi.ts";
import { type ProblemList, show } from "../problem_list.ts";
import {
  descriptions,
  functionLanguages,
  textIn,
} from "../../compile/string_table.ts";

/** LANGIDs that fit into string descriptor 0. */
const MAX_LANGUAGES = 126;

const encoder = new TextEncoder();

/**
 * Validates the languages and all descriptions of a function.
 *
 * @param list Where problems go.
 * @param definition The function.
 */
export function validateStrings(
  list: ProblemList,
  definition: FunctionDefinition,
): void {
  validateLanguages(list, definition);
  const languages = functionLanguages(definition);
  if (languages.length > MAX_LANGUAGES) {
    list.configure(
      "language",
      "languages",
      `There are ${languages.length} languages, but the host is told of ${MAX_LANGUAGES} at most: use fewer`,
    );
  }
  for (const { path, text } of descriptions(definition)) {
    validateDescription(list, text, languages, path);
  }
}

function validateLanguages(
  list: ProblemList,
  { languages }: FunctionDefinition,
): void {
  if (languages === undefined) return;
  if (languages.length === 0) {
    list.configure(
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
      list.configure("language", path, unknownLanguage(language));
    } else if (seen.has(id)) {
      list.configure(
        "language",
        path,
        `Language ${show(language)} is named twice: name it once`,
      );
    } else {
      seen.add(id);
    }
  });
}

function validateDescription(
  list: ProblemList,
  text: LocalizedString,
  languages: readonly number[],
  path: string,
): void {
  if (typeof text === "string") {
    validateText(list, text, path);
    return;
  }
  if (typeof text !== "object" || text === null) {
    list.write(
      "string",
      path,
      `Description is ${
        show(text)
      }: give text, or an object with text for each language`,
    );
    return;
  }
  const seen = new Set<number>();
  for (const [key, value] of Object.entries(text)) {
    const at = `${path}[${show(key)}]`;
    const id = languageId(key);
    if (id === undefined) {
      list.configure("language", at, unknownLanguage(key));
    } else if (seen.has(id)) {
      list.configure(
        "language",
        at,
        `Language ${languageTag(id)} is given twice: give it once`,
      );
    } else if (!languages.includes(id)) {
      list.configure(
        "language",
        at,
        `Language ${show(key)} is not one of the function: add it to languages`,
      );
    }
    if (id !== undefined) seen.add(id);
    validateText(list, value, at);
  }
  for (const id of languages) {
    if (textIn(text, id) !== undefined) continue;
    const tag = languageTag(id);
    list.write(
      "language",
      path,
      `Language "${tag}" is missing: every string must be there in every language, so add text for "${tag}"`,
    );
  }
}

/**
 * Validates one text: of a function's description, or of an attribute of a gadget.
 *
 * The kernel hands out what fits into 126 bytes of UTF-8, and stalls when that cuts a character.
 */
export function validateText(
  list: ProblemList,
  text: unknown,
  path: string,
  { what = "Description", maxBytes = MAX_STRING_BYTES } = {},
): void {
  if (typeof text !== "string") {
    list.write("string", path, `${what} is ${show(text)}: give text`);
  } else if (text === "") {
    list.configure(
      "string",
      path,
      "The text is empty: leave it out, the host then asks for none",
    );
  } else if (text.includes("\0")) {
    list.write(
      "string",
      path,
      "The text has a NUL character, which ends a string: remove it",
    );
  } else if (!text.isWellFormed()) {
    list.configure(
      "string",
      path,
      "The text has half of a surrogate pair, which is no character: remove it",
    );
  } else {
    const { length } = encoder.encode(text);
    if (length <= maxBytes) return;
    list.configure(
      "string",
      path,
      `The text takes ${length} bytes in UTF-8, but the kernel takes ${maxBytes} at most: shorten it`,
    );
  }
}

/** Says that a language has no LANGID, and what to do. */
export function unknownLanguage(language: unknown): string {
  return `Language ${
    show(language)
  } has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535`;
}
