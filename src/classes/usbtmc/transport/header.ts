/**
 * Headers of bulk transfers (USBTMC 1.0, 3.2 and 3.3; USB488 1.0, 3.2).
 *
 * @module
 */

/** The size of each header. */
export const HEADER_SIZE = 12;

const DEV_DEP_MSG_OUT = 1;
/** REQUEST_DEV_DEP_MSG_IN, and DEV_DEP_MSG_IN in the other direction. */
const DEV_DEP_MSG_IN = 2;
const TRIGGER = 128;

const EOM = 0x01;
const TERM_CHAR = 0x02;

/** A part of a message for the device. */
export interface MessageHeader {
  readonly kind: "message";
  readonly tag: number;
  /** Bytes of the message in this transfer. */
  readonly size: number;
  /** Whether the message ends with this transfer. */
  readonly eom: boolean;
}

/** The host wants the next part of a response. */
export interface RequestHeader {
  readonly kind: "request";
  readonly tag: number;
  /** Bytes at most. */
  readonly size: number;
  /** The byte after which the transfer ends, if any. */
  readonly termChar: number | undefined;
}

/** What the host sends. */
export type Header =
  | MessageHeader
  | RequestHeader
  | { readonly kind: "trigger"; readonly tag: number };

/** Decodes a header: u8 MsgID, u8 bTag, u8 its inverse, u8 0, and 8 bytes more. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.byteLength < HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const tag = bytes[1];
  if (tag === 0 || bytes[2] !== (~tag & 0xff)) return undefined;
  const size = view.getUint32(4, true);
  const attributes = bytes[8];
  switch (bytes[0]) {
    case DEV_DEP_MSG_OUT:
      return { kind: "message", tag, size, eom: (attributes & EOM) !== 0 };
    case DEV_DEP_MSG_IN: {
      const termChar = attributes & TERM_CHAR ? bytes[9] : undefined;
      return { kind: "request", tag, size, termChar };
    }
    case TRIGGER:
      return { kind: "trigger", tag };
    default:
      return undefined;
  }
}

/** What a transfer to the host carries. */
export interface ResponseHeader {
  readonly tag: number;
  /** Bytes of the response in this transfer. */
  readonly size: number;
  readonly eom: boolean;
  /** Whether it ends with the TermChar that the host has asked for. */
  readonly endsWithTermChar: boolean;
}

/** Encodes the header of a transfer to the host. */
export function encodeHeader(
  { tag, size, eom, endsWithTermChar }: ResponseHeader,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE);
  bytes.set([DEV_DEP_MSG_IN, tag, ~tag & 0xff]);
  new DataView(bytes.buffer).setUint32(4, size, true);
  bytes[8] = (eom ? EOM : 0) | (endsWithTermChar ? TERM_CHAR : 0);
  return bytes;
}

/** The bytes of a transfer from the host, with the alignment that it adds. */
export function paddedSize(size: number): number {
  return HEADER_SIZE + Math.ceil(size / 4) * 4;
}

/** The tag after a tag: 1 to 255. */
export function nextTag(tag: number): number {
  return tag % 255 + 1;
}
