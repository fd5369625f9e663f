/**
 * Trying again what was refused.
 *
 * @module
 */

/** What is refused with EAGAIN is tried again after so many milliseconds. */
const FIRST_DELAY_MS = 1;
const LAST_DELAY_MS = 16;

/** A timer whose time doubles until something succeeds. */
export class Retry {
  readonly #run: () => void;
  #delay = FIRST_DELAY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `run` when it is time. */
  constructor(run: () => void) {
    this.#run = run;
  }

  /** Whether the time has not come yet. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Sets the time. */
  later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, this.#delay);
    this.#delay = Math.min(2 * this.#delay, LAST_DELAY_MS);
  }

  /** Something has succeeded: begins with a short time again. */
  reset(): void {
    this.#delay = FIRST_DELAY_MS;
  }

  /** Takes the time back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
