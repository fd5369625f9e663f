/**
 * Class requests of printers (Printing Devices 1.1, 4.2).
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  NUMBER,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "../../usb/control_routes.ts";

/** Values of `bRequest` of printer class requests. */
export const PrinterRequest = {
  GET_DEVICE_ID: 0,
  GET_PORT_STATUS: 1,
  SOFT_RESET: 2,
} as const;

/** The state of a printer. */
export interface PrinterStatus {
  /** Whether the paper is used up. @default {false} */
  readonly paperEmpty?: boolean;
  /** Whether the printer is on line. @default {true} */
  readonly selected?: boolean;
  /** Whether something is wrong. @default {false} */
  readonly error?: boolean;
}

/** What a printer function does with class requests. */
export interface PrinterRequestOptions {
  /**
   * The interface that they are for, counted within the function.
   *
   * @default {undefined} All.
   */
  readonly interface?: number;
  /** The IEEE 1284 device ID, such as `"MFG:Example;MDL:One;CMD:PCL;CLS:PRINTER;"`. */
  readonly deviceId: string;
  /**
   * GET_PORT_STATUS: the state of the printer.
   *
   * @default {() => ({})} Ready.
   */
  readonly portStatus?: () => PrinterStatus | Promise<PrinterStatus>;
  /**
   * SOFT_RESET: forgets all data that was not printed yet. Linux sends it to
   * the recipient "other", which takes `allControlRecipients`.
   *
   * @default {undefined} It is stalled.
   */
  readonly reset?: () => void | Promise<void>;
}

const OPTIONS: Rules<PrinterRequestOptions> = {
  interface: NUMBER,
  deviceId: TEXT,
  portStatus: CALLBACK,
  reset: CALLBACK,
};

/**
 * Routes of the printer class requests.
 *
 * GET_DEVICE_ID carries the interface in the high byte of `wIndex`, where
 * FunctionFS does not look: it only arrives if the printer is interface 0 of
 * its configuration.
 *
 * @param options What to do with them.
 * @returns Routes for {@linkcode controlRoutes}.
 * @throws {TypeError} When an option is of another type.
 * @throws {RangeError} When the device ID has characters that are not ASCII,
 * or more than 4094 of them.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, controlRoutes, usbFunction } from "@usb/gadget";
 * import { printerRequests } from "@usb/gadget/printer";
 *
 * const printer = usbFunction({
 *   name: "printer",
 *   interfaces: [{
 *     class: 0x07,
 *     subclass: 1,
 *     protocol: 2,
 *     endpoints: { paper: bulkPair() },
 *   }],
 *   control: controlRoutes(printerRequests({
 *     deviceId: "MFG:Example;MDL:One;CMD:TXT;CLS:PRINTER;",
 *   })),
 * });
 * ```
 */
export function printerRequests(
  options: PrinterRequestOptions,
): ControlRoute[] {
  checkOptions("answer printer requests", options, OPTIONS, ["deviceId"]);
  const { portStatus = READY, reset } = options;
  const deviceId = encodeDeviceId(options.deviceId);
  const softReset = () => acknowledge(reset);
  const route = classRoute.bind(undefined, options.interface);
  return [
    // FunctionFS has put the alternate setting, 0, in place of the interface.
    classRoute(undefined, "in", PrinterRequest.GET_DEVICE_ID, () => deviceId),
    route("in", PrinterRequest.GET_PORT_STATUS, async () => {
      const { paperEmpty = false, selected = true, error = false } =
        await portStatus();
      return Uint8Array.of(
        (paperEmpty ? 0x20 : 0) | (selected ? 0x10 : 0) | (error ? 0 : 0x08),
      );
    }),
    route("out", PrinterRequest.SOFT_RESET, softReset),
    {
      type: "class",
      recipient: "other",
      direction: "out",
      request: PrinterRequest.SOFT_RESET,
      handler: softReset,
    },
  ];
}

const READY = (): PrinterStatus => ({});

/** A big-endian length, which counts itself, and ASCII. */
function encodeDeviceId(text: string): Uint8Array {
  const length = text.length + 2;
  // deno-lint-ignore no-control-regex -- ASCII is all of it
  if (!/^[\x00-\x7f]*$/.test(text) || length > 4096) {
    throw new RangeError(
      `Cannot use device ID "${text}": give at most 4094 ASCII characters`,
    );
  }
  return Uint8Array.of(
    length >> 8,
    length,
    ...new TextEncoder().encode(text),
  );
}
