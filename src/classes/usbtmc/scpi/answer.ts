/**
 * Answers to queries, joined to the response of a message (IEEE 488.2, 8).
 *
 * @module
 */
import { show } from "../../../arguments/show.ts";
import { isAsyncIterable, type UsbtmcResponse } from "../transport/response.ts";
import { ScpiError } from "./error.ts";

/**
 * A value that a query returns. A string is sent as it is: put quotes around one
 * that SCPI calls a string. Booleans are 1 and 0, not a number is 9.91E37, infinity
 * 9.9E37, and bytes are a block.
 *
 * @category Devices
 */
export type ScpiValue = string | number | boolean | Uint8Array;

/**
 * What a handler returns: a value, several of them, or an async iterable, whose
 * parts are a block of unknown length. Such a block has to be the last answer of
 * its message. Nothing, if the command is no query.
 *
 * @category Devices
 */
export type ScpiAnswer =
  | ScpiValue
  | readonly ScpiValue[]
  | AsyncIterable<Uint8Array>
  | void;

/** The answers of a message. */
export class Answers {
  readonly #parts: Uint8Array[] = [];
  #stream: AsyncIterable<Uint8Array> | undefined;

  /**
   * Adds what a handler has returned.
   *
   * @throws {TypeError} If it is no answer.
   * @throws {ScpiError} After a block of unknown length.
   */
  add(answer: ScpiAnswer): void {
    if (answer === undefined) return;
    if (this.#stream !== undefined) throw new ScpiError(-440);
    const isStream = isAsyncIterable(answer);
    const values = isStream ? [] : Array.isArray(answer) ? answer : [answer];
    const parts = values.flatMap((value, index) => [
      ...(index === 0 ? [] : [","]),
      ...partsOf(value),
    ]);
    if (this.#parts.length > 0) this.#text(";");
    for (const part of parts) {
      if (typeof part === "string") this.#text(part);
      else this.#parts.push(part);
    }
    if (!isStream) return;
    this.#text("#0");
    this.#stream = answer;
  }

  /** The response, if there were any answers. */
  get response(): UsbtmcResponse | undefined {
    if (this.#parts.length === 0) return undefined;
    const stream = this.#stream;
    if (stream === undefined) {
      this.#text("\n");
      return this.#parts;
    }
    return withStream(this.#parts, stream);
  }

  #text(text: string): void {
    this.#parts.push(new TextEncoder().encode(text));
  }
}

async function* withStream(
  parts: readonly Uint8Array[],
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield* parts;
  yield* stream;
  yield Uint8Array.of(0x0a);
}

function partsOf(value: unknown): (string | Uint8Array)[] {
  if (typeof value === "string") return [value];
  if (typeof value === "boolean") return [value ? "1" : "0"];
  if (typeof value === "number") return [formatNumber(value)];
  if (value instanceof Uint8Array) {
    const length = `${value.byteLength}`;
    return [`#${length.length}${length}`, value];
  }
  throw new TypeError(
    `Cannot answer query: an answer must be a string, a number, a boolean or bytes, is ${
      show(value)
    }`,
  );
}

/** A number as SCPI has it (SCPI 1999.0, volume 1, 7.2.1.4 and 7.2.1.5). */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "9.91E37";
  if (!Number.isFinite(value)) return value > 0 ? "9.9E37" : "-9.9E37";
  return String(value).toUpperCase();
}
