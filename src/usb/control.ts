/**
 * Control requests as a function sees them, and how it answers.
 *
 * @module
 */
import type { SetupPacket } from "./setup_packet.ts";

/** A control request that waits for its answer. */
export interface SetupRequest extends SetupPacket {
  /**
   * Aborted when the host does not wait for the answer any more: it has given
   * up, sent another request, reset or left the device. The reason is an error
   * with the code `"EIDRM"`.
   */
  readonly signal: AbortSignal;
  /** Whether there is nothing more to answer: it was answered, or cancelled. */
  readonly settled: boolean;
  /**
   * Takes the data of an OUT request, all of it, which also acknowledges it:
   * after this it cannot be stalled any more.
   *
   * @returns `length` bytes, or fewer if the host has sent fewer.
   * @throws {TypeError} For an IN request, or one that was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  receive(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Answers an IN request. What is longer than the host has asked for is cut;
   * what is shorter ends with a short or a zero-length packet.
   *
   * @param data At most `length` bytes are sent.
   * @returns How many bytes the host has taken.
   * @throws {TypeError} For an OUT request, or one that was answered.
   * @throws {Error} With the code `"EIDRM"` if the host has given up.
   */
  reply(data: Uint8Array): Promise<number>;
  /**
   * Says that a request was done. Data that an OUT request carries is taken
   * and dropped; an IN request gets an empty answer.
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
   * Calls back when the session ends that the request belongs to: the host
   * resets or leaves the device, sets a configuration or a setting of an
   * interface anew, or the function is closed. At once if that has happened.
   * For state that the host expects to find in its default then.
   *
   * @param callback What it throws is reported as an error of the handler.
   */
  onSessionEnd(callback: () => void): void;
}

/** What became of a control request. */
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
    /** Whether no handler has answered it. */
    readonly unhandled: boolean;
    /** What the handler has thrown, a {@linkcode Stall} included. */
    readonly error?: unknown;
  }
  | {
    /** The host has given up before it was answered. */
    readonly type: "cancelled";
  };

/**
 * What a handler returns for a request that it does not know. Standard requests
 * are answered by the package then, where it can, and all others are stalled.
 */
export const unhandled: unique symbol = Symbol("unhandled");

/** Thrown by a handler to stall a request on purpose. */
export class Stall extends Error {
  /** The name of the class. */
  override name = "Stall";

  /** Makes it, with a reason, which `onControl` of the function gets. */
  constructor(reason = "The control request was stalled") {
    super(reason);
  }
}

/** What a handler says about a request. */
export type ControlAnswer = Uint8Array | void | undefined | typeof unhandled;

/**
 * Answers control requests.
 *
 * - Return bytes to answer an IN request.
 * - Return nothing to acknowledge a request without data, or with data that was
 *   taken by `await setup.receive()` or is not wanted. An IN request that asks
 *   for data is stalled then: there is no answer.
 * - Throw {@linkcode Stall}, or return {@linkcode unhandled}, to stall it.
 * - Any other error stalls it too, and is reported: to `onError` of the
 *   function, or as an `"error"` event; it is printed if no program code gets
 *   it.
 *
 * A handler may take its time: events and transfers go on meanwhile. Hosts wait
 * for some seconds; `setup.signal` tells when one has given up.
 */
export type ControlHandler = (
  setup: SetupRequest,
) => ControlAnswer | Promise<ControlAnswer>;

/** Gets what a control handler has thrown. */
export type ControlErrorHandler = (
  error: unknown,
  setup: SetupRequest,
) => void;

/** Gets each control request when it is over, and what became of it. */
export type ControlObserver = (
  setup: SetupPacket,
  outcome: ControlOutcome,
) => void;
