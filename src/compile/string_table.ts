/**
 * The strings of a function: the index of each text, and the strings block.
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

/** LANGID of functions that name no language. */
const DEFAULT_LANGUAGE = 0x0409;

const encoder = new TextEncoder();

/** Texts and the indexes by which descriptors refer to them. Equal texts share an index. */
export class StringTable {
  /** LANGIDs in block order, the preferred one first. */
  readonly languages: readonly number[];
  readonly #indexes = new Map<string, number>();
  readonly #rows: (readonly Uint8Array[])[] = [];

  constructor(languages: readonly number[]) {
    this.languages = languages;
  }

  /** How many strings there are in each language. */
  get size(): number {
    return this.#rows.length;
  }

  /** Returns the index of a text, from 1, and adds the text if it is new. No text has index 0. */
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

  /** Encodes the strings block, which has 16 bytes if there are no strings. */
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

/** Returns a text in the language of a LANGID, or `undefined` if it lacks that language. */
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

/** A text of a definition. */
export interface Description {
  /** Where it is. */
  readonly path: string;
  readonly text: LocalizedString;
}

/** Returns the LANGIDs of a function's strings, the preferred one first, each once. */
export function functionLanguages(
  { languages }: FunctionDefinition,
  texts: readonly Description[],
): number[] {
  const named = languages ??
    texts.flatMap(({ text }) =>
      typeof text === "string" ? [] : Object.keys(text)
    );
  const found = new Set<number>();
  for (const each of named) {
    const id = languageId(each);
    if (id !== undefined) found.add(id);
  }
  return found.size > 0 ? [...found] : [DEFAULT_LANGUAGE];
}

/** Lists the texts of a definition in the order of their descriptors. */
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
