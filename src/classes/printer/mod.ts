/**
 * Printers.
 *
 * {@linkcode Printer} is a function of a gadget that serves itself: each job of a
 * host is a stream. {@linkcode printerRequests} are the class requests alone.
 *
 * @example Each job becomes a file
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { Printer } from "@usb/gadget/printer";
 *
 * const printer = new Printer({
 *   manufacturer: "Example",
 *   model: "Archive",
 *   print: ({ id, readable }) => Deno.writeFile(`${id}.prn`, readable),
 * });
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   serialNumber: "1",
 *   functions: [printer],
 * });
 * ```
 *
 * @example The requests of a printer of another kind
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
// Devices
export { Printer } from "./function.ts";
export type { PrinterOptions } from "./options.ts";
export { PrinterResetError, type PrintJob } from "./job.ts";
export { endMark, type JobEndFinder } from "./end_mark.ts";

// Requests
export * from "./requests.ts";
