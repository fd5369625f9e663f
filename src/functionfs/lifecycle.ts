/**
 * The life of a function as state: bound to a UDC or not, enabled by the host
 * or not, suspended or not.
 *
 * The kernel's event queue holds four entries and drops some when others arrive
 * (`__ffs_event_add()` in `f_fs.c`): a BIND is lost if it is not read before
 * the host configures the device, and so is a DISABLE before the next ENABLE.
 * Here every change of state is reported, in order.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import {
  FUNCTIONFS_BIND,
  FUNCTIONFS_DISABLE,
  FUNCTIONFS_ENABLE,
  FUNCTIONFS_RESUME,
  FUNCTIONFS_SUSPEND,
  FUNCTIONFS_UNBIND,
} from "../compile/functionfs_abi.ts";
import { type FunctionEvent, FunctionEvents } from "./events.ts";
import { type SessionEnd, SessionLife } from "./session.ts";

/**
 * The state of a function.
 *
 * - `"unbound"`: without a UDC.
 * - `"bound"`: attached to a UDC, and not (or no longer) configured.
 * - `"enabled"`: configured by a host.
 * - `"closed"`: over.
 * @category Events
 */
export type FunctionState = "unbound" | "bound" | "enabled" | "closed";

/** What {@linkcode Lifecycle.next} waits for. */
export interface EventWait {
  /** The only event that counts; by default every event does. */
  readonly type?: FunctionEvent["type"];
  /** Resolves after this many milliseconds in any case. */
  readonly ms?: number;
  readonly signal?: AbortSignal;
  /** The error if the function is or gets closed. */
  readonly closedError: () => Error;
}

/** Keeps the state of one function, and reports its changes. */
export class Lifecycle {
  #state: FunctionState = "unbound";
  #suspended = false;
  #session = new SessionLife(0);
  #enableCount = 0;
  readonly #interfaces: number;
  /** ENABLEs of this session so far. */
  #enables = 0;
  /** Whether the host has transferred anything since the first of them. */
  #used = false;
  /** Whether the program uses sessions. */
  hasSessions = false;
  /** Asks the kernel for events that were not read. */
  #hasUnread: () => boolean = () => false;
  readonly #applyListeners: (() => void)[] = [];
  /** Where the changes are reported. */
  readonly events: FunctionEvents = new FunctionEvents();
  readonly #enableListeners: (() => void)[] = [];
  readonly #disableListeners: ((session: SessionLife) => void)[] = [];

  /** @param interfaces The number of interfaces of the function. */
  constructor(interfaces = 1) {
    this.#interfaces = interfaces;
  }

  get state(): FunctionState {
    return this.#state;
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  /** How many times endpoints were enabled; differs for each connection. */
  get enableCount(): number {
    return this.#enableCount;
  }

  /** The current connection, or the time between two. */
  get session(): SessionLife {
    return this.#session;
  }

  /** Applies the event types of one read of `ep0`. */
  apply(types: readonly number[]): void {
    types.forEach((type, index) => {
      switch (type) {
        case FUNCTIONFS_BIND:
          return this.bind();
        case FUNCTIONFS_UNBIND:
          return this.unbind();
        case FUNCTIONFS_ENABLE:
          return this.enable();
        case FUNCTIONFS_DISABLE:
          return this.disable();
        case FUNCTIONFS_SUSPEND:
          // Device controllers announce a disconnect by a suspend.
          if (types.includes(FUNCTIONFS_UNBIND, index)) return;
          if (types.includes(FUNCTIONFS_DISABLE, index)) return;
          return this.suspend();
        case FUNCTIONFS_RESUME:
          return this.resume();
      }
    });
    for (const listener of this.#applyListeners) listener();
  }

  bind(): void {
    // Events are read until the last file is closed.
    if (this.#state === "closed") return;
    this.#leave("unbound", "unbound");
    this.#enter("bound", "bind");
  }

  /** Without a DISABLE before it, there was a reset in between. */
  enable(): void {
    if (this.#state === "closed") return;
    if (this.#state === "unbound") this.bind();
    // Endpoints were reset in any case, and their transfers have ended.
    this.#enableCount++;
    if (this.#continues) {
      this.#enables++;
    } else {
      this.#leave("bound", "reconfigured");
      this.#beginSession("reconfigured");
      this.#enables = 1;
      this.#used = false;
      this.#enter("enabled", "enable");
    }
    for (const listener of this.#enableListeners) listener();
  }

  /** See `Connection.doubtful`. */
  get doubtful(): boolean {
    return this.hasSessions && this.#hasUnread();
  }

  /** Sets how to ask the kernel for events that were not read. */
  set unread(hasUnread: () => boolean) {
    this.#hasUnread = hasUnread;
  }

  /** The host has transferred something. */
  use(): void {
    this.#used = true;
  }

  /**
   * Whether an ENABLE belongs to the session. SET_CONFIGURATION enables each
   * interface in turn, and the kernel queues an ENABLE for each. How many of them
   * are read is chance, since it drops those not read in time. SET_INTERFACE looks
   * the same. But between the interfaces of one SET_CONFIGURATION the host cannot
   * transfer anything; and if it has not, nothing of the session is left that
   * another one could receive.
   */
  get #continues(): boolean {
    return this.#state === "enabled" && !this.#used &&
      this.#enables < this.#interfaces;
  }

  disable(): void {
    if (this.#state === "enabled") this.#leave("bound", "disabled");
  }

  unbind(): void {
    this.#leave("unbound", "unbound");
  }

  suspend(): void {
    const attached = this.#state === "bound" || this.#state === "enabled";
    if (this.#suspended || !attached) return;
    this.#suspended = true;
    this.events.emit({ type: "suspend" });
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.events.emit({ type: "resume" });
  }

  /** Ends the life from any state. */
  close(): void {
    if (this.#state === "closed") return;
    this.#leave("unbound", "closed");
    this.#state = "closed";
    this.events.close();
  }

  /** Calls `listener` whenever endpoints were enabled or reset. */
  onEnable(listener: () => void): void {
    this.#enableListeners.push(listener);
  }

  /** Calls `listener` when pending events were read. */
  onApply(listener: () => void): void {
    this.#applyListeners.push(listener);
  }

  /** Calls `listener` when endpoints have stopped working, with what has ended. */
  onDisable(listener: (session: SessionLife) => void): void {
    this.#disableListeners.push(listener);
  }

  /** Waits for the next event. Rejects with the reason of the signal. */
  next({ type, ms, signal, closedError }: EventWait): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const end = (settle: () => void) => {
        clearTimeout(timer);
        stop();
        signal?.removeEventListener("abort", abort);
        settle();
      };
      const abort = () => end(() => reject(signal?.reason));
      const timer = ms === undefined
        ? undefined
        : setTimeout(() => end(resolve), ms);
      let stop = () => {};
      stop = this.events.listen((event) => {
        if (type === undefined || event.type === type) end(resolve);
      }, () => end(() => reject(closedError())));
      signal?.addEventListener("abort", abort);
    });
  }

  /** See `FunctionFs.enabled`. */
  async enabled(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state === "enabled") return;
    const message = "Cannot wait for the host: the function is closed";
    const closedError = () =>
      errorOf(Errno.EBADF, message, { syscall: "read" });
    await this.next({ type: "enable", signal, closedError });
  }

  /** Goes down to a state, and reports each step. */
  #leave(level: "unbound" | "bound", reason: SessionEnd): void {
    if (this.#state === "enabled") {
      this.#state = "bound";
      const ended = this.#session;
      this.#beginSession(reason);
      for (const listener of this.#disableListeners) listener(ended);
      this.events.emit({ type: "disable" });
    }
    if (level === "unbound" && this.#state === "bound") {
      this.#state = "unbound";
      this.#beginSession(reason);
      this.#suspended = false;
      this.events.emit({ type: "unbind" });
    }
  }

  /** Ends what lasts as long as the connection, or as the time between two. */
  #beginSession(reason: SessionEnd): void {
    const ended = this.#session;
    this.#session = new SessionLife(this.#enableCount);
    ended.end(reason);
  }

  #enter(state: "bound" | "enabled", type: "bind" | "enable"): void {
    // Traffic on the bus: it is not suspended, whatever event was missed.
    this.resume();
    this.#state = state;
    this.events.emit({ type });
  }
}
