/**
 * Control requests in quick succession.
 *
 * Waking the event loop from another thread costs more than all the rest of a
 * request. A host with many requests sends the next one within a millisecond:
 * it is awaited on this thread, as network drivers do under load (SO_BUSY_POLL),
 * and the reactor does not watch meanwhile.
 *
 * The event loop is blocked for at most {@linkcode WAIT_MICROSECONDS} after a
 * request, and only while that pays.
 *
 * @module
 */
import type { Watch } from "../../../ffi/reactor.ts";
import { ShortWait } from "../../../ffi/wait.ts";

/** How long to wait for the next event. */
const WAIT_MICROSECONDS = 1000;
/** A host that is quicker than this may be in a burst. */
const CLOSE_MS = 4;
/** Then a host that leaves while its answer is in the kernel is noticed. */
const PAUSE_MS = 50;
/** After futile waits, only one of up to so many requests is followed by one. */
const MAX_CAUTION = 64;

/** Waits for the next event where that pays. */
export class ControlBurst {
  readonly #watch: Watch;
  readonly #wait: ShortWait;
  readonly #now: () => number;
  /** When the last request was over. */
  #end = -Infinity;
  #caution = 1;
  #skipped = 0;
  /** Set during a burst. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param fd Readable after an event.
   * @param watch How the reactor watches it.
   */
  constructor(fd: number, watch: Watch, now = () => performance.now()) {
    this.#watch = watch;
    this.#now = now;
    this.#wait = new ShortWait(fd, WAIT_MICROSECONDS);
  }

  /** A request was answered at once. The kernel has the answer. */
  onAnswer(): void {
    if (this.#timer !== undefined) return;
    if (this.#now() - this.#end > CLOSE_MS) return;
    if (++this.#skipped < this.#caution) return;
    this.#skipped = 0;
    this.#watch.pause();
    this.#timer = setTimeout(() => this.end(), PAUSE_MS);
  }

  /** A request is over. Returns whether the next event has come. */
  waitForNext(): boolean {
    this.#end = this.#now();
    if (this.#timer === undefined) return false;
    if (this.#wait.wait()) {
      this.#caution = 1;
      return true;
    }
    this.#caution = Math.min(2 * this.#caution, MAX_CAUTION);
    this.end();
    return false;
  }

  /** Makes the reactor watch again. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watch.resume();
  }
}
