/**
 * Work that is done once: closing and detaching.
 *
 * @module
 */

/** Work that does not start again while it runs or after it has succeeded. */
export class Once {
  #begun = false;
  #done: Promise<void> | undefined;

  /** Whether it was started or skipped. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Runs `work`. After a failure, the next call runs it again from where it
   * failed; until then all calls return the same promise.
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
