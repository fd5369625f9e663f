/**
 * Printers.
 *
 * @example A printer with a device ID
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
 *
 * @module
 */
export * from "./requests.ts";
