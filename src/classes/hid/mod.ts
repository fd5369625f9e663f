/**
 * Human interface devices: keyboards, mice, game controllers.
 *
 * @example A keyboard that reports its state and takes its LEDs
 * ```ts
 * import { controlRoutes, hid, usbFunction } from "@usb/gadget";
 * import { hidRequests } from "@usb/gadget/hid";
 *
 * const report = new Uint8Array([0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0]);
 * const keys = new Uint8Array(8);
 * const keyboard = usbFunction({
 *   name: "keyboard",
 *   interfaces: [{ class: 0x03, descriptors: [hid({ report })] }],
 *   control: controlRoutes(hidRequests({
 *     getReport: () => keys,
 *     setReport: (_, [leds]) => console.log("caps lock:", (leds & 2) !== 0),
 *   })),
 * });
 * ```
 *
 * @module
 */
export * from "./requests.ts";
