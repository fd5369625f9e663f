/**
 * Containers: what goes over the endpoints (Still Image Capture Device
 * Definition 1.0, 7.1).
 *
 * @module
 */

/** Bytes before the payload. */
export const HEADER_SIZE = 12;
/** The length of a container that is not known, or 4 GiB or more. */
export const UNKNOWN_LENGTH = 0xffff_ffff;
/** Parameters that a command, response or event has at most. */
const MAX_PARAMETERS = 5;

/** The types of containers. */
export const ContainerType = {
  COMMAND: 1,
  DATA: 2,
  RESPONSE: 3,
  EVENT: 4,
} as const;

/** The beginning of a container. */
export interface ContainerHeader {
  /** Bytes with the header, or {@linkcode UNKNOWN_LENGTH}. */
  readonly length: number;
  readonly type: number;
  readonly code: number;
  readonly transactionId: number;
}

/** A container without data. */
export interface Message extends Omit<ContainerHeader, "length"> {
  /** Up to five numbers of 32 bits. */
  readonly parameters: readonly number[];
}

/** Decodes a header; `undefined` if there are fewer bytes. */
export function decodeHeader(bytes: Uint8Array): ContainerHeader | undefined {
  if (bytes.byteLength < HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    length: view.getUint32(0, true),
    type: view.getUint16(4, true),
    code: view.getUint16(6, true),
    transactionId: view.getUint32(8, true),
  };
}

/** Encodes a header into the first bytes of `into`. */
export function encodeHeader(into: Uint8Array, header: ContainerHeader): void {
  const view = new DataView(into.buffer, into.byteOffset);
  view.setUint32(0, header.length, true);
  view.setUint16(4, header.type, true);
  view.setUint16(6, header.code, true);
  view.setUint32(8, header.transactionId, true);
}

/** Decodes a command, response or event; `undefined` if it is none, or not whole. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  const header = decodeHeader(bytes);
  if (header === undefined || header.type === ContainerType.DATA) {
    return undefined;
  }
  const { length, ...rest } = header;
  const count = (length - HEADER_SIZE) / 4;
  if (length !== bytes.byteLength || count % 1 !== 0) return undefined;
  if (count > MAX_PARAMETERS) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + HEADER_SIZE);
  const parameters = Array.from(
    { length: count },
    (_, index) => view.getUint32(4 * index, true),
  );
  return { ...rest, parameters };
}

/** Encodes a command, response or event. */
export function encodeMessage(
  { parameters, ...header }: Message,
): Uint8Array<ArrayBuffer> {
  const length = HEADER_SIZE + 4 * parameters.length;
  const bytes = new Uint8Array(length);
  encodeHeader(bytes, { ...header, length });
  const view = new DataView(bytes.buffer, HEADER_SIZE);
  parameters.forEach((it, index) => view.setUint32(4 * index, it, true));
  return bytes;
}
