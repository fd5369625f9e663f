/**
 * The time between ENABLE and DISABLE, as an endpoint sees it.
 *
 * @module
 */
import type { Lifecycle } from "../lifecycle.ts";

/** What the transfers of an endpoint depend on. */
export interface Connection {
  /** Whether endpoints work, according to the last event. */
  readonly enabled: boolean;
  /** How many times endpoints were enabled. */
  readonly enableCount: number;
  /** Asks the kernel whether the endpoint works right now. */
  probe(): boolean;
  /** The host has transferred something. */
  use(): void;
  /**
   * Whether requests belong to sessions, and the kernel has events that were not
   * read: one of them may begin another session.
   */
  readonly doubtful: boolean;
}

const FIRST_DELAY_MS = 1;
const LAST_DELAY_MS = 16;

/**
 * Retries what the kernel has refused with EAGAIN, after a delay that doubles
 * until something succeeds.
 */
export class Retry {
  readonly #run: () => void;
  #delay = FIRST_DELAY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `run` after the delay. */
  constructor(run: () => void) {
    this.#run = run;
  }

  /** Whether a delay is running. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts the delay. */
  later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, this.#delay);
    this.#delay = Math.min(2 * this.#delay, LAST_DELAY_MS);
  }

  /** Something has succeeded: the next delay is short again. */
  reset(): void {
    this.#delay = FIRST_DELAY_MS;
  }

  /** Cancels the delay. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** What an endpoint sees of its function's life. */
export function connectionOf(
  lifecycle: Lifecycle,
  probe: () => boolean,
): Connection {
  return {
    get enabled() {
      return lifecycle.state === "enabled";
    },
    get enableCount() {
      return lifecycle.enableCount;
    },
    probe,
    use: () => lifecycle.use(),
    get doubtful() {
      return lifecycle.doubtful;
    },
  };
}

/** How long to wait where an unread event would change things. */
const RETRY_MS = 2;

/**
 * Waits until a call that failed with EAGAIN is worth retrying: for the next
 * ENABLE, or only a moment if the last event was one.
 *
 * @param closedError The error if the function is closed first.
 */
export function nextTry(
  lifecycle: Lifecycle,
  closedError: () => Error,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ms = lifecycle.state === "enabled" ? RETRY_MS : undefined;
  return lifecycle.next({ type: "enable", ms, signal, closedError });
}
