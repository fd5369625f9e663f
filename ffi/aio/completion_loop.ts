/**
 * When to look for completions: at each turn of the event loop while they
 * follow each other closely, and when the parked poll is woken after a pause.
 *
 * @module
 */
import { POLLIN } from "../abi.ts";
import { CompletionSignal } from "./completion_signal.ts";
import { Patience } from "./patience.ts";
import { type Watch, watch } from "../reactor.ts";

/** Where completions come from. */
export interface CompletionSource {
  /** Whether any can come. */
  readonly busy: boolean;
  /** Tells all completions that are there; returns how many. */
  drain(): number;
  /** The same, after a wait if there are none; see `struct timespec`. */
  wait(timeout: BigInt64Array<ArrayBuffer>): number;
}

/** Batches of completions that one turn of the event loop may tell. */
const MOST_LOOKS_AT_ONCE = 8;

/** What `setImmediate` returns; its name differs between type libraries. */
type Immediate = ReturnType<typeof setImmediate>;

/** Looks for the completions of one source. */
export class CompletionLoop {
  readonly #source: CompletionSource;
  readonly #patience = new Patience();
  #signal: CompletionSignal | undefined;
  #watch: Watch | undefined;
  /** The next look, while it does not leave the waiting to the poll. */
  #next: Immediate | undefined;
  /** How often it has looked in this turn of the event loop. */
  #looksAtOnce = 0;
  #holders = 0;
  #over = false;

  /** For a source whose completions the kernel counts on {@linkcode counterFd}. */
  constructor(source: CompletionSource) {
    this.#source = source;
  }

  /** The eventfd for the kernel to count on, made by the first look. */
  get counterFd(): number {
    return (this.#signal ??= new CompletionSignal()).counterFd;
  }

  /** Watches also while nothing is to come, until {@linkcode release}. */
  retain(): void {
    this.#holders++;
    this.#updateWatch();
  }

  /** Takes one {@linkcode retain} back; resolves when nothing waits any more. */
  async release(): Promise<void> {
    this.#holders--;
    await this.#updateWatch();
  }

  /** Requests are prepared. */
  expect(): void {
    if (this.#watch === undefined) this.#updateWatch();
  }

  /** Requests have gone to the kernel, or were taken back. */
  submitted(): void {
    this.#updateWatch();
    if (this.#next === undefined && this.#patience.left) this.#look();
  }

  /**
   * Looks within this turn. Copying large writes takes the kernel so long that
   * meanwhile others have completed: their ends need not wait for the next turn
   * of the event loop. That has its turn all the same after a few times.
   */
  lookAtOnce(): void {
    if (this.#over || this.#looksAtOnce >= MOST_LOOKS_AT_ONCE) return;
    if (this.#source.drain() === 0) return;
    this.#looksAtOnce++;
    this.#patience.success();
  }

  /** Looks no more. Resolves when the kernel does not look at the signal. */
  async stop(): Promise<void> {
    this.#over = true;
    if (this.#next !== undefined) clearImmediate(this.#next);
    this.#next = undefined;
    await this.#watch?.stop();
  }

  /** Closes the eventfd: after {@linkcode stop}, when nobody counts any more. */
  close(): void {
    this.#signal?.close();
  }

  /** Watches the signal while requests are pending or somebody asks for it. */
  #updateWatch(): Promise<void> | undefined {
    if (this.#over) return undefined;
    const wanted = this.#holders > 0 || this.#source.busy;
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
    // The signal would wake the poll again. What completes from here on is
    // seen by the next look, or sets it anew.
    if (this.#patience.left) this.#look();
    else this.#signal!.clear();
    this.#source.drain();
    this.#updateWatch();
  }

  /** Looks in the coming turns, in place of the parked poll. */
  #look(): void {
    this.#signal!.disarm();
    this.#next ??= setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#next = undefined;
    this.#looksAtOnce = 0;
    if (this.#over) return;
    if (this.#source.drain() > 0) {
      this.#patience.success();
    } else if (this.#source.busy && this.#patience.left) {
      const count = this.#source.wait(this.#patience.timeout);
      if (count > 0) this.#patience.success();
      else this.#patience.failure();
    } else {
      return this.#park();
    }
    this.#updateWatch();
    this.#next ??= setImmediate(this.#onTurn);
  };

  /** Leaves the waiting to the parked poll. */
  #park(): void {
    this.#patience.park();
    this.#updateWatch();
    if (this.#watch === undefined) return;
    this.#signal!.arm();
    // What has completed before that wakes nobody.
    if (this.#source.drain() > 0) this.#look();
  }
}
