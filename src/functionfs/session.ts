/**
 * Sessions: the connections of a function, one after another.
 *
 * @module
 */
import { Errno, type SystemErrorFields } from "../../ffi/errno.ts";

/**
 * How a session has ended.
 *
 * - `"reconfigured"`: the host has selected a configuration or a setting of an
 *   interface; the next session begins at once.
 * - `"disabled"`: the host has reset or deconfigured the device, or the cable
 *   was unplugged. FunctionFS reports all three alike.
 * - `"unbound"`: the gadget was detached from its UDC.
 * - `"closed"`: the function was closed.
 * @category Errors
 */
export type SessionEnd = "reconfigured" | "disabled" | "unbound" | "closed";

/**
 * The session of an operation has ended: reason of `session.signal`, and the
 * error of everything that is pending on the session's endpoints or is called
 * later.
 * @category Errors
 */
export class SessionEndedError extends Error implements SystemErrorFields {
  /** The name of the class. */
  override name = "SessionEndedError";
  /** Name of the error number with which the kernel ends transfers. */
  readonly code: string = "ESHUTDOWN";
  /** The error number, positive. */
  readonly errno: number = Errno.ESHUTDOWN;
  /** The call that carries such transfers: `"read"`, `"write"` or `"ioctl"`. */
  readonly syscall: string;
  /** How the session has ended. */
  readonly reason: SessionEnd;
  /**
   * Bytes of the transfer that are known to have gone over the bus before; of
   * a frame, those that had come.
   */
  readonly transferred: number;

  /** For an operation, or the session itself. */
  constructor(
    message: string,
    reason: SessionEnd,
    { syscall = "read", transferred = 0 } = {},
  ) {
    super(`${message}: ${EXPLANATIONS[reason]}`);
    this.reason = reason;
    this.syscall = syscall;
    this.transferred = transferred;
  }
}

const EXPLANATIONS: Readonly<Record<SessionEnd, string>> = {
  reconfigured:
    "the host has selected a configuration or a setting of an interface",
  disabled:
    "the host has reset or deconfigured the device, or the cable was unplugged",
  unbound: "the gadget was detached from its controller",
  closed: "the function is closed",
};

/**
 * One connection of a function, from its ENABLE to the reset, unplugged cable
 * or new configuration that ends it; or the time between two connections.
 */
export class SessionLife {
  /** The first of its ENABLEs, by their count. */
  readonly firstConnection: number;
  #end: SessionEnd | undefined;
  readonly #callbacks = new Set<() => void>();
  #controller: AbortController | undefined;

  constructor(firstConnection: number) {
    this.firstConnection = firstConnection;
  }

  /** How it has ended, if it has. */
  get ended(): SessionEnd | undefined {
    return this.#end;
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = this.#controller = new AbortController();
      this.onEnd(() => controller.abort(this.error("The session has ended")));
    }
    return this.#controller.signal;
  }

  /** The error of an operation on a session that has ended. */
  error(
    message: string,
    fields?: { syscall?: string; transferred?: number },
  ): SessionEndedError {
    return new SessionEndedError(message, this.#end!, fields);
  }

  /**
   * Calls back when the session ends, or at once if it has ended.
   *
   * @param callback Never throws.
   * @returns Ends that.
   */
  onEnd(callback: () => void): () => void {
    if (this.#end !== undefined) callback();
    else this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** Ends it. */
  end(how: SessionEnd): void {
    this.#end = how;
    for (const callback of this.#callbacks) callback();
    this.#callbacks.clear();
  }
}
