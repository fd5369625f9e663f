/**
 * One connection of a function: from its ENABLE to the reset, the unplugged
 * cable or the new configuration that ends it.
 *
 * @module
 */

/** What lasts as long as a connection. */
export class Session {
  #ended = false;
  readonly #callbacks: (() => void)[] = [];

  /**
   * Calls back when the session ends, at once if it has ended.
   *
   * @param callback Never throws.
   */
  onEnd(callback: () => void): void {
    if (this.#ended) callback();
    else this.#callbacks.push(callback);
  }

  /** Ends it. */
  end(): void {
    this.#ended = true;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}
