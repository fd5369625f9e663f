/**
 * When to request again what readers have taken.
 *
 * Readers of a stream take what has come bit by bit, each bit in a microtask of
 * its own. Requested at once, each would cost a system call. Requested when all
 * has been taken, the host would have to wait. So half of the depth is requested
 * together; and at the end of the turn, whatever is lacking.
 *
 * @module
 */

/** Decides how many requests to make ahead of readers. */
export class Refill {
  readonly #ask: () => void;
  #scheduled = false;
  #turnIsOver = false;

  /** @param ask Called at the end of a turn in which some were left out. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /**
   * How many to make now.
   *
   * @param depth How many there may be, including those with unread data.
   * @param unread Those with unread data.
   */
  due(depth: number, requested: number, unread: number): number {
    const lacking = depth - requested - unread;
    if (unread === 0 || 2 * lacking >= depth || this.#turnIsOver) {
      return lacking;
    }
    if (lacking > 0 && !this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#onEndOfTurn);
    }
    return 0;
  }

  readonly #onEndOfTurn = (): void => {
    this.#scheduled = false;
    this.#turnIsOver = true;
    this.#ask();
    this.#turnIsOver = false;
  };
}
