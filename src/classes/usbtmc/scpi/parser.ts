/**
 * Messages of commands (IEEE 488.2, 7; SCPI 1999.0, volume 1, 6).
 *
 * @module
 */
import { ScpiError } from "./error.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A parameter. */
export type Parameter =
  | { readonly kind: "number"; readonly value: number; readonly suffix: string }
  /** A word such as `ON`, or an expression in parentheses. */
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "block"; readonly bytes: Bytes };

/** A command or a query. */
export interface Unit {
  /** In capitals; each node begins with a colon, and a query ends with `?`. */
  readonly header: string;
  readonly parameters: Parameter[];
}

// deno-lint-ignore no-control-regex -- all of them but the line feed are space
const SPACE = /[\x00-\x09\x0b-\x20]*/y;
const HEADER = /(?:\*[A-Za-z]+|:?[A-Za-z]\w*(?::[A-Za-z]\w*)*)\??/y;
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const SUFFIX = /[A-Za-z/%][\w/.*%-]*/y;
const WORD = /[A-Za-z]\w*/y;
const RADIX = /#(?:[hH]([\da-fA-F]+)|[qQ]([0-7]+)|[bB]([01]+))/y;
const STRING = /"[^"]*(?:""[^"]*)*"|'[^']*(?:''[^']*)*'/y;
const EXPRESSION = /\((?:[^()"']|\([^()]*\)|"[^"]*"|'[^']*')*\)/y;

/** Reads a message from its beginning. */
class Scanner {
  readonly bytes: Bytes;
  /** One character for each byte. */
  readonly #text: string;
  at = 0;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
    this.#text = new TextDecoder("latin1").decode(bytes);
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.#text.charAt(this.at);
  }

  /** Takes what an expression matches here. */
  take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.#text);
    if (found === null) return undefined;
    this.at = expression.lastIndex;
    return found;
  }

  /** The text of bytes, as UTF-8. */
  textOf(start: number, end: number): string {
    return new TextDecoder().decode(this.bytes.subarray(start, end));
  }
}

/**
 * Yields the commands of a message. A line feed ends a message, too.
 *
 * @throws {ScpiError} Where it cannot be understood; what comes before was yielded.
 */
export function* unitsOf(message: Bytes): Generator<Unit, void> {
  const scanner = new Scanner(message);
  /** The nodes to which a header without a colon at its start is relative. */
  let path = "";
  for (;;) {
    scanner.take(SPACE);
    const { next } = scanner;
    if (next === "") return;
    if (next === ";" || next === "\n") {
      if (next === "\n") path = "";
      scanner.at++;
      continue;
    }
    const found = scanner.take(HEADER)?.[0].toUpperCase();
    if (found === undefined) throw new ScpiError(-102, "no header");
    const isCommon = found.startsWith("*");
    const header = isCommon || found.startsWith(":")
      ? found
      : `${path}:${found}`;
    if (!isCommon) path = header.slice(0, header.lastIndexOf(":"));
    const isSeparated = (scanner.take(SPACE)?.[0] ?? "") !== "";
    if (endsUnit(scanner.next)) {
      yield { header, parameters: [] };
      continue;
    }
    if (!isSeparated) throw new ScpiError(-111, found);
    yield { header, parameters: parametersOf(scanner) };
  }
}

function endsUnit(next: string): boolean {
  return next === "" || next === ";" || next === "\n";
}

function parametersOf(scanner: Scanner): Parameter[] {
  const parameters: Parameter[] = [];
  for (;;) {
    scanner.take(SPACE);
    parameters.push(parameterOf(scanner));
    scanner.take(SPACE);
    if (endsUnit(scanner.next)) return parameters;
    if (scanner.next !== ",") throw new ScpiError(-103);
    scanner.at++;
  }
}

function parameterOf(scanner: Scanner): Parameter {
  const start = scanner.at;
  switch (scanner.next) {
    case '"':
    case "'": {
      const quote = scanner.next;
      if (!scanner.take(STRING)) throw new ScpiError(-151);
      const text = scanner.textOf(start + 1, scanner.at - 1);
      return { kind: "string", text: text.replaceAll(quote + quote, quote) };
    }
    case "(":
      if (!scanner.take(EXPRESSION)) throw new ScpiError(-171);
      return { kind: "word", text: scanner.textOf(start, scanner.at) };
    case "#":
      return specialOf(scanner);
  }
  const number = scanner.take(NUMBER)?.[0];
  if (number !== undefined) {
    scanner.take(SPACE);
    const suffix = scanner.take(SUFFIX)?.[0] ?? "";
    return { kind: "number", value: Number(number), suffix };
  }
  const word = scanner.take(WORD)?.[0];
  if (word === undefined) throw new ScpiError(-102);
  return { kind: "word", text: word };
}

/** A number to another base, or a block. */
function specialOf(scanner: Scanner): Parameter {
  const number = scanner.take(RADIX);
  if (number !== undefined) {
    const [, hexadecimal, octal, binary] = number;
    const value = hexadecimal !== undefined
      ? parseInt(hexadecimal, 16)
      : octal !== undefined
      ? parseInt(octal, 8)
      : parseInt(binary, 2);
    return { kind: "number", value, suffix: "" };
  }
  const { bytes } = scanner;
  const digits = bytes[scanner.at + 1] - 0x30;
  const start = scanner.at + 2 + digits;
  if (digits === 0) {
    // Of indefinite length, up to the end of the message and its line feed
    const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
    scanner.at = bytes.length;
    return { kind: "block", bytes: bytes.subarray(start, end) };
  }
  const length = scanner.textOf(scanner.at + 2, start);
  const end = start + Number(length);
  if (
    !(digits >= 1 && digits <= 9) || !/^\d+$/.test(length) || end > bytes.length
  ) {
    throw new ScpiError(-161);
  }
  scanner.at = end;
  return { kind: "block", bytes: bytes.subarray(start, end) };
}
