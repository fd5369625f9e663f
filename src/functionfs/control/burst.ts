/**
 * Control requests in quick succession.
 *
 * A host that sends many requests sends the next one within a millisecond. It
 * is then cheaper to wait for the next event right where it is needed, without
 * the reactor. The event loop is blocked for at most {@linkcode WAIT_US} after
 * a request, and only while that pays off.
 *
 * @module
 */
import type { Watch } from "../../../ffi/reactor.ts";
import { Patience, ShortWait } from "../../../ffi/wait.ts";
import { POLLIN } from "../../../ffi/abi.ts";

/** How long to wait for the next event. */
const WAIT_US = 1000;
/** A host quicker than this may be in a burst. */
const SOON_MS = 4;
/**
 * The longest pause of the reactor: it must notice a host that leaves while its
 * answer is in the kernel.
 */
const PAUSE_MS = 50;

/** Decides when to wait for the next event, and waits. */
export class ControlBurst {
  readonly #watch: Watch;
  readonly #wait: ShortWait;
  readonly #patience: Patience;
  /** Set during a burst. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param fd Readable when there is an event.
   * @param watch The reactor's watch for events.
   * @param now The time in milliseconds.
   */
  constructor(fd: number, watch: Watch, now?: () => number) {
    this.#watch = watch;
    this.#wait = new ShortWait(fd, POLLIN, WAIT_US);
    this.#patience = new Patience({ waits: 1, soonMs: SOON_MS, now });
  }

  /** A request was answered at once, and the kernel has the answer. */
  onAnswer(): void {
    if (this.#timer !== undefined) return;
    this.#patience.wake();
    if (!this.#patience.left) return;
    this.#watch.pause();
    this.#timer = setTimeout(() => this.end(), PAUSE_MS);
  }

  /** A request is over. Returns whether the next event has arrived. */
  waitForNext(): boolean {
    this.#patience.rest();
    if (this.#timer === undefined) return false;
    if (this.#wait.wait() !== 0) {
      this.#patience.success();
      return true;
    }
    this.#patience.failure();
    this.end();
    return false;
  }

  /** Returns events to the reactor. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watch.resume();
  }
}
