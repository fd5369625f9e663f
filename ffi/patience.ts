/**
 * How long to look for completions before a thread is left to wait for them.
 *
 * To be woken by the parked poll takes two changes of threads, some 20 to 60
 * microseconds, and much more where processors are emulated. Where transfers
 * follow each other closely, it is cheaper to look at each turn of the event
 * loop whether something has completed, and to give the processor to others
 * for a moment where nothing has: a wait in the kernel that ends with the
 * first completion, or after {@linkcode WAIT_US} at the latest. Timers, sockets
 * and all else of the event loop have their turn between two looks.
 *
 * @module
 */

/** The longest wait within one turn of the event loop, in microseconds. */
export const WAIT_US = Number(Deno.env.get("WAIT_US") ?? 100);

/** How many waits in a row may be in vain before the poll is parked. */
export const MOST_FAILURES = Number(Deno.env.get("WAITS") ?? 10);

/** A poll that is woken so soon, in milliseconds, need not have been parked. */
const SOON_MS = 5;

/** Whether waiting has been worth it lately. */
export class Patience {
  /** `struct timespec` of the wait. */
  readonly timeout = new BigInt64Array([0n, BigInt(WAIT_US * 1000)]);
  #failures = 0;
  #most = MOST_FAILURES;
  #parkedAt = 0;

  /** Requests have gone to the kernel; tells whether to look for their ends. */
  begin(): boolean {
    this.#failures = 0;
    return this.#most > 0;
  }

  /** Whether another wait may be tried. */
  get left(): boolean {
    return this.#failures < this.#most;
  }

  /** Something has completed. */
  success(): void {
    this.#failures = 0;
    this.#most = MOST_FAILURES;
  }

  /** Nothing has. */
  failure(): void {
    this.#failures++;
  }

  /** The poll is parked. */
  park(): void {
    this.#parkedAt = performance.now();
  }

  /** The poll was woken. */
  wake(): void {
    this.#failures = 0;
    const soon = performance.now() - this.#parkedAt < SOON_MS;
    this.#most = soon ? MOST_FAILURES : 1;
  }
}
