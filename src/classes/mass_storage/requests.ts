/**
 * Class requests of mass storage (Bulk-Only Transport 1.0, 3).
 *
 * @module
 */
import { unhandled } from "../../usb/control.ts";
import type { ControlRoute } from "../../usb/control_routes.ts";
import { acknowledge, classRoutes } from "../class_routes.ts";

/**
 * Values of `bRequest` of mass storage class requests.
 *
 * @category Requests
 */
export const MassStorageRequest = {
  GET_MAX_LUN: 0xfe,
  BULK_ONLY_RESET: 0xff,
} as const;

/**
 * Options of {@linkcode massStorageRequests}.
 *
 * @category Requests
 */
export interface MassStorageRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /**
   * The number of the last logical unit, 0 to 15.
   *
   * @default {0}
   */
  readonly maxLun?: number;
  /**
   * BULK_ONLY_RESET: makes the function ready for the next command. It has to
   * end the current command, even in the middle of its data: the host fetches
   * neither the rest of the data nor the status. The host waits for the reset,
   * and then clears the halts of both endpoints (reset recovery, Bulk-Only
   * Transport 1.0, 5.3.4).
   */
  readonly reset: () => void | Promise<void>;
}

/**
 * Routes of the mass storage class requests, for {@linkcode controlRoutes}.
 * {@linkcode MassStorage} has them.
 *
 * @example A reset that ends the current command, whatever it waits for
 * ```ts
 * import {
 *   AbortedTransferError,
 *   bulkPair,
 *   controlRoutes,
 *   type EndpointPair,
 *   usbFunction,
 * } from "@usb/gadget";
 * import { massStorageRequests } from "@usb/gadget/mass-storage";
 *
 * let current: EndpointPair | undefined;
 *
 * const disk = usbFunction({
 *   name: "disk",
 *   interfaces: [{
 *     class: 0x08,
 *     subclass: 6,
 *     protocol: 0x50,
 *     endpoints: { link: bulkPair() },
 *   }],
 *   control: controlRoutes(massStorageRequests({
 *     async reset() {
 *       await current?.discard(); // the host will not fetch data and status
 *       // Then flush() both endpoints, for what is in the controller's FIFOs.
 *     },
 *   })),
 *   async serve({ endpoints: { link } }) {
 *     current = link;
 *     for (;;) {
 *       try {
 *         await execute(link, await link.read(1024));
 *       } catch (error) {
 *         // A reset: on to the next command.
 *         if (!(error instanceof AbortedTransferError)) throw error;
 *       }
 *     }
 *   },
 * });
 *
 * async function execute(link: EndpointPair, cbw: Uint8Array) {
 *   // Data from or to the host, then the status:
 *   await link.write(new Uint8Array(13));
 * }
 * ```
 *
 * @throws {RangeError} When `maxLun` is not an integer from 0 to 15.
 *
 * @category Requests
 */
export function massStorageRequests(
  options: MassStorageRequestOptions,
): ControlRoute[] {
  const route = classRoutes("mass storage requests", options, {
    maxLun: "number",
    reset: "function",
  }, ["reset"]);
  const { maxLun = 0, reset } = options;
  if (!Number.isInteger(maxLun) || maxLun < 0 || maxLun > 15) {
    throw new RangeError(
      `Cannot have logical units up to "${maxLun}": the last one is 0 to 15`,
    );
  }
  // The specification requires a stall for any other value or length.
  return [
    route(
      "in",
      MassStorageRequest.GET_MAX_LUN,
      ({ value, length }) =>
        value === 0 && length === 1 ? Uint8Array.of(maxLun) : unhandled,
    ),
    route(
      "out",
      MassStorageRequest.BULK_ONLY_RESET,
      ({ value, length }) =>
        value === 0 && length === 0 ? acknowledge(reset) : unhandled,
    ),
  ];
}
