/**
 * Control requests as a function receives them, and its answers.
 *
 * @module
 */
import type { SetupPacket } from "./setup_packet.ts";

/**
 * A control request that waits for its answer.
 *
 * @category Control
 */
export interface SetupRequest extends SetupPacket {
  /**
   * Aborted when the host no longer waits for the answer: it has timed out,
   * sent another request, or reset or left the device. The reason is an error
   * with the code `"EIDRM"`.
   */
  readonly signal: AbortSignal;
  /** Whether the request was answered or cancelled. */
  readonly settled: boolean;
  /**
   * Receives all data of an OUT request, which also acknowledges it:
   * afterwards the request cannot be stalled.
   *
   * @returns `length` bytes, or fewer if the host has sent fewer.
   * @throws {TypeError} For an IN request, or one that was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  receive(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Answers an IN request with at most `length` bytes. A longer answer is cut;
   * a shorter one ends with a short or a zero-length packet.
   *
   * @returns How many bytes the host has received.
   * @throws {TypeError} For an OUT request, or one that was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  reply(data: Uint8Array): Promise<number>;
  /**
   * Acknowledges a request. The data of an OUT request is received and
   * dropped; an IN request gets an empty answer.
   *
   * @throws {TypeError} If the request was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  acknowledge(): Promise<void>;
  /**
   * Refuses the request: the host sees a protocol stall (EPIPE on Linux).
   *
   * @throws {TypeError} If the request was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  stall(): void;
  /**
   * Calls back when the session of the request ends: the host resets or leaves
   * the device, or sets a configuration or alternate setting, or the function
   * is closed. If the session has already ended, calls back at once. Use it for
   * state that the next host expects to find at its default.
   *
   * @param callback Its exceptions are reported as errors of the handler.
   */
  onSessionEnd(callback: () => void): void;
}

/**
 * The result of a control request.
 *
 * @category Control
 */
export type ControlOutcome =
  | {
    /** Data was transferred, or the request was acknowledged. */
    readonly type: "answered";
    /** Bytes of data that were sent or received. */
    readonly length: number;
  }
  | {
    /** The host has seen a protocol stall. */
    readonly type: "stalled";
    /** Whether no handler has answered the request. */
    readonly unhandled: boolean;
    /** What the handler threw, including a {@linkcode Stall}. */
    readonly error?: unknown;
  }
  | {
    /** The host gave up before the answer. */
    readonly type: "cancelled";
  };

/**
 * Returned by a handler for a request that it does not know. The package then
 * answers standard requests where it can, and stalls all others.
 *
 * @category Control
 */
export const unhandled: unique symbol = Symbol("unhandled");

/**
 * Thrown by a handler to stall a request on purpose.
 *
 * @category Control
 */
export class Stall extends Error {
  /** The name of the class. */
  override name = "Stall";

  /** Creates a stall with a reason, which is passed to `onControl` of the function. */
  constructor(reason = "The control request was stalled") {
    super(reason);
  }
}

/**
 * The answer of a handler to a request.
 *
 * @category Control
 */
export type ControlAnswer = Uint8Array | void | undefined | typeof unhandled;

/**
 * Answers control requests.
 *
 * - Return bytes to answer an IN request.
 * - Return nothing to acknowledge a request without data, or with data that
 *   `await setup.receive()` has received or that can be dropped. An IN request
 *   for data is stalled then, because it has no answer.
 * - Throw {@linkcode Stall}, or return {@linkcode unhandled}, to stall it.
 * - Any other error stalls it too, and is reported: to `onError` of the
 *   function, or as an `"error"` event. It is printed if there is neither.
 *
 * A handler may be slow: events and transfers continue meanwhile. Hosts wait
 * for some seconds; `setup.signal` reports when the host has given up.
 *
 * @category Control
 */
export type ControlHandler = (
  setup: SetupRequest,
) => ControlAnswer | Promise<ControlAnswer>;

/**
 * Receives the exceptions of control handlers.
 *
 * @category Control
 */
export type ControlErrorHandler = (
  error: unknown,
  setup: SetupRequest,
) => void;

/**
 * Receives each finished control request with its result.
 *
 * @category Control
 */
export type ControlObserver = (
  setup: SetupPacket,
  outcome: ControlOutcome,
) => void;
