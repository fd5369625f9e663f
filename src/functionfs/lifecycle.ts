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

/**
 * One connection of a function, from its ENABLE to the reset, unplugged cable
 * or new configuration that ends it; or the time between two connections.
 */
export class Session {
  #ended = false;
  readonly #callbacks: (() => void)[] = [];

  /**
   * Calls back when the session ends, or at once if it has ended.
   *
   * @param callback Never throws.
   */
  onEnd(callback: () => void): void {
    if (this.#ended) callback();
    else this.#callbacks.push(callback);
  }

  /** Ends it. */
  end(): void {
    this.#ended = true;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

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

/**
 * In milliseconds. SET_CONFIGURATION enables each interface in turn, and the
 * kernel queues an ENABLE for each within this time. How many of them are read
 * is chance, since the kernel drops those not read in time. A SET_INTERFACE
 * looks the same.
 */
const CONFIGURATION_TIME = 50;

/** Keeps the state of one function, and reports its changes. */
export class Lifecycle {
  #state: FunctionState = "unbound";
  #suspended = false;
  #session = new Session();
  #enableCount = 0;
  readonly #interfaces: number;
  /** ENABLEs of this configuration so far. */
  #enables = 0;
  /** Set while more of them can arrive. */
  #configuring: ReturnType<typeof setTimeout> | undefined;
  /** Where the changes are reported. */
  readonly events: FunctionEvents = new FunctionEvents();
  readonly #enableListeners: (() => void)[] = [];

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
  get session(): Session {
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
  }

  bind(): void {
    // Events are read until the last file is closed.
    if (this.#state === "closed") return;
    this.#leave("unbound");
    this.#enter("bound", "bind");
  }

  /** Without a DISABLE before it, there was a reset in between. */
  enable(): void {
    if (this.#state === "closed") return;
    if (this.#state === "unbound") this.bind();
    // Endpoints were reset in any case, and their transfers have ended.
    this.#enableCount++;
    if (this.#expectsEnable) {
      this.#enables++;
    } else {
      this.#leave("bound");
      this.#endSession();
      this.#enables = 1;
      this.#expectMore();
      this.#enter("enabled", "enable");
    }
    for (const listener of this.#enableListeners) listener();
  }

  /** Whether an ENABLE is for one more interface of this configuration. */
  get #expectsEnable(): boolean {
    return this.#state === "enabled" && this.#enables < this.#interfaces &&
      this.#configuring !== undefined;
  }

  /**
   * Expects further ENABLEs for a while. A timer measures the time in which
   * events could be read: the event loop may be blocked.
   */
  #expectMore(): void {
    clearTimeout(this.#configuring);
    this.#configuring = undefined;
    if (this.#interfaces === 1) return;
    const timer = this.#configuring = setTimeout(() => {
      // Most events that have arrived meanwhile are read in this turn.
      setImmediate(() => {
        if (this.#configuring === timer) this.#configuring = undefined;
      });
    }, CONFIGURATION_TIME);
  }

  disable(): void {
    if (this.#state === "enabled") this.#leave("bound");
  }

  unbind(): void {
    this.#leave("unbound");
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
    this.#leave("unbound");
    this.#state = "closed";
    clearTimeout(this.#configuring);
    this.events.close();
  }

  /** Calls `listener` whenever endpoints were enabled or reset. */
  onEnable(listener: () => void): void {
    this.#enableListeners.push(listener);
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
  #leave(level: "unbound" | "bound"): void {
    if (this.#state === "enabled") {
      this.#state = "bound";
      this.#endSession();
      this.events.emit({ type: "disable" });
    }
    if (level === "unbound" && this.#state === "bound") {
      this.#state = "unbound";
      this.#endSession();
      this.#suspended = false;
      this.events.emit({ type: "unbind" });
    }
  }

  /** Ends what lasts as long as the connection, or as the time between two. */
  #endSession(): void {
    const session = this.#session;
    this.#session = new Session();
    session.end();
  }

  #enter(state: "bound" | "enabled", type: "bind" | "enable"): void {
    // Traffic on the bus: it is not suspended, whatever event was missed.
    this.resume();
    this.#state = state;
    this.events.emit({ type });
  }
}
