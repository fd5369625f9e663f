/**
 * Input reports on their way to the host: in the order of the calls, newest
 * state first where only the state counts, and again at the idle rate.
 *
 * @module
 */
import type { InEndpoint } from "../../functionfs/endpoint/in_endpoint.ts";
import { SessionEndedError } from "../../functionfs/session.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { AbortedTransferError } from "../../functionfs/transfer/error.ts";

/** A report that the host has not polled. */
interface Pending {
  readonly id: number;
  /** Replaced by a newer state. */
  bytes: Uint8Array;
  /** Whether a newer state replaces it. */
  readonly isState: boolean;
  /** The caller that waits for it, if any. */
  readonly caller?: {
    resolve(): void;
    reject(error: unknown): void;
  };
}

/** The endpoint of one session. */
interface Link {
  readonly endpoint: InEndpoint;
  readonly session: Session;
}

/** What all input reports of a function have in common. */
export interface InputReportsOptions {
  /** Bytes of the longest one: a shorter one has to end its transfer. */
  readonly longest: number;
  /** The first reports for each host, and for how long the others then wait. */
  readonly greeting?: { readonly bytes: Uint8Array; readonly settleMs: number };
}

/** The input reports of a function, one transfer at a time. */
export class InputReports {
  readonly #options: InputReportsOptions;
  readonly #queue: Pending[] = [];
  /** The states that `update` has set: sent to each host when it comes. */
  readonly #states = new Map<number, Uint8Array>();
  /** The last report of each ID that this host was sent. */
  readonly #sent = new Map<number, Uint8Array>();
  /** Idle rates in milliseconds. */
  readonly #idle = new Map<number, number>();
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #link: Link | undefined;
  /** Ends the transfer of the first report, to replace it. */
  #current: AbortController | undefined;

  constructor(options: InputReportsOptions) {
    this.#options = options;
  }

  /** The current report of an ID, if there was one. */
  latest(id: number): Uint8Array | undefined {
    return this.#states.get(id) ?? this.#sent.get(id);
  }

  /** Sends a report after all earlier ones; see `HidFunction.send`. */
  send(id: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      // From now on this report is the state.
      this.#states.delete(id);
      const abort = () => this.#drop(pending, signal?.reason);
      const settle = () => signal?.removeEventListener("abort", abort);
      const caller = {
        resolve: () => (settle(), resolve()),
        reject: (error: unknown) => (settle(), reject(error)),
      };
      const pending = { id, bytes, isState: false, caller };
      signal?.addEventListener("abort", abort);
      this.#add(pending);
      this.#link?.session.wakeHost();
    });
  }

  /** Sets the state of an ID; see `HidFunction.update`. */
  update(id: number, bytes: Uint8Array): void {
    this.#states.set(id, bytes);
    // What is sent in between changes the state: it keeps its place.
    const last = this.#queue.findLast((each) => each.id === id);
    if (last?.isState) {
      last.bytes = bytes;
      if (last === this.#queue[0]) this.#current?.abort();
    } else if (this.#link !== undefined) {
      this.#add({ id, bytes, isState: true });
    }
    this.#link?.session.wakeHost();
  }

  /** Sets after how many milliseconds an unchanged report is sent again; 0 for never. */
  setIdle(milliseconds: number, id: number): void {
    if (id === 0) {
      this.#stopTimers();
      this.#idle.clear();
    }
    this.#idle.set(id, milliseconds);
    const ids = id === 0
      ? [...this.#sent.keys(), ...this.#states.keys()]
      : [id];
    for (const each of new Set(ids)) this.#startTimer(each);
  }

  /** Sends what waits, until the session ends. */
  async serve(endpoint: InEndpoint, session: Session): Promise<void> {
    const { greeting } = this.#options;
    if (greeting !== undefined) {
      // Some controllers report a transfer as done that waits in their FIFO: the
      // second one is done when the host has polled the first.
      await this.#write(endpoint, greeting.bytes);
      await this.#write(endpoint, greeting.bytes);
      await delay(greeting.settleMs, session.signal);
      // What waits for a host goes on waiting.
      if (session.signal.aborted) return;
    }
    const link = this.#link = { endpoint, session };
    for (const [id, bytes] of this.#states) {
      this.#queue.push({ id, bytes, isState: true });
    }
    this.#start();
    await delay(Infinity, session.signal);
    if (this.#link === link) this.#end(session.signal.reason);
  }

  /** Forgets what this host was sent: its reports have another form from now on. */
  forget(): void {
    this.#sent.clear();
  }

  #add(pending: Pending): void {
    this.#queue.push(pending);
    if (this.#queue.length === 1) this.#start();
  }

  /** Takes a report back whose caller no longer waits. */
  #drop(pending: Pending, reason: unknown): void {
    const at = this.#queue.indexOf(pending);
    if (at < 0) return;
    pending.caller?.reject(reason);
    // The first one is removed when its transfer has ended.
    if (at > 0 || this.#current === undefined) this.#queue.splice(at, 1);
    else this.#current.abort();
  }

  /** Sends the first report, unless one is on its way. */
  #start(): void {
    if (this.#current !== undefined || this.#queue.length === 0) return;
    if (this.#link !== undefined) this.#transfer(this.#link, this.#queue[0]);
  }

  async #transfer(link: Link, pending: Pending): Promise<void> {
    const { bytes, id } = pending;
    const controller = this.#current = new AbortController();
    let failure: unknown;
    try {
      await this.#write(link.endpoint, bytes, controller.signal);
      this.#sent.set(id, bytes);
    } catch (error) {
      failure = error;
    }
    // The session has ended, and taken the queue along.
    if (this.#link !== link) return;
    this.#current = undefined;
    if (failure === undefined || !pending.isState) {
      // A newer state came too late to replace this one.
      if (pending.bytes === bytes) this.#queue.shift();
      if (failure === undefined) pending.caller?.resolve();
      else pending.caller?.reject(failure);
    } else if (!(failure instanceof AbortedTransferError)) {
      this.#queue.shift();
      const ended = failure instanceof SessionEndedError;
      if (!ended) link.session.report(failure);
    }
    this.#startTimer(id);
    this.#start();
  }

  async #write(
    endpoint: InEndpoint,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const { longest } = this.#options;
    const zlp = bytes.byteLength < longest ? "auto" : "never";
    await endpoint.write(bytes, {
      zlp,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The host has gone. */
  #end(reason: unknown): void {
    this.#link = undefined;
    this.#current = undefined;
    this.#stopTimers();
    this.#idle.clear();
    this.#sent.clear();
    for (const { caller } of this.#queue.splice(0)) caller?.reject(reason);
  }

  /** Sends the report of an ID again, unless it is sent before. */
  #startTimer(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const milliseconds = this.#idle.get(id) ?? this.#idle.get(0) ?? 0;
    if (milliseconds === 0 || this.#link === undefined) return;
    const again = () => {
      const bytes = this.latest(id);
      const waits = this.#queue.some((each) => each.id === id);
      if (bytes !== undefined && !waits) {
        this.#add({ id, bytes, isState: true });
      }
    };
    this.#timers.set(id, setTimeout(again, milliseconds));
  }

  #stopTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Waits for some time, or until a signal is aborted. */
function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = milliseconds === Infinity
      ? undefined
      : setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
