/**
 * What endpoints are made from, and what their calls may be told.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import {
  checkArgument,
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
} from "../../arguments/rules.ts";
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { Lifecycle } from "../lifecycle.ts";

/** What an endpoint is made from. */
export interface EndpointResources {
  /** Open file of the endpoint, O_RDWR and O_NONBLOCK. */
  readonly fd: number;
  /** What transfers are made on: that file, or the one of its pair. */
  readonly transferFd: number;
  /** Where that file lies. */
  readonly path: string;
  readonly aio: AioContext;
  readonly lifecycle: Lifecycle;
  readonly compiled: CompiledEndpoint;
}

/** How to wait for something that an endpoint does. */
export interface EndpointOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** How a transfer is run. */
export interface TransferOptions extends EndpointOptions {
  /**
   * What becomes of the transfer when the host disables the endpoint before it
   * is done: by a reset, by SET_CONFIGURATION or SET_INTERFACE (of any
   * interface of the function), or because the cable is unplugged.
   *
   * - `"resume"`: it goes on when the endpoint is enabled again. What has not
   *   been told as done is then sent or received again: the kernel does not
   *   say how much of an unfinished request was.
   * - `"end"`: it fails with ESHUTDOWN.
   *
   * A transfer that is called while no host is there waits for one either way.
   * @default {"resume"}
   */
  readonly reconnect?: "resume" | "end";
}

/** What becomes of a transfer or a stream when its connection ends. */
export const RECONNECT = oneOf("resume", "end");

const SIGNAL_ONLY: Rules<EndpointOptions> = { signal: SIGNAL };
const TRANSFER: Rules<TransferOptions> = {
  signal: SIGNAL,
  reconnect: RECONNECT,
};

/**
 * Checks options that have nothing but a signal.
 *
 * @throws {TypeError} If they are none.
 */
export function checkSignal(action: string, options: EndpointOptions): void {
  checkOptions(action, options, SIGNAL_ONLY);
}

/**
 * Checks the options of a transfer, in as little time as it can take.
 *
 * @throws {TypeError} If they are none.
 */
export function checkTransferOptions(
  action: string,
  name: string,
  options: TransferOptions,
): void {
  if (typeof options === "object" && options !== null) {
    const { signal, reconnect } = options;
    let known = true;
    for (const key in options) known &&= key in TRANSFER;
    if (
      known &&
      (signal === undefined || signal instanceof AbortSignal) &&
      (reconnect === undefined || RECONNECT.accepts(reconnect))
    ) return;
  }
  checkOptions(`${action} endpoint "${name}"`, options, TRANSFER);
}

/**
 * Checks how many transfers may be under way at once.
 *
 * @throws {TypeError} If that is no number.
 * @throws {RangeError} If it is no positive integer.
 */
export function assertDepth(depth: number, action: string): void {
  checkArgument(action, '"depth"', depth, NUMBER);
  if (Number.isInteger(depth) && depth >= 1) return;
  throw new RangeError(
    `Cannot ${action}: the depth must be a positive integer, is ${depth}`,
  );
}
