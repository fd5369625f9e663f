/**
 * Control requests that come one right after the other.
 *
 * Waking the event loop from another thread costs more than all the rest of a
 * request. A host that asks again and again asks within a millisecond or less:
 * then the next event is waited for where it is needed, as network drivers do
 * under load (SO_BUSY_POLL), and the reactor does not look for it.
 *
 * The event loop stands still for at most {@linkcode WAIT_MICROSECONDS} after a
 * request, and only while that pays.
 *
 * @module
 */
import type { Watch } from "../../../ffi/reactor.ts";
import { ShortWait } from "../../../ffi/wait.ts";

/** How long the next event is waited for. */
const WAIT_MICROSECONDS = 1000;
/** A host that is quicker than this may be in a burst. */
const CLOSE_MS = 4;
/**
 * The reactor looks away no longer than this: a host that leaves while its
 * answer is in the kernel must be noticed.
 */
const PAUSE_MS = 50;
/** After vain waits only one of up to so many requests is waited for. */
const MAX_CAUTION = 64;

/** Tells when to wait for the next event, and does. */
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
   * @param fd Readable when there is an event.
   * @param watch How the reactor looks for events.
   * @param now The time in milliseconds.
   */
  constructor(fd: number, watch: Watch, now = () => performance.now()) {
    this.#watch = watch;
    this.#now = now;
    this.#wait = new ShortWait(fd, WAIT_MICROSECONDS);
  }

  /** A request was answered at once: its answer is with the kernel. */
  onAnswer(): void {
    if (this.#timer !== undefined) return;
    if (this.#now() - this.#end > CLOSE_MS) return;
    if (++this.#skipped < this.#caution) return;
    this.#skipped = 0;
    this.#watch.pause();
    this.#timer = setTimeout(() => this.end(), PAUSE_MS);
  }

  /** A request is over. Tells whether the next event is there. */
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

  /** Lets the reactor look for events again. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watch.resume();
  }
}
