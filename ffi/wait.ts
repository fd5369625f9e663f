/**
 * Waiting on the event loop's own thread, for a moment, and when that pays.
 *
 * Waking the event loop from another thread takes two changes of threads, some
 * 20 to 60 microseconds, and much more where processors are emulated. Where
 * events follow each other closely it is cheaper to wait for the next one right
 * where it is needed, as network drivers do under load (SO_BUSY_POLL).
 *
 * @module
 */
import { libc } from "./libc.ts";

/** A `struct timespec`. */
export function timespec(microseconds: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.of(0n, BigInt(microseconds * 1000));
}

/** A wait for one file, during which the event loop stands still. */
export class ShortWait {
  readonly #poll = new DataView(new ArrayBuffer(8)); // struct pollfd
  readonly #timeout: BigInt64Array<ArrayBuffer>;

  /**
   * @param events POLLIN, POLLOUT or both.
   * @param microseconds A millisecond at most.
   */
  constructor(fd: number, events: number, microseconds: number) {
    this.#poll.setInt32(0, fd, true);
    this.#poll.setInt16(4, events, true);
    this.#timeout = timespec(microseconds);
  }

  /** Waits. Returns the events for which the file is ready, 0 for none. */
  wait(): number {
    this.#poll.setInt16(6, 0, true);
    libc().ppoll(this.#poll, 1n, this.#timeout, null);
    return this.#poll.getInt16(6, true);
  }
}

/** After vain waits, only one of up to so many wake-ups begins others. */
const MAX_CAUTION = 64;

/** How long waiting has to have been worth it. */
export interface PatienceOptions {
  /** How many waits in a row may be in vain. */
  readonly waits: number;
  /** An event that comes so soon after the last wait begins new ones. */
  readonly soonMs: number;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/**
 * Whether waiting has been worth it lately. The fewer waits succeed, the fewer
 * are made.
 */
export class Patience {
  readonly #waits: number;
  readonly #soonMs: number;
  readonly #now: () => number;
  #left: number;
  #caution = 1;
  #skipped = 0;
  #restedAt = -Infinity;

  /** Starts with all waits left. */
  constructor({ waits, soonMs, now }: PatienceOptions) {
    this.#waits = this.#left = waits;
    this.#soonMs = soonMs;
    this.#now = now ?? (() => performance.now());
  }

  /** Whether another wait may be tried. */
  get left(): boolean {
    return this.#left > 0;
  }

  /** A wait has succeeded. */
  success(): void {
    this.#left = this.#waits;
    this.#caution = 1;
  }

  /** A wait was in vain. */
  failure(): void {
    if (--this.#left > 0) return;
    this.#caution = Math.min(2 * this.#caution, MAX_CAUTION);
  }

  /** The next event is left to the reactor. */
  rest(): void {
    this.#restedAt = this.#now();
  }

  /** The reactor has reported an event. */
  wake(): void {
    const now = this.#now();
    const soon = now - this.#restedAt <= this.#soonMs;
    this.#restedAt = now;
    this.#left = 0;
    if (!soon || ++this.#skipped < this.#caution) return;
    this.#skipped = 0;
    this.#left = this.#waits;
  }
}
