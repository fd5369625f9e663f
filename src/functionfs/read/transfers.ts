/**
 * Iterating over the transfers of an OUT endpoint.
 *
 * @module
 */
import type { EndpointOptions } from "../transfer/options.ts";
import type { Ahead, ReadQueue } from "./queue.ts";
import type { Settlers } from "./reader.ts";

/**
 * How to iterate over transfers.
 * @category Endpoints
 */
export interface TransfersOptions extends EndpointOptions {
  /**
   * The largest transfer that arrives in one piece, in bytes; rounded up to
   * whole packets. At most 1 MiB.
   * @default {65536}
   */
  readonly size?: number;
  /**
   * How many transfers may be queued at once: those that the kernel waits for,
   * and those that the loop has not taken yet. At this limit, the host waits.
   * @default {4}
   */
  readonly depth?: number;
}

/** Iterates over the transfers of an endpoint. */
export class TransferIterator
  implements AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
  readonly #reads: ReadQueue;
  readonly #read: (settlers: Settlers<Uint8Array<ArrayBuffer>>) => void;
  readonly #ahead: Ahead;
  #started = false;
  #over = false;

  /**
   * Queues nothing before the first {@linkcode next}.
   *
   * @param read Begins to read one transfer of the size of `ahead`.
   */
  constructor(
    reads: ReadQueue,
    read: (settlers: Settlers<Uint8Array<ArrayBuffer>>) => void,
    ahead: Ahead,
  ) {
    this.#reads = reads;
    this.#read = read;
    this.#ahead = ahead;
  }

  /** Returns the next transfer. */
  next(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    if (this.#over) return Promise.resolve(END);
    if (!this.#started) {
      this.#started = true;
      this.#reads.ahead = this.#ahead;
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        this.#end();
        // The iteration ends with the function.
        if (error instanceof Deno.errors.BadResource) resolve(END);
        else reject(error);
      };
      try {
        this.#read({
          resolve: (value) => resolve({ done: false, value }),
          // Not while the queue is at work.
          reject: (error) => queueMicrotask(() => fail(error)),
        });
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Stops reading. Queued requests go to the next reader. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return Promise.resolve(END);
  }

  /** @ignore */
  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#started && this.#reads.ahead === this.#ahead) {
      this.#reads.ahead = undefined;
    }
  }
}

const END = { done: true, value: undefined } as const;
