/**
 * Iterating over the transfers of an OUT endpoint.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import type { TransferOptions } from "../transfer/options.ts";
import type { AheadOptions, ReadQueue } from "./queue.ts";

/**
 * How to iterate over transfers.
 * @category Endpoints
 */
export interface TransfersOptions extends TransferOptions {
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

/** `OutEndpoint.read()` for a size. */
export type ReadSize = (
  size: number,
  options: TransferOptions,
) => Promise<Uint8Array<ArrayBuffer>>;

/** Iterates over the transfers of an endpoint. */
export class TransferIterator
  implements AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
  readonly #queue: ReadQueue;
  readonly #read: ReadSize;
  readonly #ahead: AheadOptions;
  readonly #options: TransferOptions;
  #started = false;
  #over = false;
  /** Its connection has ended; earlier data is still returned. */
  #lost = false;

  /** Queues nothing before the first {@linkcode next}. */
  constructor(
    queue: ReadQueue,
    read: ReadSize,
    ahead: Omit<AheadOptions, "onDisable">,
    options: TransferOptions,
  ) {
    this.#queue = queue;
    this.#read = read;
    const { signal, reconnect } = options;
    this.#options = { signal, reconnect };
    const onDisable = () => {
      this.#lost = true;
      this.#end();
    };
    const ends = options.reconnect === "end";
    this.#ahead = { ...ahead, onDisable: ends ? onDisable : undefined };
  }

  /** Returns the next transfer. */
  async next(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    if (this.#over && !(this.#lost && this.#queue.hasData)) return END;
    if (!this.#started) {
      this.#started = true;
      this.#queue.setAhead(this.#ahead);
    }
    try {
      const { size } = this.#ahead;
      return {
        done: false,
        value: await this.#read(size, this.#options),
      };
    } catch (error) {
      this.#end();
      // The iteration ends with the connection or the function.
      if (
        isSystemError(error, "ESHUTDOWN") ||
        error instanceof Deno.errors.BadResource
      ) return END;
      throw error;
    }
  }

  /** Stops reading. Queued requests go to the next reader. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#lost = false;
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
    if (this.#started) this.#queue.setAhead(undefined);
  }
}

const END = { done: true, value: undefined } as const;
