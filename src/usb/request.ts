/**
 * Standard control requests, and any request in words.
 *
 * @module
 */
import { hex } from "../arguments/show.ts";
import type { SetupPacket } from "./setup_packet.ts";

/**
 * Values of `bRequest` of standard requests (USB 2.0 table 9-4, USB 3.2 table 9-5). The kernel answers most of them. A
 * function receives only GET_DESCRIPTOR to an interface, and those that `allControlRecipients` adds.
 *
 * @category USB vocabulary
 */
export const StandardRequest = {
  /** Reads the status of a recipient, 2 bytes. */
  GET_STATUS: 0x00,
  /** Clears a {@linkcode FeatureSelector | feature}. */
  CLEAR_FEATURE: 0x01,
  /** Sets a {@linkcode FeatureSelector | feature}. */
  SET_FEATURE: 0x03,
  /** Assigns the address of the device. */
  SET_ADDRESS: 0x05,
  /** Reads a descriptor: type in the high byte of `wValue`, index in the low one. */
  GET_DESCRIPTOR: 0x06,
  /** Writes a descriptor. */
  SET_DESCRIPTOR: 0x07,
  /** Reads the number of the current configuration, 1 byte. */
  GET_CONFIGURATION: 0x08,
  /** Selects a configuration. */
  SET_CONFIGURATION: 0x09,
  /** Reads the alternate setting of an interface, 1 byte. */
  GET_INTERFACE: 0x0a,
  /** Selects an alternate setting of an interface. */
  SET_INTERFACE: 0x0b,
  /** Reads the frame number of an isochronous endpoint, 2 bytes. */
  SYNCH_FRAME: 0x0c,
  /** Sets exit latencies, 6 bytes. Super speed. */
  SET_SEL: 0x30,
  /** Sets the isochronous delay in `wValue`. Super speed. */
  SET_ISOCH_DELAY: 0x31,
} as const;

/** One of the values of {@linkcode StandardRequest}. */
export type StandardRequest =
  (typeof StandardRequest)[keyof typeof StandardRequest];

/**
 * Values of `wValue` of SET_FEATURE and CLEAR_FEATURE (USB 2.0 table 9-6, USB 3.2 table 9-7). The meaning depends on
 * the recipient: 0 is a halt for endpoints and a suspend for interfaces.
 *
 * @category USB vocabulary
 */
export const FeatureSelector = {
  /** Halts an endpoint. */
  ENDPOINT_HALT: 0,
  /** Suspends a function of a super-speed device; the recipient is its first interface. */
  FUNCTION_SUSPEND: 0,
  /** Lets the device wake the host. */
  DEVICE_REMOTE_WAKEUP: 1,
  /** Puts a high-speed device into a test mode. */
  TEST_MODE: 2,
  /** Lets the device become the host (OTG). */
  B_HNP_ENABLE: 3,
  /** Says that the host supports role switching (OTG). */
  A_HNP_SUPPORT: 4,
  /** Says that another port supports role switching (OTG). */
  A_ALT_HNP_SUPPORT: 5,
  /** Lets the device enter U1. Super speed. */
  U1_ENABLE: 48,
  /** Lets the device enter U2. Super speed. */
  U2_ENABLE: 49,
  /** Lets the device send latency tolerance messages. Super speed. */
  LTM_ENABLE: 50,
} as const;

/** One of the values of {@linkcode FeatureSelector}. */
export type FeatureSelector =
  (typeof FeatureSelector)[keyof typeof FeatureSelector];

const STANDARD_NAMES = new Map<number, string>(
  Object.entries(StandardRequest).map(([name, value]) => [value, name]),
);

/**
 * Describes a request: `IN vendor request 0x10 to interface 0 (value 0x0000,
 * length 4)`.
 */
export function describeRequest(setup: SetupPacket): string {
  const { direction, type, recipient, request, value, index, length } = setup;
  const number = hex(request, 2);
  const name = type === "standard" ? STANDARD_NAMES.get(request) : undefined;
  const numbered = recipient === "interface" || recipient === "endpoint";
  const fields = [
    `value ${hex(value, 4)}`,
    ...(numbered ? [] : [`index ${hex(index, 4)}`]),
    `length ${length}`,
  ];
  return [
    direction === "in" ? "IN" : "OUT",
    type,
    "request",
    name === undefined ? number : `${name} (${number})`,
    "to",
    numbered ? `${recipient} ${index}` : `recipient "${recipient}"`,
    `(${fields.join(", ")})`,
  ].join(" ");
}
