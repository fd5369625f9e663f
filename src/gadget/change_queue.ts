/**
 * Changes of one gadget: each begins when the previous one is over.
 *
 * @module
 */

/** Runs one change at a time, in the order of the calls. */
export class ChangeQueue {
  /** Settles when all changes are over; `undefined` if none is under way. */
  #last: Promise<unknown> | undefined;

  /**
   * Runs a change: in this turn, if no other one is under way.
   *
   * @param signal Gives the change up while it waits for its turn.
   * @returns What `change` returns.
   */
  async run<T>(
    change: () => T | Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = Promise.all([before, promise]);
    this.#last = last;
    let begun = false;
    try {
      if (before !== undefined) await orAborted(before, signal);
      begun = true;
      return await change();
    } finally {
      resolve();
      // A change that was given up does not end those before it.
      if (begun && this.#last === last) this.#last = undefined;
    }
  }
}

/** Waits for a promise, which never rejects, or for the signal. */
async function orAborted(
  promise: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
