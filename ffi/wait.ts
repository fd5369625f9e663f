/**
 * Short waits on the event loop's own thread, and when they pay off.
 *
 * Waking the event loop from another thread takes two thread switches, some 20
 * to 60 microseconds, and much more on emulated processors. When events follow
 * each other closely, it is cheaper to wait for the next one right where it is
 * needed, as network drivers do under load (SO_BUSY_POLL).
 *
 * @module
 */
import { libc } from "./libc.ts";

/** A `struct timespec`. */
export function timespec(microseconds: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.of(0n, BigInt(microseconds * 1000));
}

/** A wait for one file, during which the event loop is blocked. */
export class ShortWait {
  readonly #poll = new DataView(new ArrayBuffer(8)); // struct pollfd
  readonly #timeout: BigInt64Array<ArrayBuffer>;

  /**
   * @param events POLLIN, POLLOUT or both.
   * @param microseconds At most a millisecond.
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

/** After failed waits, at least one in this many wake-ups starts new waits. */
const MAX_CAUTION = 64;

/** When waiting pays off. */
export interface PatienceOptions {
  /** How many waits in a row may fail. */
  readonly waits: number;
  /** An event that arrives this soon after the last wait starts new waits. */
  readonly soonMs: number;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/** Whether waiting has paid off lately. The fewer succeed, the fewer follow. */
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

  /** A wait has timed out, after the time of this many. */
  failure(waits = 1): void {
    this.#left -= waits;
    if (this.#left > 0) return;
    this.#caution = Math.min(2 * this.#caution, MAX_CAUTION);
  }

  /** The reactor waits for the next event. */
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
