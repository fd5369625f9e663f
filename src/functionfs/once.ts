/**
 * Closing and detaching, which are done once.
 *
 * @module
 */

/** Work that is not begun again while it runs, nor after it has succeeded. */
export class Once {
  #begun = false;
  #done: Promise<void> | undefined;

  /** Whether it was begun or skipped. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Runs `work`. After a failure the next call runs it again, from where it
   * has failed; until then all calls return the same promise.
   */
  run(work: () => Promise<void>): Promise<void> {
    this.#begun = true;
    return this.#done ??= work().catch((error) => {
      this.#done = undefined;
      throw error;
    });
  }

  /** Makes {@linkcode run} do nothing. */
  skip(): void {
    this.#begun = true;
    this.#done ??= Promise.resolve();
  }
}
