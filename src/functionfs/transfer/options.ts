/**
 * The options that calls on endpoints share.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
} from "../../arguments/rules.ts";

/**
 * How to wait for an endpoint.
 * @category Endpoints
 */
export interface EndpointOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * How a transfer is made.
 * @category Endpoints
 */
export interface TransferOptions extends EndpointOptions {
  /**
   * What happens to the transfer when the host disables the endpoint before it
   * is done: by a reset, by SET_CONFIGURATION or SET_INTERFACE (of any
   * interface of the function), or because the cable is unplugged.
   *
   * - `"resume"`: it continues when the endpoint is enabled again. Unfinished
   *   kernel requests are then repeated from their start: the kernel does not
   *   report how much of them was sent or received.
   * - `"end"`: it fails with ESHUTDOWN.
   *
   * Either way, a transfer started while no host is connected waits for one.
   * @default {"resume"}
   */
  readonly reconnect?: "resume" | "end";
}

/** What happens to a transfer or a stream when its connection ends. */
export const RECONNECT = oneOf("resume", "end");

const ENDPOINT_RULES: Rules<EndpointOptions> = { signal: SIGNAL };
const TRANSFER_RULES: Rules<TransferOptions> = {
  signal: SIGNAL,
  reconnect: RECONNECT,
};

/** Checks options that contain only a signal; throws TypeError. */
export function checkSignal(action: string, options: EndpointOptions): void {
  checkOptions(action, options, ENDPOINT_RULES);
}

/** Checks the options of a transfer, fast; throws TypeError. */
export function checkTransferOptions(
  action: string,
  name: string,
  options: TransferOptions,
): void {
  if (typeof options === "object" && options !== null) {
    const { signal, reconnect } = options;
    let known = true;
    for (const key in options) known &&= key in TRANSFER_RULES;
    if (
      known &&
      (signal === undefined || signal instanceof AbortSignal) &&
      (reconnect === undefined || RECONNECT.accepts(reconnect))
    ) return;
  }
  checkOptions(`${action} endpoint "${name}"`, options, TRANSFER_RULES);
}

/** Checks how many transfers may be in flight at once. */
export function assertDepth(depth: number, action: string): void {
  checkArgument(action, '"depth"', depth, NUMBER);
  if (Number.isInteger(depth) && depth >= 1) return;
  throw new RangeError(
    `Cannot ${action}: the depth must be a positive integer, is ${depth}`,
  );
}
