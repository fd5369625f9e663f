/**
 * Things that happen again and again, each awaited as a promise.
 *
 * @module
 */

/** Resolves promises when something happens. */
export class Occurrences {
  #resolvers: (() => void)[] = [];

  /** Resolves when it happens next. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#resolvers.push(resolve));
  }

  /** It happens now. */
  happen(): void {
    for (const resolve of this.#resolvers.splice(0)) resolve();
  }
}
