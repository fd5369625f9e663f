/**
 * The strings of a function: which index each text has, and the strings block.
 *
 * @module
 */

import { languageId } from "../usb/language.ts";
import type {
  FunctionDefinition,
  LocalizedString,
} from "../definition/function.ts";
import { FUNCTIONFS_STRINGS_MAGIC } from "./functionfs_abi.ts";
import { Writer } from "./writer.ts";

/** LANGID of the language of functions that name none. */
const DEFAULT_LANGUAGE = 0x0409;

const encoder = new TextEncoder();

/** Texts with the index that descriptors refer to them by. The same text has one index. */
export class StringTable {
  /** LANGIDs in block order. */
  readonly languages: readonly number[];
  readonly #indexes = new Map<string, number>();
  readonly #rows: (readonly Uint8Array[])[] = [];

  /**
   * Starts a table without strings.
   *
   * @param languages LANGIDs, the preferred one first.
   */
  constructor(languages: readonly number[]) {
    this.languages = languages;
  }

  /** How many strings there are in each language. */
  get size(): number {
    return this.#rows.length;
  }

  /**
   * The index of a text, which becomes part of the table.
   *
   * @param text The text, in one or in every language.
   * @returns The index from 1, or 0 for no text.
   */
  add(text: LocalizedString | undefined): number {
    if (text === undefined) return 0;
    const row = this.languages.map((it) => textIn(text, it) ?? "");
    const key = row.join("\0");
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#rows.push(row.map((it) => encoder.encode(it)));
    this.#indexes.set(key, this.#rows.length);
    return this.#rows.length;
  }

  /**
   * Encodes the strings block.
   *
   * @returns The block; 16 bytes when there are no strings.
   */
  encode(): Uint8Array<ArrayBuffer> {
    const languages = this.size === 0 ? [] : this.languages;
    let length = 16 + 2 * languages.length;
    for (const row of this.#rows) {
      for (const text of row) length += text.length + 1;
    }
    const writer = new Writer(length);
    writer.u32(FUNCTIONFS_STRINGS_MAGIC);
    writer.u32(length);
    writer.u32(this.size);
    writer.u32(languages.length);
    languages.forEach((language, column) => {
      writer.u16(language);
      for (const row of this.#rows) {
        writer.bytes(row[column]);
        writer.u8(0);
      }
    });
    return writer.finish();
  }
}

/**
 * A text in one language.
 *
 * @param text The text in one or several languages.
 * @param language The LANGID.
 * @returns The text, or `undefined` when it lacks this language.
 */
export function textIn(
  text: LocalizedString,
  language: number,
): string | undefined {
  if (typeof text === "string") return text;
  for (const [key, value] of Object.entries(text)) {
    if (languageId(key) === language) return value;
  }
  return undefined;
}

/**
 * The languages of a function's strings.
 *
 * @param definition The function.
 * @returns LANGIDs, the preferred one first, each once.
 */
export function functionLanguages(definition: FunctionDefinition): number[] {
  const found = new Set<number>();
  const add = (language: string | number) => {
    const id = languageId(language);
    if (id !== undefined) found.add(id);
  };
  if (definition.languages) {
    definition.languages.forEach(add);
  } else {
    for (const { text } of descriptions(definition)) {
      if (typeof text !== "string") Object.keys(text).forEach(add);
    }
  }
  return found.size > 0 ? [...found] : [DEFAULT_LANGUAGE];
}

/** A text of a definition, and where it is. */
export interface Description {
  /** Where it is. */
  readonly path: string;
  /** The text. */
  readonly text: LocalizedString;
}

/**
 * All texts of a definition, in the order in which their descriptors are written.
 *
 * @param definition The function.
 * @returns The texts with their places.
 */
export function descriptions(definition: FunctionDefinition): Description[] {
  const found: Description[] = [];
  const add = (text: LocalizedString | undefined, path: string) => {
    if (text !== undefined) found.push({ path: `${path}.description`, text });
  };
  definition.interfaces.forEach((it, number) => {
    definition.associations?.forEach((association, index) => {
      if (association.firstInterface === number) {
        add(association.description, `associations[${index}]`);
      }
    });
    add(it.description, `interfaces[${number}]`);
    it.alternates?.forEach(({ description }, index) => {
      if (description === "") return;
      add(description, `interfaces[${number}].alternates[${index}]`);
    });
  });
  return found;
}
