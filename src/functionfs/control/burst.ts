/**
 * Control requests in quick succession.
 *
 * A host that asks again and again asks within a millisecond or less: then the
 * next event is waited for where it is needed, and the reactor does not watch
 * for it. The event loop stands still for at most {@linkcode WAIT_US} after a
 * request, and only while that pays.
 *
 * @module
 */
import type { Watch } from "../../../ffi/reactor.ts";
import { Patience, ShortWait } from "../../../ffi/wait.ts";
import { POLLIN } from "../../../ffi/abi.ts";

/** How long the next event is waited for. */
const WAIT_US = 1000;
/** A host that is quicker than this may be in a burst. */
const SOON_MS = 4;
/**
 * The reactor pauses no longer than this: a host that leaves while its answer
 * is in the kernel must be noticed.
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

  /** A request was answered at once. The kernel has the answer. */
  onAnswer(): void {
    if (this.#timer !== undefined) return;
    this.#patience.wake();
    if (!this.#patience.left) return;
    this.#watch.pause();
    this.#timer = setTimeout(() => this.end(), PAUSE_MS);
  }

  /** A request is over. Returns whether the next event is there. */
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

  /** Leaves events to the reactor again. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watch.resume();
  }
}
