/**
 * What the host sends, until a reset or the end of the session.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes in the order in which they come. */
export class Inbox {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #end = new AbortController();
  /** Bytes that come before all others. */
  #rest: Bytes | undefined;
  /** A read that nothing has taken the result of. */
  #next: Promise<Bytes> | undefined;

  /** @param stream Each packet of the host, when it comes. */
  constructor(stream: ReadableStream<Bytes>) {
    this.#reader = stream.getReader();
  }

  /** Waits for bytes. Fails when the inbox is closed. */
  async take(): Promise<Bytes> {
    const rest = this.#takeRest();
    if (rest !== undefined) return rest;
    const bytes = await this.#read();
    this.#next = undefined;
    return bytes;
  }

  /**
   * Waits for bytes; `undefined` if none come for so many milliseconds. Two waits of
   * half the time: what has come while the event loop was blocked is found between
   * them.
   */
  async takeWithin(milliseconds: number): Promise<Bytes | undefined> {
    const rest = this.#takeRest();
    if (rest !== undefined) return rest;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const half = milliseconds / 2;
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve(undefined), half);
    }, half);
    try {
      const bytes = await Promise.race([this.#read(), promise]);
      if (bytes !== undefined) this.#next = undefined;
      return bytes;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns bytes that the next call is to take. */
  giveBack(bytes: Bytes): void {
    if (bytes.byteLength > 0) this.#rest = bytes;
  }

  /** Waits for something else. Fails when the inbox is closed. */
  async wait(work: Promise<void>): Promise<void> {
    const { signal } = this.#end;
    const { promise, reject } = Promise.withResolvers<never>();
    const onEnd = () => reject(signal.reason);
    signal.addEventListener("abort", onEnd);
    try {
      this.check();
      await Promise.race([work, promise]);
    } finally {
      signal.removeEventListener("abort", onEnd);
    }
  }

  /** Throws if the inbox is closed. */
  check(): void {
    this.#end.signal.throwIfAborted();
  }

  /** Drops everything; what waits fails. Resolves when nothing is read. */
  async close(reason: Error): Promise<void> {
    this.#end.abort(reason);
    this.#rest = undefined;
    // It has failed if the session is over.
    await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  #takeRest(): Bytes | undefined {
    this.check();
    const rest = this.#rest;
    this.#rest = undefined;
    return rest;
  }

  #read(): Promise<Bytes> {
    if (this.#next === undefined) {
      this.#next = this.#reader.read().then(({ value, done }) => {
        // Cancelled
        this.check();
        if (done) throw new Error("The endpoint's stream has ended");
        return value;
      });
      // Nothing may wait for it now.
      this.#next.catch(() => {});
    }
    return this.#next;
  }
}
