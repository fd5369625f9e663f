/**
 * Ends that come once.
 *
 * @module
 */

/** Work that is done once: while it runs, and after it has succeeded, it is not begun again. */
export class Once {
  #begun = false;
  #done: Promise<void> | undefined;

  /** Whether it was begun, or {@linkcode skip} was called. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Runs `work`, which must be able to go on where it has failed before.
   *
   * @returns The same promise for all calls, until one has failed: then the
   * next call tries again.
   */
  run(work: () => Promise<void>): Promise<void> {
    this.#begun = true;
    return this.#done ??= this.#attempt(work);
  }

  /** There is nothing to do any more. */
  skip(): void {
    this.#begun = true;
    this.#done ??= Promise.resolve();
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#done = undefined;
      throw error;
    }
  }
}
