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
import { checkOptions, NUMBER, oneOf, type Rules } from "../arguments/rules.ts";
import { type Direction, USB_DIR_IN } from "./endpoint_attributes.ts";

/** Who defines a control request. */
export type RequestType = "standard" | "class" | "vendor" | "reserved";

/** Whom a control request is for. */
export type RequestRecipient =
  | "device"
  | "interface"
  | "endpoint"
  | "other"
  | "reserved";

/** A control request, decoded. */
export interface SetupPacket {
  /** Where the data goes: `"in"` to the host. Also set when there is no data. */
  readonly direction: Direction;
  /** Who defines the request. */
  readonly type: RequestType;
  /** Whom the request is for. */
  readonly recipient: RequestRecipient;
  /** `bmRequestType`, of which direction, type and recipient are parts. */
  readonly requestType: number;
  /** `bRequest`: which request it is. */
  readonly request: number;
  /** `wValue`. */
  readonly value: number;
  /**
   * `wIndex`. FunctionFS puts the number of the interface within the function here for requests to an interface, with
   * a high byte of 0, and the number of the endpoint for requests to an endpoint.
   */
  readonly index: number;
  /** `wLength`: bytes of data, at most 4096 for a function. */
  readonly length: number;
}

/** What {@linkcode encodeSetup} needs. `requestType`, or its three parts. */
export interface SetupFields {
  /** `bmRequestType`. It goes before direction, type and recipient. */
  readonly requestType?: number;
  /**
   * Where the data goes.
   *
   * @default {"out"}
   */
  readonly direction?: Direction;
  /**
   * Who defines the request.
   *
   * @default {"standard"}
   */
  readonly type?: RequestType;
  /**
   * Whom the request is for.
   *
   * @default {"device"}
   */
  readonly recipient?: RequestRecipient;
  /** `bRequest`, 0 to 255. */
  readonly request: number;
  /**
   * `wValue`, 0 to 65535.
   *
   * @default {0}
   */
  readonly value?: number;
  /**
   * `wIndex`, 0 to 65535.
   *
   * @default {0}
   */
  readonly index?: number;
  /**
   * `wLength`, 0 to 65535.
   *
   * @default {0}
   */
  readonly length?: number;
}

/** Bytes of a setup packet. */
export const SETUP_PACKET_LENGTH = 8;

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

const RECIPIENT_MASK = 0x1f;

/**
 * Decodes a setup packet.
 *
 * @param bytes At least 8 bytes; what follows is ignored, so a FunctionFS event can be given as it is.
 * @returns The request.
 * @throws {TypeError} When it is given something else than a `Uint8Array`.
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
 * Encodes a setup packet. A decoded packet can be given as it is.
 *
 * @param fields The request.
 * @returns The eight bytes.
 * @throws {TypeError} When a field is of another type, or a name is none.
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
 */
export function encodeSetup(fields: SetupFields): Uint8Array<ArrayBuffer> {
  checkOptions("encode setup packet", fields, SETUP_FIELDS);
  const { request, value = 0, index = 0, length = 0 } = fields;
  const requestType = fields.requestType ?? encodeRequestType(fields);
  assertFits("requestType", requestType, 0xff);
  assertFits("request", request, 0xff);
  assertFits("value", value, 0xffff);
  assertFits("index", index, 0xffff);
  assertFits("length", length, 0xffff);
  const bytes = new Uint8Array(SETUP_PACKET_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, requestType);
  view.setUint8(1, request);
  view.setUint16(2, value, true);
  view.setUint16(4, index, true);
  view.setUint16(6, length, true);
  return bytes;
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

function assertFits(name: string, value: number, greatest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= greatest) return;
  throw new RangeError(
    `Cannot encode setup packet: ${name} is ${value}, give a whole number from 0 to ${greatest}`,
  );
}
