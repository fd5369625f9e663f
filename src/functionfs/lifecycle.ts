/**
 * The life of a function as levels: bound to a UDC or not, enabled by the host
 * or not, suspended or not.
 *
 * The kernel's event queue holds four entries and drops some when others come
 * (`__ffs_event_add()` in `f_fs.c`): a BIND that is not read before the host
 * configures the device is gone, and so is a DISABLE before the next ENABLE.
 * Here every change of level is told, in order, to every reader.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import type { SetupRequest } from "../usb/control.ts";
import { EventQueue } from "./event_queue.ts";
import { Session } from "./session.ts";

/** A change in the life of a function. */
export interface LifeEvent {
  /**
   * - `"bind"`: the function belongs to a UDC now; the device is attached.
   * - `"enable"`: the host has configured the device; endpoints work. A
   *   setting of an interface that it selects within the next 50 ms (more while
   *   the event loop stands still) is taken for a part of that, where the
   *   function has several interfaces: the kernel does not tell them apart.
   * - `"disable"`: endpoints do not work any more: the host has reset or
   *   deconfigured the device, or it was detached. When it has selected a
   *   setting of an interface anew, `"enable"` follows at once.
   * - `"unbind"`: the function does not belong to a UDC any more.
   * - `"suspend"`, `"resume"`: the host has stopped or started the bus. Pending
   *   transfers stay pending.
   */
  readonly type:
    | "bind"
    | "unbind"
    | "enable"
    | "disable"
    | "suspend"
    | "resume";
}

/** Something went wrong in work that no caller waits for. */
export interface ErrorEvent {
  /** Tells this from other events. */
  readonly type: "error";
  /**
   * What a control handler has thrown, where the function has no `onError`; or
   * why the kernel reports no more events: then the function is closed. Printed
   * with `console.error` if no iteration gets the event.
   */
  readonly error: unknown;
  /** The request of the handler. It was stalled, if it was not too late. */
  readonly setup?: SetupRequest;
}

/**
 * Stands for the events that an iteration has lost because it did not take
 * them: with more than 1000 that wait, the oldest are dropped. What comes after
 * it is complete again; `state` of the function says where it stands.
 */
export interface DroppedEvent {
  /** Tells this from other events. */
  readonly type: "dropped";
  /** How many events were dropped. */
  readonly count: number;
}

/** What happens to a function. */
export type FunctionEvent = LifeEvent | ErrorEvent | DroppedEvent;

/**
 * - `"unbound"`: without a UDC.
 * - `"bound"`: attached to a UDC, and not (or not any more) configured.
 * - `"enabled"`: configured by a host.
 * - `"closed"`: over.
 */
export type FunctionState = "unbound" | "bound" | "enabled" | "closed";

type Listener = (event: FunctionEvent) => void;

/** Events that are kept for an iteration that does not take them. */
const MAX_WAITING_EVENTS = 1000;

/** Errors that are kept until somebody looks at the events. */
const MAX_UNSEEN_ERRORS = 100;

/**
 * SET_CONFIGURATION enables each interface in turn, and the kernel queues an
 * ENABLE for each, within this time. In milliseconds. How many of them are read
 * is chance, since the kernel drops those that are not read in time; and a
 * SET_INTERFACE looks the same.
 */
const CONFIGURATION_TIME = 50;

/** Keeps the levels of one function, and tells their changes. */
export class Lifecycle {
  #state: FunctionState = "unbound";
  #suspended = false;
  #session = new Session();
  #enableCount = 0;
  readonly #interfaces: number;
  /** How many ENABLEs of this configuration came. */
  #enables = 0;
  /** Set while more of them can come. */
  #configuring: ReturnType<typeof setTimeout> | undefined;
  #unseenErrors: ErrorEvent[] = [];
  /** Iterations that are going on. */
  #readers = 0;
  readonly #listeners = new Set<Listener>();
  readonly #enableListeners = new Set<() => void>();
  readonly #closeListeners = new Set<() => void>();

  /** @param interfaces How many interfaces the function has. */
  constructor(interfaces = 1) {
    this.#interfaces = interfaces;
  }

  /** Where the function is in its life. */
  get state(): FunctionState {
    return this.#state;
  }

  /** Whether the host has stopped the bus. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** How often endpoints were enabled. Tells one connection from the next. */
  get enableCount(): number {
    return this.#enableCount;
  }

  /** The kernel says BIND. */
  bind(): void {
    // Events are read until the last file is closed.
    if (this.#state === "closed") return;
    this.#leave("unbound");
    this.#enter("bound", "bind");
  }

  /** The kernel says ENABLE. Without a DISABLE before it: a reset between. */
  enable(): void {
    if (this.#state === "closed") return;
    if (this.#state === "unbound") this.bind();
    // Endpoints were reset in any case, and their transfers have ended.
    this.#enableCount++;
    if (!this.#sameConfiguration()) {
      this.#leave("bound");
      this.#endSession();
      this.#enables = 1;
      this.#expectMore();
      this.#enter("enabled", "enable");
    }
    for (const listener of [...this.#enableListeners]) listener();
  }

  /** One more interface of the configuration that is just being set. */
  #sameConfiguration(): boolean {
    return this.#state === "enabled" && ++this.#enables <= this.#interfaces &&
      this.#configuring !== undefined;
  }

  /**
   * Waits for those that may still come. A timer, because what counts is the
   * time for which events could be read: the event loop may stand still.
   */
  #expectMore(): void {
    clearTimeout(this.#configuring);
    this.#configuring = undefined;
    if (this.#interfaces === 1) return;
    const timer = this.#configuring = setTimeout(() => {
      // Most events that have come meanwhile are read in this turn.
      setImmediate(() => {
        if (this.#configuring === timer) this.#configuring = undefined;
      });
    }, CONFIGURATION_TIME);
  }

  /** The kernel says DISABLE. */
  disable(): void {
    if (this.#state === "enabled") this.#leave("bound");
  }

  /** The kernel says UNBIND. */
  unbind(): void {
    this.#leave("unbound");
  }

  /** The kernel says SUSPEND. */
  suspend(): void {
    const attached = this.#state === "bound" || this.#state === "enabled";
    if (this.#suspended || !attached) return;
    this.#suspended = true;
    this.#tell({ type: "suspend" });
  }

  /** The kernel says RESUME. */
  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#tell({ type: "resume" });
  }

  /** Ends the life from whatever level it is on. */
  close(): void {
    if (this.#state === "closed") return;
    this.#leave("unbound");
    this.#state = "closed";
    clearTimeout(this.#configuring);
    for (const listener of [...this.#closeListeners]) listener();
    this.#listeners.clear();
    this.#enableListeners.clear();
    this.#closeListeners.clear();
  }

  /** Calls `listener` whenever endpoints were enabled or reset. */
  onEnable(listener: () => void): void {
    this.#enableListeners.add(listener);
  }

  /** The connection of now. */
  get session(): Session {
    return this.#session;
  }

  /**
   * Reports an error. Without an iteration it is kept for the next one.
   *
   * @returns Whether there is one.
   */
  report(error: unknown, setup?: SetupRequest): boolean {
    const event: ErrorEvent = setup === undefined
      ? { type: "error", error }
      : { type: "error", error, setup };
    if (this.#readers > 0) {
      this.#tell(event);
      return true;
    }
    if (this.#unseenErrors.length < MAX_UNSEEN_ERRORS) {
      this.#unseenErrors.push(event);
    }
    return false;
  }

  /** Calls `listener` for each event until the returned function is called. */
  listen(listener: Listener, onClose: () => void = () => {}): () => void {
    if (this.#state === "closed") {
      onClose();
      return () => {};
    }
    this.#listeners.add(listener);
    this.#closeListeners.add(onClose);
    return () => {
      this.#listeners.delete(listener);
      this.#closeListeners.delete(onClose);
    };
  }

  /**
   * Resolves when the function is enabled, at once if it is.
   *
   * @throws {Deno.errors.BadResource} If it is closed before.
   */
  enabled(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#state === "enabled") return resolve();
      const end = () => {
        stop();
        signal?.removeEventListener("abort", abort);
      };
      const abort = () => {
        end();
        reject(signal?.reason);
      };
      let stop = () => {};
      stop = this.listen((event) => {
        if (event.type !== "enable") return;
        end();
        resolve();
      }, () => {
        end();
        reject(
          errorOf(
            Errno.EBADF,
            "Cannot wait for the host: the function is closed",
            { syscall: "read" },
          ),
        );
      });
      signal?.addEventListener("abort", abort);
    });
  }

  /**
   * The events. An iteration gets all of them from its start on, unless it lets
   * too many wait ({@linkcode DroppedEvent}), and ends when the function is
   * closed. One that begins later fails, unless there are errors that were not
   * seen yet.
   *
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  get events(): AsyncIterable<FunctionEvent> {
    return { [Symbol.asyncIterator]: () => this.#iterate() };
  }

  #iterate(): AsyncIterator<FunctionEvent, undefined> {
    if (this.#state === "closed" && this.#unseenErrors.length === 0) {
      throw errorOf(
        Errno.EBADF,
        "Cannot wait for events: the function is closed",
        { syscall: "read" },
      );
    }
    const end = { done: true, value: undefined } as const;
    const events = new EventQueue<FunctionEvent>(
      MAX_WAITING_EVENTS,
      (count) => ({ type: "dropped", count }),
    );
    const takers:
      ((result: IteratorResult<FunctionEvent, undefined>) => void)[] = [];
    for (const error of this.#unseenErrors.splice(0)) events.push(error);
    this.#readers++;
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      this.#readers--;
      stop();
      takers.splice(0).forEach((take) => take(end));
    };
    let stop = () => {};
    stop = this.listen((value) => {
      const take = takers.shift();
      if (take !== undefined) take({ done: false, value });
      else events.push(value);
    }, finish);
    return {
      next: () => {
        const value = events.shift();
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (over) return Promise.resolve(end);
        return new Promise((resolve) => takers.push(resolve));
      },
      return: () => {
        events.clear();
        finish();
        return Promise.resolve(end);
      },
    };
  }

  /** Goes down to a level, telling each step. */
  #leave(level: "unbound" | "bound"): void {
    if (this.#state === "enabled") {
      this.#state = "bound";
      this.#endSession();
      this.#tell({ type: "disable" });
    }
    if (level === "unbound" && this.#state === "bound") {
      this.#state = "unbound";
      this.#endSession();
      this.#suspended = false;
      this.#tell({ type: "unbind" });
    }
  }

  /** Ends what lasts as long as the connection, or as the time between two. */
  #endSession(): void {
    const session = this.#session;
    this.#session = new Session();
    session.end();
  }

  #enter(state: "bound" | "enabled", type: "bind" | "enable"): void {
    // Traffic on the bus: it is not suspended, whatever was missed.
    this.resume();
    this.#state = state;
    this.#tell({ type });
  }

  #tell(event: FunctionEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
