/**
 * Test and measurement devices: USBTMC with USB488, and SCPI.
 *
 * {@linkcode Instrument} has a table of commands; {@linkcode Usbtmc} has messages of
 * any kind. Both are functions of a gadget that serve themselves.
 *
 * @example A voltage source
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { Instrument } from "@usb/gadget/usbtmc";
 *
 * let volts = 0;
 * const supply = new Instrument({
 *   identity: "Example,Voltage source,1,0.1",
 *   commands: {
 *     "[SOURce]:VOLTage": (call) => {
 *       volts = call.number({ min: 0, max: 30 });
 *     },
 *     "[SOURce]:VOLTage?": () => volts,
 *   },
 * });
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   serialNumber: "1",
 *   functions: [supply],
 * });
 * ```
 *
 * @module
 */
export { Usbtmc } from "./function.ts";
export type {
  RemoteState,
  UsbtmcDeviceOptions,
  UsbtmcOptions,
} from "./options.ts";
export type { UsbtmcMessage } from "./transport/message.ts";
export type { UsbtmcResponse } from "./transport/response.ts";

// SCPI
export { Instrument, type InstrumentOptions } from "./instrument.ts";
export { ScpiError } from "./scpi/error.ts";
export type { ScpiAnswer, ScpiValue } from "./scpi/answer.ts";
export type { ScpiCall, ScpiRange } from "./scpi/call.ts";
export type { ScpiHandler } from "./scpi/interpreter.ts";
