/**
 * Gadgets: USB devices made of functions.
 *
 * @module
 */
export { Gadget, type GadgetFunctions, type GadgetOptions } from "./gadget.ts";
export type { GadgetDefinition, GadgetSpeed } from "./gadget_definition.ts";
export { listUdcs, type Udc, type UdcState } from "./udc.ts";
