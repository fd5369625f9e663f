/**
 * Iterating over the transfers of an OUT endpoint.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import type { TransferOptions } from "./options.ts";
import type { AheadOptions } from "./read_queue.ts";

/** How to iterate over transfers. */
export interface TransfersOptions extends TransferOptions {
  /**
   * The largest transfer that comes in one piece, in bytes; rounded up to whole
   * packets. At most 1 MiB.
   * @default {65536}
   */
  readonly size?: number;
  /**
   * How many transfers may be asked for at once: those that the kernel waits
   * for, and those that have come and that the loop has not taken yet. When
   * there are as many, the host has to wait.
   * @default {4}
   */
  readonly depth?: number;
}

/** What the iteration needs of its endpoint. */
export interface TransferSource {
  /** Receives one transfer. */
  read(
    size: number,
    options: TransferOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Asks for more than is read. */
  setAhead(options: AheadOptions | undefined): void;
  /** Whether a read would find something that has come already. */
  readonly hasData: boolean;
}

/** Goes through the transfers of an endpoint. */
export class TransferIterator
  implements AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
  readonly #source: TransferSource;
  readonly #ahead: AheadOptions;
  readonly #options: TransferOptions;
  #started = false;
  #over = false;
  /** Its connection has ended; what had come before is still told. */
  #lost = false;

  /** Begins nothing before the first {@linkcode next}. */
  constructor(
    source: TransferSource,
    ahead: Omit<AheadOptions, "onDisable">,
    options: TransferOptions,
  ) {
    this.#source = source;
    const { signal, reconnect } = options;
    this.#options = { signal, reconnect };
    const onDisable = () => {
      this.#lost = true;
      this.#end();
    };
    const ends = options.reconnect === "end";
    this.#ahead = { ...ahead, onDisable: ends ? onDisable : undefined };
  }

  /** The next transfer. */
  async next(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    if (this.#over && !(this.#lost && this.#source.hasData)) return END;
    if (!this.#started) {
      this.#started = true;
      this.#source.setAhead(this.#ahead);
    }
    try {
      const { size } = this.#ahead;
      return {
        done: false,
        value: await this.#source.read(size, this.#options),
      };
    } catch (error) {
      this.#end();
      // The connection, or the function, was what it has iterated over.
      if (
        isSystemError(error, "ESHUTDOWN") ||
        error instanceof Deno.errors.BadResource
      ) return END;
      throw error;
    }
  }

  /** Stops asking. What was asked for is kept for the next reader. */
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
    if (this.#started) this.#source.setAhead(undefined);
  }
}

const END = { done: true, value: undefined } as const;
