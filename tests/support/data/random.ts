/**
 * Reproducible random choices.
 *
 * @module
 */

/** A random number generator: the same seed gives the same choices. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, but not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `least` to `greatest`, inclusive. */
  int(least: number, greatest: number): number {
    return least + Math.floor(this.next() * (greatest - least + 1));
  }

  /** Returns true with a probability. */
  chance(probability = 0.5): boolean {
    return this.next() < probability;
  }

  /** Returns one of several values. */
  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)];
  }
}
