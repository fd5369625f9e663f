/**
 * USB devices in TypeScript: a program on Deno becomes a USB device on Linux,
 * over FunctionFS and configfs, with `--allow-ffi` as its only permission.
 *
 * A device consists of functions, a function of interfaces, and an interface
 * of endpoints. {@linkcode usbFunction} declares a function and checks the
 * declaration; {@linkcode Gadget.start} makes the device and attaches it to a
 * device controller. Endpoints come back under the names of the declaration,
 * as web streams and with `read` and `write` for single transfers.
 *
 * @example A device that sends back what its host sends
 * ```ts ignore
 * import { bulkPair, Gadget, unhandled, usbFunction } from "@usb/gadget";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{
 *     class: 0xff,
 *     description: "Echo",
 *     endpoints: { link: bulkPair() },
 *   }],
 *   // Answers control requests: 8 bytes to vendor request 1.
 *   control: ({ request }) =>
 *     request === 1 ? new Uint8Array(8) : unhandled,
 * });
 *
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   manufacturer: "Example",
 *   product: "Echo",
 *   serialNumber: "1",
 *   functions: [echo],
 * });
 *
 * const { link } = gadget.functions.echo.endpoints; // typed
 * await link.readable.pipeTo(link.writable);
 * ```
 *
 * @module
 */
export * from "./src/usb/mod.ts";
export * from "./src/descriptors/mod.ts";
export * from "./src/functionfs/mod.ts";
export * from "./src/gadget/mod.ts";
export { SystemError, type SystemErrorFields } from "./ffi/errno.ts";
