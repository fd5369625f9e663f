/**
 * Class requests of smart card readers (CCID 1.1, 5.3).
 *
 * @module
 */
import { unhandled } from "../../usb/control.ts";
import type { ControlRoute } from "../../usb/control_routes.ts";
import { acknowledge, classRoutes } from "../class_routes.ts";

/**
 * Values of `bRequest` of CCID class requests.
 *
 * @category Requests
 */
export const CcidRequest = {
  ABORT: 1,
  GET_CLOCK_FREQUENCIES: 2,
  GET_DATA_RATES: 3,
} as const;

/**
 * Options of {@linkcode ccidRequests}. A request without a callback is stalled.
 *
 * @category Requests
 */
export interface CcidRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /**
   * ABORT: ends the command under way in a slot. The host also sends
   * PC_to_RDR_Abort, with the same sequence number: before this, or after it.
   */
  readonly abort: (slot: number, seq: number) => void | Promise<void>;
  /** GET_CLOCK_FREQUENCIES: as many as `clocksSupported` says, in kHz. */
  readonly getClockFrequencies?: () => Iterable<number>;
  /** GET_DATA_RATES: as many as `dataRatesSupported` says, in bit/s. */
  readonly getDataRates?: () => Iterable<number>;
}

/**
 * Routes of the CCID class requests, for {@linkcode controlRoutes}.
 * {@linkcode CardReader} has them.
 *
 * @example
 * ```ts
 * import { controlRoutes } from "@usb/gadget";
 * import { ccidRequests } from "@usb/gadget/ccid";
 *
 * const control = controlRoutes(ccidRequests({
 *   abort(slot, seq) {
 *     console.log("The host aborts in slot", slot, "by message", seq);
 *   },
 *   getClockFrequencies: () => [4000],
 * }));
 * ```
 *
 * @category Requests
 */
export function ccidRequests(options: CcidRequestOptions): ControlRoute[] {
  const route = classRoutes("CCID requests", options, {
    abort: "function",
    getClockFrequencies: "function",
    getDataRates: "function",
  }, ["abort"]);
  const { abort, getClockFrequencies, getDataRates } = options;
  const list = (get: (() => Iterable<number>) | undefined) =>
    get === undefined ? unhandled : encodeWords([...get()]);
  return [
    route(
      "out",
      CcidRequest.ABORT,
      ({ value }) => acknowledge(() => abort(value & 0xff, value >> 8)),
    ),
    route(
      "in",
      CcidRequest.GET_CLOCK_FREQUENCIES,
      () => list(getClockFrequencies),
    ),
    route("in", CcidRequest.GET_DATA_RATES, () => list(getDataRates)),
  ];
}

function encodeWords(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, index) => view.setUint32(4 * index, value, true));
  return new Uint8Array(view.buffer);
}
