/**
 * The fields of an endpoint descriptor.
 *
 * @module
 */

/**
 * The direction of a transfer as the host sees it: `"in"` goes to the host, `"out"` comes from it.
 *
 * @category USB vocabulary
 */
export type Direction = "in" | "out";

/**
 * The transfer types that a function's endpoint can have. Control transfers belong to endpoint 0.
 *
 * @category USB vocabulary
 */
export type TransferType = "bulk" | "interrupt" | "isochronous";

/**
 * How an isochronous endpoint is synchronized (USB 2.0 section 5.12.4.1).
 *
 * @category USB vocabulary
 */
export type Synchronization =
  | "none"
  | "asynchronous"
  | "adaptive"
  | "synchronous";

/**
 * The purpose of an endpoint: `"data"`, `"feedback"` and `"implicit-feedback"` for isochronous endpoints
 * (USB 2.0 section 9.6.6), `"periodic"` and `"notification"` for interrupt endpoints (USB 3.2 section 9.6.6).
 *
 * @category USB vocabulary
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

/** Returns the direction in `bEndpointAddress`. */
export function addressDirection(address: number): Direction {
  return address & USB_DIR_IN ? "in" : "out";
}

/** Returns the transfer type in `bmAttributes`. */
export function attributesTransferType(
  attributes: number,
): TransferType | "control" {
  return (["control", "isochronous", "bulk", "interrupt"] as const)[
    attributes & 3
  ];
}
