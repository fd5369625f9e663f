/**
 * Smart card readers (CCID), whose cards are programs.
 *
 * {@linkcode CardReader} is a function of a gadget that serves itself. Its
 * {@linkcode CardSlot}s take {@linkcode SmartCard}s. {@linkcode ccidRequests} are the
 * class requests alone.
 *
 * @example A card that accepts every command
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { CardReader } from "@usb/gadget/ccid";
 *
 * const reader = new CardReader();
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   functions: [reader],
 * });
 * reader.slots[0].insert({ onApdu: () => Uint8Array.of(0x90, 0x00) });
 * ```
 *
 * @module
 */
// Devices
export { CardError, type CardErrorName } from "./card/card_error.ts";
export type { SmartCard } from "./card/smart_card.ts";
export { CardSlot } from "./card_slot.ts";
export { CardReader } from "./function.ts";
export type { CardReaderOptions } from "./options.ts";

// Requests
export * from "./requests.ts";
