/**
 * Messages from the host.
 *
 * @module
 */
import { checkArgument, NUMBER } from "../../../arguments/rules.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A message from the host, which can be read once: by iterating over its parts as
 * they arrive, or all of it with {@linkcode bytes} or {@linkcode text}. What is not
 * read is received and dropped.
 *
 * The parts have any size, and belong to the reader. While one is processed, one
 * more is received; then the host waits.
 *
 * @category Devices
 */
export interface UsbtmcMessage extends AsyncIterable<Uint8Array<ArrayBuffer>> {
  /**
   * Aborted when the host gives the message up before its response is complete: it
   * clears the device, aborts the message, or is gone. Reading fails with the
   * reason, and a response is dropped.
   */
  readonly signal: AbortSignal;
  /**
   * Receives the rest of the message.
   *
   * @param limit The most bytes to receive.
   * @throws {RangeError} If there are more. They are dropped.
   */
  bytes(limit?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Receives the rest of the message as UTF-8, with its line feed. */
  text(): Promise<string>;
}

/** A message that is being received. */
export class IncomingMessage implements UsbtmcMessage {
  readonly #controller = new AbortController();
  #part: Bytes | undefined;
  #isComplete = false;
  #isReleased = false;
  #isTaken = false;
  #change = Promise.withResolvers<void>();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives it the next part, when it has room for one. */
  async give(part: Bytes): Promise<void> {
    while (this.#part !== undefined && this.#isOpen) await this.#change.promise;
    if (!this.#isOpen) return;
    this.#part = part;
    this.#changed();
  }

  /** All parts are given. */
  end(): void {
    this.#isComplete = true;
    this.#changed();
  }

  /** The host gives it up. */
  fail(error: unknown): void {
    this.#controller.abort(error);
    this.#part = undefined;
    this.#changed();
  }

  /** Nothing reads it any more: what comes is dropped. */
  release(): void {
    this.#isReleased = true;
    this.#part = undefined;
    this.#changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void> {
    if (this.#isTaken) {
      throw new TypeError("Cannot read message: it was read before");
    }
    this.#isTaken = true;
    try {
      for (;;) {
        this.signal.throwIfAborted();
        const part = this.#part;
        if (part !== undefined) {
          this.#part = undefined;
          this.#changed();
          yield part;
        } else if (this.#isComplete) return;
        else await this.#change.promise;
      }
    } finally {
      this.release();
    }
  }

  async bytes(limit = Infinity): Promise<Bytes> {
    checkArgument("read message", "the limit", limit, NUMBER);
    const parts: Bytes[] = [];
    let size = 0;
    for await (const part of this) {
      size += part.byteLength;
      if (size > limit) {
        throw new RangeError(
          `Cannot read message: it has more than ${limit} bytes`,
        );
      }
      parts.push(part);
    }
    if (parts.length === 1) return parts[0];
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    return bytes;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  get #isOpen(): boolean {
    return !this.#isReleased && !this.signal.aborted;
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
