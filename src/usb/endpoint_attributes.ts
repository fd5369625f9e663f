/**
 * What the fields of an endpoint descriptor mean.
 *
 * @module
 */

/** The direction of a transfer as the host sees it: `"in"` goes to the host, `"out"` comes from it. */
export type Direction = "in" | "out";

/** The transfer types that a function's endpoint can have. Control transfers belong to endpoint 0. */
export type TransferType = "bulk" | "interrupt" | "isochronous";

/** How an isochronous endpoint keeps time (USB 2.0 section 5.12.4.1). */
export type Synchronization =
  | "none"
  | "asynchronous"
  | "adaptive"
  | "synchronous";

/**
 * What an endpoint is used for: `"data"`, `"feedback"` and `"implicit-feedback"` for isochronous endpoints
 * (USB 2.0 section 9.6.6), `"periodic"` and `"notification"` for interrupt endpoints (USB 3.2 section 9.6.6).
 */
export type EndpointUsage =
  | "data"
  | "feedback"
  | "implicit-feedback"
  | "periodic"
  | "notification";

/** Bit 7 of `bEndpointAddress` and of `bmRequestType`: set when data goes to the host. */
export const USB_DIR_IN = 0x80;

/** Bits 3 to 0 of `bEndpointAddress`: the endpoint number. */
export const USB_ENDPOINT_NUMBER_MASK = 0x0f;

/** Bits 10 to 0 of `wMaxPacketSize`: the packet size in bytes. */
export const USB_ENDPOINT_MAXP_MASK = 0x07ff;

/** Bits 12 and 11 of `wMaxPacketSize`: additional transactions in a microframe, at high speed. */
export const USB_EP_MAXP_MULT_SHIFT = 11;

/** Bits 1 and 0 of `bmAttributes` of an endpoint: the transfer type. */
export const USB_ENDPOINT_XFERTYPE_MASK = 0x03;

/** Bits 1 and 0 of `bmAttributes` for each transfer type. */
export const TRANSFER_TYPE_BITS: Readonly<Record<TransferType, number>> = {
  isochronous: 1,
  bulk: 2,
  interrupt: 3,
};

/** Bits 3 and 2 of `bmAttributes` of an isochronous endpoint, by value. */
export const SYNCHRONIZATIONS: readonly Synchronization[] = [
  "none",
  "asynchronous",
  "adaptive",
  "synchronous",
];

/** Bits 5 and 4 of `bmAttributes` of an isochronous endpoint, by value. */
export const ISOCHRONOUS_USAGES: readonly EndpointUsage[] = [
  "data",
  "feedback",
  "implicit-feedback",
];

/** Bits 5 and 4 of `bmAttributes` of an interrupt endpoint, by value. */
export const INTERRUPT_USAGES: readonly EndpointUsage[] = [
  "periodic",
  "notification",
];

/**
 * The direction in an endpoint address.
 *
 * @param address The value of `bEndpointAddress`.
 * @returns `"in"` when bit 7 is set.
 */
export function addressDirection(address: number): Direction {
  return address & USB_DIR_IN ? "in" : "out";
}

/**
 * The transfer type in the attributes of an endpoint.
 *
 * @param attributes The value of `bmAttributes`.
 * @returns The transfer type, or `"control"`, which no endpoint of a function may have.
 */
export function attributesTransferType(
  attributes: number,
): TransferType | "control" {
  switch (attributes & USB_ENDPOINT_XFERTYPE_MASK) {
    case 1:
      return "isochronous";
    case 2:
      return "bulk";
    case 3:
      return "interrupt";
    default:
      return "control";
  }
}
