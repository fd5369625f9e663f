/**
 * How long to look for completions before a thread is left to wait for them.
 *
 * To be woken by the parked poll takes two changes of threads, some 20 to 60
 * microseconds, and much more where processors are emulated. Where transfers
 * follow each other closely, it is cheaper to look at each turn of the event
 * loop whether something has completed; and where nothing has, to wait for it
 * in the kernel, for a moment only. Timers, sockets and all else of the event
 * loop have their turn between two looks.
 *
 * @module
 */

/**
 * The longest wait within one turn of the event loop, in microseconds: half of
 * what a timer can measure.
 */
export const WAIT_US = 500;

/** How many waits in a row may be in vain before the poll is parked. */
const MOST_FAILURES = 4;

/** A poll that is woken so soon need not have been parked. In milliseconds. */
const SOON_MS = MOST_FAILURES * WAIT_US / 1000;

/** Whether waiting has been worth it lately. */
export class Patience {
  /** `struct timespec` of a wait. */
  readonly timeout = new BigInt64Array([0n, BigInt(WAIT_US * 1000)]);
  /** Waits that are left. */
  #left = MOST_FAILURES;
  #lastTime = -Infinity;

  /** Whether another wait may be tried. */
  get left(): boolean {
    return this.#left > 0;
  }

  /** Something has completed while it was looked for. */
  success(): void {
    this.#left = MOST_FAILURES;
  }

  /** A wait was in vain. */
  failure(): void {
    this.#left--;
  }

  /** The poll is parked. */
  park(): void {
    this.#lastTime = performance.now();
  }

  /** The poll was woken. */
  wake(): void {
    const now = performance.now();
    this.#left = now - this.#lastTime < SOON_MS ? MOST_FAILURES : 0;
    this.#lastTime = now;
  }
}
