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
} from "../../arguments/rules.ts";
import { unhandled } from "../../usb/control.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "../../usb/control_routes.ts";

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
   * BULK_ONLY_RESET: makes the function ready for the next command. It has to
   * end the one that is served, in the middle of its data too: the host fetches
   * neither the rest of that nor the status. The host waits for it, and clears
   * the halts of both endpoints then (reset recovery, Bulk-Only Transport 1.0,
   * 5.3.4).
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
 * @example A reset that ends the command, whatever that waits for
 * ```ts
 * import { bulkPair, controlRoutes, type EndpointPair, usbFunction } from "@usb/gadget";
 * import { massStorageRequests } from "@usb/gadget/mass-storage";
 *
 * let command = new AbortController();
 * let ready = Promise.withResolvers<void>();
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
 *       ready = Promise.withResolvers();
 *       command.abort(); // its data and its status will not be fetched
 *       await ready.promise;
 *       // Then flush() both endpoints, for what is in the controller's FIFOs.
 *     },
 *   })),
 * });
 *
 * type Options = { signal: AbortSignal; reconnect: "end" };
 *
 * async function serve(
 *   link: EndpointPair,
 *   execute: (cbw: Uint8Array, options: Options) => Promise<void>,
 * ) {
 *   for (;;) {
 *     command = new AbortController();
 *     const { signal } = command;
 *     const options: Options = { signal, reconnect: "end" };
 *     try {
 *       // Into memory of its own: an aborted read leaves no request behind.
 *       const reading = link.out.read(new Uint8Array(1024), options);
 *       ready.resolve();
 *       await execute(await reading, options); // all transfers take them
 *     } catch (error) {
 *       // A reset, or a host that has left: on to the next command.
 *       const { code } = error as { code?: string };
 *       if (code !== "ECANCELED" && code !== "ESHUTDOWN") throw error;
 *     }
 *   }
 * }
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
