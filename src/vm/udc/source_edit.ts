/**
 * Edits C source by its structure, and refuses where that is not as expected.
 *
 * @module
 */

import { list, VmError } from "../errors.ts";

/** The text of a C file, and the edits that were made to it so far. */
export class SourceEdit {
  #text: string;
  readonly #file: string;

  /**
   * @param file what the file is called in messages
   */
  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** The text with all edits. */
  get text(): string {
    return this.#text;
  }

  /** Adds `#include` lines behind the last one of the same kind, where missing. */
  include(...headers: string[]): void {
    const lines = headers.map((header) => `#include <${header}>`)
      .filter((line) => !this.#text.includes(`${line}\n`));
    const last = [...this.#text.matchAll(/^#include <linux\/[^>]*>\n/gm)].at(
      -1,
    );
    if (last === undefined) throw this.#unexpected("has no #include lines");
    const at = last.index + last[0].length;
    this.#text = this.#text.slice(0, at) +
      lines.map((line) => `${line}\n`).join("") + this.#text.slice(at);
  }

  /** Puts a definition before that of a function. */
  insertBefore(functionName: string, definition: string): void {
    const { start } = this.#find(functionName);
    this.#text = this.#text.slice(0, start) + definition + "\n" +
      this.#text.slice(start);
  }

  /** Edits the definition of one function: its signature and its body. */
  inFunction(
    functionName: string,
    edit: (replace: Replace) => void,
  ): void {
    const { start, end } = this.#find(functionName);
    let text = this.#text.slice(start, end);
    edit((pattern, replacement, count = 1) => {
      const found = [...text.matchAll(pattern)].length;
      if (found !== count) {
        throw this.#unexpected(
          `has ${found} in place of ${count} matches of ${pattern} in function ${
            list([functionName])
          }`,
        );
      }
      text = text.replaceAll(pattern, replacement);
    });
    this.#text = this.#text.slice(0, start) + text + this.#text.slice(end);
  }

  /** Throws if something is still there that the edits should have caught. */
  expectNone(functionName: string, pattern: RegExp): void {
    const { start, end } = this.#find(functionName);
    const match = pattern.exec(this.#text.slice(start, end));
    if (match === null) return;
    throw this.#unexpected(
      `has ${list([match[0]])} in function ${list([functionName])}`,
    );
  }

  /** Where a definition begins and ends, in the style of the kernel: "}" ends a line of its own. */
  #find(functionName: string): { start: number; end: number } {
    const head = new RegExp(
      `^(?:static |inline )*[\\w *]*\\b${functionName}\\((?:[^;{]|\\n)*\\)\\s*\\n\\{`,
      "gm",
    );
    const found = [...this.#text.matchAll(head)];
    if (found.length !== 1) {
      throw this.#unexpected(
        `has ${found.length} definitions of function ${list([functionName])}`,
      );
    }
    // The return type may stand on a line of its own.
    const [{ index, 0: { length } }] = found;
    const close = this.#text.indexOf("\n}\n", index + length);
    if (close < 0) {
      throw this.#unexpected(`has no end of function ${list([functionName])}`);
    }
    return { start: index, end: close + 3 };
  }

  #unexpected(what: string): VmError {
    return new VmError(
      `Cannot edit ${
        list([this.#file])
      }: it ${what}; this kernel needs another recipe`,
    );
  }
}

/** Replaces all matches of a pattern with the flag "g", of which there must be `count`. */
export type Replace = (
  pattern: RegExp,
  replacement: string,
  count?: number,
) => void;
