/**
 * When to look for completions: in each turn of the event loop while they
 * follow each other closely, and after a pause when the parked poll wakes up.
 *
 * If nothing has completed in a turn, the loop waits in the kernel for a
 * moment. Timers, sockets and the rest of the event loop run between two looks.
 *
 * @module
 */
import { POLLIN } from "../abi.ts";
import { type Watch, watch } from "../reactor.ts";
import { Patience, timespec } from "../wait.ts";
import { CompletionSignal } from "./completion_signal.ts";

/** The completions of a number of requests. */
export interface Completions {
  /** Whether any are due. */
  readonly busy: boolean;
  /** Handles all that have arrived; returns how many. */
  drain(): number;
  /** The same, after a wait if there are none. Takes a `struct timespec`. */
  wait(timeout: BigInt64Array<ArrayBuffer>): number;
}

/** The longest wait within one turn: half of what a timer can measure. */
const WAIT_US = 500;
const WAITS = 4;
const TIMEOUT = timespec(WAIT_US);

/**
 * The longest wait in a steady flow, which is not meant to end that way. If the
 * end of a wait is the next thing that a processor's timer has to report, the
 * kernel programs the timer at its start and again after it: 10 us each in User
 * Mode Linux, an exit to the hypervisor in a VM. Here its tick comes first, with
 * the 250 Hz of most distributions.
 */
const STEADY_TIMEOUT = timespec(4000);

/**
 * After this many waits in a row that were short, the flow is steady. So many that
 * the one wait at its end that is long is a small part of it.
 */
const STEADY_AFTER = 64;

/** The most batches of completions handled in one turn of the event loop. */
const MAX_LOOKS_AT_ONCE = 8;

/** What `setImmediate` returns; its name differs between type libraries. */
type Immediate = ReturnType<typeof setImmediate>;

/** Looks for the completions of one AIO context. */
export class CompletionLoop {
  readonly #completions: Completions;
  /** A poll woken within the time of all waits need not have been parked. */
  readonly #patience = new Patience({
    waits: WAITS,
    soonMs: WAITS * WAIT_US / 1000,
  });
  #signal: CompletionSignal | undefined;
  #watch: Watch | undefined;
  /** The next look, unless the poll is parked. */
  #next: Immediate | undefined;
  /** Looks within this turn of the event loop. */
  #looksAtOnce = 0;
  /** Waits in a row that ended within {@linkcode WAIT_US}. */
  #shortWaits = 0;
  #holders = 0;
  #over = false;

  /** For completions that the kernel counts on {@linkcode counterFd}. */
  constructor(completions: Completions) {
    this.#completions = completions;
  }

  /** The eventfd for the kernel to count on, made on first access. */
  get counterFd(): number {
    return (this.#signal ??= new CompletionSignal()).counterFd;
  }

  /** Also watches while nothing is due, until {@linkcode release}. */
  retain(): void {
    this.#holders++;
    this.#updateWatch();
  }

  /** Undoes one {@linkcode retain}; resolves when the watch has ended. */
  async release(): Promise<void> {
    this.#holders--;
    await this.#updateWatch();
  }

  /** Requests are prepared. */
  expect(): void {
    if (this.#watch === undefined) this.#updateWatch();
  }

  /** Requests were submitted to the kernel or taken back. */
  submitted(): void {
    this.#updateWatch();
    if (this.#next === undefined && this.#patience.left) this.#look();
  }

  /**
   * Looks within this turn. Copying large writes takes the kernel so long that
   * others have completed meanwhile. They need not wait for the next turn of
   * the event loop, unless that happens several times in a row.
   */
  lookAtOnce(): void {
    if (this.#over || this.#looksAtOnce >= MAX_LOOKS_AT_ONCE) return;
    if (this.#completions.drain() === 0) return;
    this.#looksAtOnce++;
    this.#patience.success();
  }

  /** Stops looking. Resolves when the reactor no longer polls the signal. */
  async stop(): Promise<void> {
    this.#over = true;
    if (this.#next !== undefined) clearImmediate(this.#next);
    this.#next = undefined;
    await this.#watch?.stop();
  }

  /** Closes the eventfd. Call it after {@linkcode stop} and all requests. */
  close(): void {
    this.#signal?.close();
  }

  /** Watches the signal while requests are pending or the loop is retained. */
  #updateWatch(): Promise<void> | undefined {
    if (this.#over) return undefined;
    const wanted = this.#holders > 0 || this.#completions.busy;
    if (wanted && this.#watch === undefined) {
      const signal = this.#signal!;
      this.#watch = watch(signal.watchFd, POLLIN, () => this.#onSignal());
      if (this.#next === undefined) signal.arm();
    } else if (!wanted && this.#watch !== undefined) {
      const stopped = this.#watch.stop();
      this.#watch = undefined;
      return stopped;
    }
    return undefined;
  }

  /** The signal has woken the parked poll. */
  #onSignal(): void {
    if (this.#over) return;
    this.#looksAtOnce = 0;
    this.#patience.wake();
    // The signal would wake the poll again. The next look sees later
    // completions, or they set it again.
    if (this.#patience.left) this.#look();
    else this.#signal!.clear();
    this.#completions.drain();
    this.#updateWatch();
  }

  /** Looks in the coming turns, instead of the parked poll. */
  #look(): void {
    this.#signal!.disarm();
    this.#next ??= setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#next = undefined;
    this.#looksAtOnce = 0;
    if (this.#over) return;
    if (this.#completions.drain() > 0) {
      this.#patience.success();
    } else if (this.#completions.busy && this.#patience.left) {
      this.#wait();
    } else {
      return this.#park();
    }
    this.#updateWatch();
    this.#next ??= setImmediate(this.#onTurn);
  };

  #wait(): void {
    const isSteady = this.#shortWaits >= STEADY_AFTER;
    const start = isSteady ? performance.now() : 0;
    const count = this.#completions.wait(isSteady ? STEADY_TIMEOUT : TIMEOUT);
    const isShort = !isSteady || performance.now() - start <= WAIT_US / 1000;
    this.#shortWaits = count > 0 && isShort ? this.#shortWaits + 1 : 0;
    if (count > 0) this.#patience.success();
    // Other waits would be over by now.
    else this.#patience.failure(isSteady ? WAITS : 1);
  }

  /** Leaves the waiting to the parked poll. */
  #park(): void {
    this.#patience.rest();
    this.#updateWatch();
    if (this.#watch === undefined) return;
    this.#signal!.arm();
    // Earlier completions have not set the signal.
    if (this.#completions.drain() > 0) this.#look();
  }
}
