/**
 * Class requests of mass storage (Bulk-Only Transport 1.0, 3).
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  NUMBER,
  type Rules,
} from "../arguments/rules.ts";
import { unhandled } from "./control.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "./control_routes.ts";

/** Values of `bRequest` of mass storage class requests. */
export const MassStorageRequest = {
  GET_MAX_LUN: 0xfe,
  BULK_ONLY_RESET: 0xff,
} as const;

/** What a mass storage function does with class requests. */
export interface MassStorageRequestOptions {
  /**
   * The interface that they are for, counted within the function.
   *
   * @default {undefined} All.
   */
  readonly interface?: number;
  /**
   * The number of the last logical unit, 0 to 15.
   *
   * @default {0} One unit.
   */
  readonly maxLun?: number;
  /**
   * BULK_ONLY_RESET: makes the function ready for the next command. The host
   * waits for it, and clears the halts of both endpoints then.
   */
  readonly reset: () => void | Promise<void>;
}

const OPTIONS: Rules<MassStorageRequestOptions> = {
  interface: NUMBER,
  maxLun: NUMBER,
  reset: CALLBACK,
};

/**
 * Routes of the mass storage class requests.
 *
 * @param options What to do with them.
 * @returns Routes for {@linkcode controlRoutes}.
 * @throws {TypeError} When an option is of another type.
 * @throws {RangeError} When there cannot be as many logical units.
 *
 * @example Usage
 * ```ts
 * import {
 *   bulkPair,
 *   controlRoutes,
 *   massStorageRequests,
 *   usbFunction,
 * } from "@usb/gadget";
 *
 * let expectsCommand = true;
 * const disk = usbFunction({
 *   name: "disk",
 *   interfaces: [{
 *     class: 0x08,
 *     subclass: 6,
 *     protocol: 0x50,
 *     endpoints: { link: bulkPair() },
 *   }],
 *   control: controlRoutes(massStorageRequests({
 *     reset: () => {
 *       expectsCommand = true;
 *     },
 *   })),
 * });
 * ```
 */
export function massStorageRequests(
  options: MassStorageRequestOptions,
): ControlRoute[] {
  checkOptions("answer mass storage requests", options, OPTIONS, ["reset"]);
  const { maxLun = 0, reset } = options;
  if (!Number.isInteger(maxLun) || maxLun < 0 || maxLun > 15) {
    throw new RangeError(
      `Cannot have logical units up to "${maxLun}": the last one is 0 to 15`,
    );
  }
  const route = classRoute.bind(undefined, options.interface);
  return [
    route("in", MassStorageRequest.GET_MAX_LUN, ({ value, length }) =>
      // The specification asks for a stall of anything else.
      value === 0 && length === 1 ? Uint8Array.of(maxLun) : unhandled),
    route(
      "out",
      MassStorageRequest.BULK_ONLY_RESET,
      ({ value, length }) =>
        value === 0 && length === 0 ? acknowledge(reset) : unhandled,
    ),
  ];
}
