/**
 * Data that the host has sent before a control request.
 *
 * The program must have it when the handler of the request starts: otherwise
 * "discard what I have sent" comes too early for the last of it.
 *
 * The kernel queues a SETUP event at once, but posts the completion of a
 * transfer from a work queue (`ffs_user_copy_worker()` in `f_fs.c`). So it can
 * post a completion after an event that came later, and no call shows that one
 * is due. A short wait finds most of them. A host that sends many requests would
 * be slowed down, so waits take up a small part of the time.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import { timespec } from "../../../ffi/wait.ts";

/** How often to wait for completions that are due, and how long each time. */
const WAITS = 3;
const WAIT_MS = 0.1;
const TIMEOUT = timespec(1000 * WAIT_MS);
/** The part of the time that may be spent on waits, */
const SHARE = 0.1;
/** and the most that may be spent at once after a pause. */
const MOST_MS = 100;

/** Brings data of the host to the program before a later control request. */
export class EarlierData {
  readonly #aio: Pick<AioContext, "completed" | "drain" | "wait">;
  readonly #isReceiving: () => boolean;
  readonly #now: () => number;
  /** The time left for waits, in milliseconds, and when that was so. */
  #left = MOST_MS;
  #leftAt = -Infinity;
  /** The completions after which all code of the program has run. */
  #settled = 0;

  /**
   * @param isReceiving Whether the kernel has requests for data of the host.
   * @param now The time in milliseconds.
   */
  constructor(
    aio: Pick<AioContext, "completed" | "drain" | "wait">,
    isReceiving: () => boolean,
    now: () => number = () => performance.now(),
  ) {
    this.#aio = aio;
    this.#isReceiving = isReceiving;
    this.#now = now;
  }

  /** Handles the completions of what came before an event that was just read. */
  collect(): void {
    this.#aio.drain();
    if (!this.#isReceiving()) return;
    const now = this.#now();
    const gained = SHARE * (now - this.#leftAt);
    this.#left = Math.min(this.#left + gained, MOST_MS);
    this.#leftAt = now;
    // A transfer can have several completions.
    for (let wait = 0; wait < WAITS && this.#isReceiving(); wait++) {
      if (this.#left < WAIT_MS) return;
      this.#left -= WAIT_MS;
      this.#aio.wait(TIMEOUT);
    }
  }

  /**
   * Calls `run` when code of the program that awaits the data has run: now, or
   * in a later turn of the event loop if anything has completed.
   */
  afterwards(run: () => void): void {
    if (this.#aio.completed === this.#settled) return run();
    setImmediate(() => {
      this.#settled = this.#aio.completed;
      run();
    });
  }
}
