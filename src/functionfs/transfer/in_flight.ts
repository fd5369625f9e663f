/**
 * The kernel requests of one endpoint that are in the kernel.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import { Fifo } from "./fifo.ts";
import type { Transfer } from "./request.ts";

/** The kernel copies each write into contiguous memory: not too much at once. */
const MAX_BYTES = 4 << 20;
/** The most requests of one endpoint that are in the kernel. */
export const MAX_REQUESTS_IN_FLIGHT = 256;

/**
 * Transfers that the kernel has, in the order of submission, which is that of
 * their ends but for a few.
 */
export class InFlight {
  readonly #aio: AioContext;
  readonly #transfers = new Fifo<Transfer>();
  #bytes = 0;

  /** Starts empty. */
  constructor(aio: AioContext) {
    this.#aio = aio;
  }

  /** How many there are. */
  get size(): number {
    return this.#transfers.length;
  }

  /**
   * All of them; the last one first, for those who end them: otherwise it would
   * begin when those before it end.
   */
  get lastFirst(): Transfer[] {
    return this.#transfers.slice().reverse();
  }

  /** Whether one more may be submitted. A single one always may. */
  hasRoom(next: Transfer): boolean {
    if (this.#transfers.length === 0) return true;
    return this.#transfers.length < MAX_REQUESTS_IN_FLIGHT &&
      this.#bytes + next.wanted <= MAX_BYTES;
  }

  /** One was submitted. */
  add(transfer: Transfer): void {
    this.#transfers.push(transfer);
    this.#bytes += transfer.length;
  }

  /** The kernel has ended one. */
  delete(transfer: Transfer): void {
    this.#transfers.remove(transfer);
    this.#bytes -= transfer.length;
  }

  /**
   * Asks the kernel to give them back, to be submitted again.
   *
   * @param after Only those that come after this place in the order.
   */
  callBack(after = -Infinity): void {
    for (const transfer of this.lastFirst) {
      if (transfer.calledBack || transfer.sequence < after) continue;
      transfer.calledBack = true;
      this.#aio.cancel(transfer.request);
    }
  }
}
