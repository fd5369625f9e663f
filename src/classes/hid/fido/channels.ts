/**
 * The channels that programs of the host have been given (CTAP 2.1, 11.2.3).
 *
 * @module
 */
import { BROADCAST } from "./packets.ts";

/** Returns a random channel identifier, which may be in use or reserved. */
export function randomChannel(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/**
 * A limited number of channels. When all are in use, the one that was not used for
 * the longest time goes to the next program: nothing says when a program has
 * ended.
 */
export class Channels {
  readonly #max: number;
  readonly #pick: () => number;
  /** In the order of their last use. */
  readonly #used = new Set<number>();

  /** @param pick Suggests an identifier. */
  constructor(max: number, pick: () => number) {
    this.#max = max;
    this.#pick = pick;
  }

  /**
   * Returns a new channel.
   *
   * @param busy A channel that stays.
   */
  allocate(busy: number | undefined): number {
    for (const channel of this.#used) {
      if (this.#used.size < this.#max) break;
      if (channel !== busy) this.#used.delete(channel);
    }
    let channel: number;
    do channel = this.#pick(); while (
      channel === 0 || channel === BROADCAST || this.#used.has(channel)
    );
    this.#used.add(channel);
    return channel;
  }

  /** Whether a channel was allocated. If so, this is its last use. */
  use(channel: number): boolean {
    if (!this.#used.delete(channel)) return false;
    this.#used.add(channel);
    return true;
  }

  /** Forgets all channels. */
  clear(): void {
    this.#used.clear();
  }
}
