/**
 * Setup packets: the eight bytes that start a control transfer.
 *
 * ```text
 * 0 u8  bmRequestType  bit 7 direction, bits 6 and 5 type, bits 4 to 0 recipient
 * 1 u8  bRequest
 * 2 u16 wValue
 * 4 u16 wIndex
 * 6 u16 wLength
 * ```
 *
 * @module
 */

import { checkBytes } from "../arguments/bytes.ts";
import {
  checkInteger,
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
} from "../arguments/rules.ts";
import { type Direction, USB_DIR_IN } from "./endpoint_attributes.ts";

/**
 * Who defines a control request.
 *
 * @category Control
 */
export type RequestType = "standard" | "class" | "vendor" | "reserved";

/**
 * The recipient of a control request.
 *
 * @category Control
 */
export type RequestRecipient =
  | "device"
  | "interface"
  | "endpoint"
  | "other"
  | "reserved";

/**
 * A decoded control request.
 *
 * @category Control
 */
export interface SetupPacket {
  /** The direction of the data. A request without data can have either; hosts use `"out"`. */
  readonly direction: Direction;
  /** Who defines the request. */
  readonly type: RequestType;
  /** The recipient of the request. */
  readonly recipient: RequestRecipient;
  /** `bmRequestType`, which encodes direction, type and recipient. */
  readonly requestType: number;
  /** `bRequest`: the number of the request. */
  readonly request: number;
  /** `wValue`. */
  readonly value: number;
  /**
   * `wIndex`. FunctionFS replaces it for requests to an interface by the number of the interface within the function,
   * with a high byte of 0, and for requests to an endpoint by the number of the endpoint.
   */
  readonly index: number;
  /** `wLength`: bytes of data, at most 4096 for a function. */
  readonly length: number;
}

/**
 * The request that {@linkcode encodeSetup} encodes. A `requestType` overrides direction, type and recipient. Defaults
 * are a standard OUT request to the device, and 0 for all numbers.
 *
 * @category Inspect
 */
export type SetupFields =
  & Pick<SetupPacket, "request">
  & Partial<Omit<SetupPacket, "request">>;

const SETUP_PACKET_LENGTH = 8;
const RECIPIENT_MASK = 0x1f;

const TYPES: readonly RequestType[] = [
  "standard",
  "class",
  "vendor",
  "reserved",
];

const RECIPIENTS: readonly RequestRecipient[] = [
  "device",
  "interface",
  "endpoint",
  "other",
  "reserved",
];

/**
 * Decodes a setup packet.
 *
 * @param bytes At least 8 bytes. The rest is ignored, so a FunctionFS event can be passed directly.
 * @throws {TypeError} When `bytes` is not a `Uint8Array`.
 * @throws {RangeError} When there are fewer than 8 bytes.
 *
 * @example Usage
 * ```ts
 * import { decodeSetup } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const setup = decodeSetup(new Uint8Array([0xc1, 7, 0x34, 0x12, 1, 0, 64, 0]));
 * assertEquals(setup, {
 *   direction: "in",
 *   type: "vendor",
 *   recipient: "interface",
 *   requestType: 0xc1,
 *   request: 7,
 *   value: 0x1234,
 *   index: 1,
 *   length: 64,
 * });
 * ```
 *
 * @category Inspect
 */
export function decodeSetup(bytes: Uint8Array): SetupPacket {
  checkBytes("decode setup packet", "the data", bytes);
  if (bytes.length < SETUP_PACKET_LENGTH) {
    throw new RangeError(
      `Cannot decode setup packet: ${bytes.length} of ${SETUP_PACKET_LENGTH} bytes given`,
    );
  }
  const [requestType, request] = bytes;
  const recipient = requestType & RECIPIENT_MASK;
  return {
    direction: requestType & USB_DIR_IN ? "in" : "out",
    type: TYPES[requestType >> 5 & 3],
    recipient: RECIPIENTS[recipient] ?? "reserved",
    requestType,
    request,
    value: bytes[2] | bytes[3] << 8,
    index: bytes[4] | bytes[5] << 8,
    length: bytes[6] | bytes[7] << 8,
  };
}

/**
 * Encodes a setup packet. Accepts the result of {@linkcode decodeSetup}.
 *
 * @throws {TypeError} When a field has the wrong type, or a name is unknown.
 * @throws {RangeError} When a number does not fit into its field.
 *
 * @example Usage
 * ```ts
 * import { encodeSetup } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeSetup({
 *   direction: "in",
 *   type: "vendor",
 *   recipient: "interface",
 *   request: 7,
 *   length: 64,
 * });
 * assertEquals(bytes, new Uint8Array([0xc1, 7, 0, 0, 0, 0, 64, 0]));
 * ```
 *
 * @category Inspect
 */
export function encodeSetup(fields: SetupFields): Uint8Array<ArrayBuffer> {
  const action = "encode setup packet";
  checkOptions(action, fields, SETUP_FIELDS);
  const { request, value = 0, index = 0, length = 0 } = fields;
  const requestType = fields.requestType ?? encodeRequestType(fields);
  for (
    const [name, number, max] of [
      ["requestType", requestType, 0xff],
      ["request", request, 0xff],
      ["value", value, 0xffff],
      ["index", index, 0xffff],
      ["length", length, 0xffff],
    ] as const
  ) checkInteger(action, `"${name}"`, number, max);
  return Uint8Array.of(
    requestType,
    request,
    ...[value, index, length].flatMap((it) => [it & 0xff, it >> 8]),
  );
}

const SETUP_FIELDS: Rules<SetupFields> = {
  requestType: NUMBER,
  direction: oneOf("in", "out"),
  type: oneOf(...TYPES),
  recipient: oneOf(...RECIPIENTS),
  request: NUMBER,
  value: NUMBER,
  index: NUMBER,
  length: NUMBER,
};

function encodeRequestType(
  { direction = "out", type = "standard", recipient = "device" }: SetupFields,
): number {
  return (direction === "in" ? USB_DIR_IN : 0) | TYPES.indexOf(type) << 5 |
    RECIPIENTS.indexOf(recipient);
}
