/**
 * Responses to the host.
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";

/**
 * The response to a message: a text, which is sent as UTF-8; bytes, or parts of
 * them in order; or an async iterable, which is asked for parts when the host
 * asks for more. Nothing is added to it: instruments end texts with a line feed.
 *
 * Bytes must not change until the host has them. Those of an iterable must not
 * change either: one part more than the host has asked for is read ahead, to know
 * where the response ends.
 *
 * @category Devices
 */
export type UsbtmcResponse =
  | string
  | Uint8Array
  | readonly Uint8Array[]
  | AsyncIterable<Uint8Array>;

/** Bytes of an iterable that are collected for one transfer. */
const PIECE = 1 << 20;

/** What one transfer carries. */
export interface Slice {
  readonly parts: Uint8Array[];
  readonly size: number;
  /** Whether the response ends with it. */
  readonly eom: boolean;
  readonly endsWithTermChar: boolean;
}

/** A response that is being sent. */
export class Outgoing {
  readonly #parts: Uint8Array[] = [];
  #source: AsyncIterator<Uint8Array> | undefined;
  #pull: Promise<IteratorResult<Uint8Array>> | undefined;

  /** @throws {TypeError} If it is no response. */
  constructor(data: UsbtmcResponse) {
    if (typeof data === "string") {
      this.#parts.push(new TextEncoder().encode(data));
    } else if (Array.isArray(data)) {
      for (const part of data) this.#add(part);
    } else if (isAsyncIterable(data)) {
      this.#source = data[Symbol.asyncIterator]();
    } else this.#add(data as Uint8Array);
  }

  /**
   * The next bytes, which stay until {@linkcode advance}.
   *
   * @param limit Bytes at most.
   * @param termChar A byte after which to end, if any.
   * @throws What the source throws, or the reason of the signal.
   */
  async peek(
    limit: number,
    termChar: number | undefined,
    signal: AbortSignal,
  ): Promise<Slice> {
    if (this.#source !== undefined) {
      await this.#fill(Math.min(limit, PIECE), signal);
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    let endsWithTermChar = false;
    for (const part of this.#parts) {
      if (size === limit || endsWithTermChar) break;
      let taken = part.subarray(0, limit - size);
      if (termChar !== undefined) {
        const end = taken.indexOf(termChar);
        endsWithTermChar = end >= 0;
        if (endsWithTermChar) taken = taken.subarray(0, end + 1);
      }
      parts.push(taken);
      size += taken.byteLength;
    }
    const eom = this.#source === undefined && size === this.#buffered;
    return { parts, size, eom, endsWithTermChar };
  }

  /** The host has so many bytes more. */
  advance(count: number): void {
    const parts = this.#parts;
    while (count > 0) {
      const part = parts[0];
      if (part.byteLength <= count) parts.shift();
      else parts[0] = part.subarray(count);
      count -= Math.min(count, part.byteLength);
    }
  }

  /** Ends the iterable early. */
  close(): void {
    const source = this.#source;
    this.#source = undefined;
    // What it throws now has no receiver: the host has given the response up.
    source?.return?.().then(undefined, () => {});
  }

  get #buffered(): number {
    return this.#parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  /** Reads the source until there is more than so much, or it has ended. */
  async #fill(size: number, signal: AbortSignal): Promise<void> {
    let buffered = this.#buffered;
    while (this.#source !== undefined && buffered <= size) {
      // A transfer that was given up leaves its pull to the next one.
      this.#pull ??= this.#source.next();
      const { done, value } = await unlessAborted(this.#pull, signal);
      this.#pull = undefined;
      if (done) this.#source = undefined;
      else {
        this.#add(value);
        buffered += value.byteLength;
      }
    }
  }

  #add(part: Uint8Array): void {
    const problem = bytesProblem(part, "a string or bytes");
    if (problem !== undefined) {
      throw new TypeError(`Cannot send response: it ${problem}`);
    }
    if (part.byteLength > 0) this.#parts.push(part);
  }
}

/** Whether a value is an async iterable. */
export function isAsyncIterable(
  value: unknown,
): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null &&
    Symbol.asyncIterator in value;
}

/** Waits for a promise, or throws the reason of a signal. */
function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
