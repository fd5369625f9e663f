/**
 * What FunctionFS does with a strings block (`__ffs_data_got_strings()`).
 *
 * @module
 */

import { checkBlockLength, checkLengthField, Refusal } from "./refusal.ts";
import { MAX_BLOCK_LENGTH } from "./kernel.ts";
import {
  hex,
  isSince,
  type Kernel,
  STRINGS_MAGIC,
  VIRTUAL_ADDR,
} from "./kernel.ts";
import type { AcceptedDescriptors } from "./write_model.ts";
import { KernelCursor } from "./refusal.ts";

/** The strings of one language. */
export interface BlockLanguage {
  /** The LANGID. */
  readonly language: number;
  /** The strings without terminators, index 1 first. Views into the block. */
  readonly strings: readonly Uint8Array[];
}

/** Bytes that the kernel keeps for a language, on a machine of 64 bits: a pointer and a table head. */
const BYTES_PER_LANGUAGE = 24;
/** Bytes that the kernel keeps for a string, on a machine of 64 bits. */
const BYTES_PER_STRING = 16;

/**
 * Does what FunctionFS does when it has taken the strings: it makes the files of the endpoints.
 */
export function acceptFiles(
  { flags, addresses }: AcceptedDescriptors,
  kernel: Kernel | undefined,
): void {
  const isNamedByAddress = (flags & VIRTUAL_ADDR) !== 0;
  if (!isNamedByAddress || !isSince(kernel, 6, 19)) {
    return;
  }
  addresses.forEach((address, index) => {
    const first = addresses.indexOf(address);
    if (first === index) return;
    throw new Refusal(
      "repeated-address",
      "descriptors.flags",
      `Endpoints ${first + 1} and ${index + 1} both have address ${
        hex(address)
      } and with it the same file: use each address once, or clear FUNCTIONFS_VIRTUAL_ADDR`,
      "EEXIST",
    );
  });
}

/**
 * Does what FunctionFS does with a strings block.
 */
export function acceptStrings(
  bytes: Uint8Array,
  needed: number,
): BlockLanguage[] {
  const path = "strings";
  checkBlockLength(bytes, path);
  const cursor = new KernelCursor(bytes);
  const magic = cursor.u32At(0);
  if (magic !== STRINGS_MAGIC) {
    throw new Refusal(
      "magic",
      `${path}.magic`,
      `The block starts with ${magic}: a strings block starts with ${STRINGS_MAGIC}`,
    );
  }
  checkLengthField(cursor, path);
  cursor.take(8);
  const stringCount = cursor.u32(path);
  const languageCount = cursor.u32(path);
  if ((stringCount === 0) !== (languageCount === 0)) {
    throw new Refusal(
      "string-count",
      path,
      `There are ${stringCount} strings in ${languageCount} languages: make both 0 or none`,
    );
  }
  if (stringCount < needed) {
    throw new Refusal(
      "string-count",
      path,
      `The descriptors refer to string ${needed}, but there are ${stringCount}: add strings`,
    );
  }
  if (needed === 0) return [];
  const memory = 8 + languageCount * BYTES_PER_LANGUAGE +
    languageCount * (needed + 1) * BYTES_PER_STRING;
  if (memory > MAX_BLOCK_LENGTH) {
    throw new Refusal(
      "string-count",
      path,
      `The kernel has no memory for ${languageCount} languages: use fewer`,
      "ENOMEM",
    );
  }
  const languages: BlockLanguage[] = [];
  for (let i = 0; i < languageCount; i++) {
    languages.push(takeLanguage(cursor, stringCount, `${path}[${i}]`));
  }
  if (cursor.left > 0) {
    throw new Refusal(
      "length",
      path,
      `The block has ${cursor.left} bytes after its last string: remove them, or raise the counts`,
    );
  }
  return languages;
}

function takeLanguage(
  cursor: KernelCursor,
  stringCount: number,
  path: string,
): BlockLanguage {
  if (cursor.left < 3) {
    throw new Refusal(
      "string",
      path,
      "The block ends before this language: lower the count, or add the language",
    );
  }
  const language = cursor.u16At(0);
  cursor.take(2);
  const strings: Uint8Array[] = [];
  for (let i = 0; i < stringCount; i++) {
    const length = cursor.rest.indexOf(0);
    if (length < 0) {
      throw new Refusal(
        "string",
        `${path}.strings[${i}]`,
        "The string has no terminator: end it with a NUL",
      );
    }
    strings.push(cursor.take(length));
    cursor.take(1);
  }
  return { language, strings };
}
