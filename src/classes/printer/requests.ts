/**
 * Class requests of printers (Printing Devices 1.1, 4.2).
 *
 * @module
 */
import type { ControlRoute } from "../../usb/control_routes.ts";
import { acknowledge, classRoutes } from "../class_routes.ts";
import { encodeDeviceId } from "./device_id.ts";

/**
 * Values of `bRequest` of printer class requests.
 *
 * @category Requests
 */
export const PrinterRequest = {
  GET_DEVICE_ID: 0,
  GET_PORT_STATUS: 1,
  SOFT_RESET: 2,
} as const;

/**
 * The state of a printer.
 *
 * @category Requests
 */
export interface PrinterStatus {
  /** Whether the printer is out of paper. @default {false} */
  readonly paperEmpty?: boolean;
  /** Whether the printer is online. @default {true} */
  readonly selected?: boolean;
  /** Whether an error has occurred. @default {false} */
  readonly error?: boolean;
}

/**
 * Options of {@linkcode printerRequests}.
 *
 * @category Requests
 */
export interface PrinterRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /** The IEEE 1284 device ID, such as `"MFG:Example;MDL:One;CMD:PCL;CLS:PRINTER;"`. */
  readonly deviceId: string;
  /** GET_PORT_STATUS: returns the state of the printer. Without it, the printer is ready. */
  readonly portStatus?: () => PrinterStatus | Promise<PrinterStatus>;
  /**
   * SOFT_RESET: drops all data that is not printed yet. Linux sends it to the
   * recipient "other", which requires `allControlRecipients`. Without this
   * callback, the request is stalled.
   */
  readonly reset?: () => void | Promise<void>;
}

/**
 * Routes of the printer class requests, for {@linkcode controlRoutes}.
 *
 * GET_DEVICE_ID carries the interface in the high byte of `wIndex`, which
 * FunctionFS ignores: it only arrives if the printer is interface 0 of its
 * configuration.
 *
 * @throws {RangeError} When the device ID is not ASCII or longer than 4094
 * characters.
 *
 * @category Requests
 */
export function printerRequests(
  options: PrinterRequestOptions,
): ControlRoute[] {
  const route = classRoutes("printer requests", options, {
    deviceId: "string",
    portStatus: "function",
    reset: "function",
  }, ["deviceId"]);
  const { portStatus = (): PrinterStatus => ({}), reset } = options;
  const deviceId = encodeDeviceId(options.deviceId);
  const softReset = route(
    "out",
    PrinterRequest.SOFT_RESET,
    () => acknowledge(reset),
  );
  return [
    {
      ...route("in", PrinterRequest.GET_DEVICE_ID, () => deviceId),
      // FunctionFS replaces the interface by the alternate setting, 0.
      index: undefined,
    },
    route("in", PrinterRequest.GET_PORT_STATUS, async () => {
      const { paperEmpty = false, selected = true, error = false } =
        await portStatus();
      return Uint8Array.of(
        (paperEmpty ? 0x20 : 0) | (selected ? 0x10 : 0) | (error ? 0 : 0x08),
      );
    }),
    softReset,
    { ...softReset, recipient: "other", index: undefined },
  ];
}
