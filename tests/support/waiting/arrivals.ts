/**
 * Waits for things that come one after another, such as events or output.
 *
 * @module
 */

/** Who waits for something to come. What has come is kept elsewhere. */
export class Arrivals {
  readonly #waiting = new Set<() => void>();
  #end: { readonly reason: unknown } | undefined;

  /** Something has come. */
  notify(): void {
    for (const look of this.#waiting) look();
  }

  /** Nothing more will come: waits whose condition is false fail with the reason. */
  end(reason: unknown): void {
    this.#end ??= { reason };
    this.notify();
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Waits until a condition is true, which is looked at when something comes.
   *
   * @param what For the message of a timeout: what is missing, and what has come.
   */
  async until(
    condition: () => boolean,
    what: () => string,
    timeout = 180_000,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (condition()) resolve();
      else if (this.#end !== undefined) reject(this.#end.reason);
    };
    const timer = setTimeout(() => {
      reject(
        new Error(`Timed out after ${timeout} ms waiting until ${what()}`),
      );
    }, timeout);
    this.#waiting.add(look);
    try {
      look();
      await promise;
    } finally {
      this.#waiting.delete(look);
      clearTimeout(timer);
    }
  }
}
