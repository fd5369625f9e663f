/**
 * What a trace reports.
 *
 * @module
 */
import type { ControlOutcome } from "../../usb/control.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";
import type { SetupPacket } from "../../usb/setup_packet.ts";
import type { LifeEvent } from "../events.ts";

/**
 * Something that a traced function has done, or that has happened to it.
 *
 * Records arrive when something is over, in the order of their ends. Bytes in
 * them are valid during the call only: copy what you keep.
 *
 * @category Trace
 */
export type TraceRecord = ControlTrace | TransferTrace | EventTrace;

/**
 * A control request with its answer.
 *
 * @category Trace
 */
export interface ControlTrace {
  /** Discriminates the records. */
  readonly type: "control";
  /** The name of the function. */
  readonly function: string;
  /** When it began: milliseconds, as of `performance.now()`. */
  readonly time: number;
  /** Milliseconds until it was answered, stalled or cancelled. */
  readonly duration: number;
  /** What the host has asked for. */
  readonly setup: SetupPacket;
  /** How it ended. */
  readonly outcome: ControlOutcome;
  /** The data of either direction; empty without data. */
  readonly data: Uint8Array;
}

/**
 * A request of an endpoint to the kernel. `read()` and `write()` make one of
 * each transfer, or several of one that is larger than the kernel takes at once.
 *
 * @category Trace
 */
export interface TransferTrace {
  /** Discriminates the records. */
  readonly type: "transfer";
  /** The name of the function. */
  readonly function: string;
  /** When the kernel got it: milliseconds, as of `performance.now()`. */
  readonly time: number;
  /** Milliseconds until the kernel had completed it. */
  readonly duration: number;
  /** The name of the endpoint in the definition. */
  readonly endpoint: string;
  /** `"in"` to the host, `"out"` from it. */
  readonly direction: Direction;
  /** Bytes that were to be sent, or that had room. */
  readonly requested: number;
  /** What was transferred. */
  readonly data: Uint8Array;
  /**
   * Why it failed, if it did: an error number of Linux, such as 108 (ESHUTDOWN)
   * at the end of a session, or 125 (ECANCELED) if it was withdrawn.
   */
  readonly errno?: number;
}

/**
 * A change in the life of a function.
 *
 * @category Trace
 */
export interface EventTrace {
  /** Discriminates the records. */
  readonly type: "event";
  /** The name of the function. */
  readonly function: string;
  /** When the program learned of it: milliseconds, as of `performance.now()`. */
  readonly time: number;
  /** What has happened; see {@linkcode LifeEvent}. */
  readonly event: LifeEvent["type"];
}
