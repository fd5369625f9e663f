/**
 * Messages on the bulk endpoints (CCID 1.1, 6.1 and 6.2).
 *
 * @module
 */

/** Bytes before the data of a message. */
export const HEADER_SIZE = 10;

/** Values of `bMessageType` from the host, PC_to_RDR. */
export const CommandType = {
  SET_PARAMETERS: 0x61,
  ICC_POWER_ON: 0x62,
  ICC_POWER_OFF: 0x63,
  GET_SLOT_STATUS: 0x65,
  SECURE: 0x69,
  T0_APDU: 0x6a,
  ESCAPE: 0x6b,
  GET_PARAMETERS: 0x6c,
  RESET_PARAMETERS: 0x6d,
  ICC_CLOCK: 0x6e,
  XFR_BLOCK: 0x6f,
  MECHANICAL: 0x71,
  ABORT: 0x72,
  SET_DATA_RATE_AND_CLOCK_FREQUENCY: 0x73,
} as const;

/** Values of `bMessageType` to the host, RDR_to_PC. */
export const ResponseType = {
  DATA_BLOCK: 0x80,
  SLOT_STATUS: 0x81,
  PARAMETERS: 0x82,
  ESCAPE: 0x83,
  DATA_RATE_AND_CLOCK_FREQUENCY: 0x84,
} as const;

/** One of the values of {@linkcode ResponseType}. */
export type ResponseType = (typeof ResponseType)[keyof typeof ResponseType];

/** `bmICCStatus`: what is in a slot. */
export const IccStatus = { ACTIVE: 0, INACTIVE: 1, ABSENT: 2 } as const;

/** `bmCommandStatus`: how far a command has come. */
export const CommandStatus = { DONE: 0, FAILED: 1, TIME_EXTENSION: 2 } as const;

/** What the host has sent. */
export interface CommandMessage {
  readonly type: number;
  readonly slot: number;
  readonly seq: number;
  /** Bytes 7 to 9, whose meaning depends on the type. */
  readonly fields: readonly [number, number, number];
  readonly data: Uint8Array<ArrayBuffer>;
  /** Whether as much data has come as `dwLength` says, and no more than fits. */
  readonly isWhole: boolean;
}

/** What the reader sends. */
export interface ResponseMessage {
  readonly type: ResponseType;
  readonly slot: number;
  readonly seq: number;
  readonly iccStatus: number;
  readonly commandStatus: number;
  /** `bError`: the code of an error, or the multiplier of a time extension. */
  readonly error: number;
  /** Byte 9, whose meaning depends on the type. */
  readonly detail: number;
  readonly data: Uint8Array;
}

/** `dwLength` of a message. */
export function dataLengthOf(message: Uint8Array<ArrayBuffer>): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(1, true);
}

/** Reads a message of at least {@linkcode HEADER_SIZE} bytes. */
export function decodeCommand(
  bytes: Uint8Array<ArrayBuffer>,
  isWhole: boolean,
): CommandMessage {
  return {
    type: bytes[0],
    slot: bytes[5],
    seq: bytes[6],
    fields: [bytes[7], bytes[8], bytes[9]],
    data: bytes.subarray(HEADER_SIZE),
    isWhole,
  };
}

/** The bytes of a response; its data is copied. */
export function encodeResponse(
  { type, slot, seq, iccStatus, commandStatus, error, detail, data }:
    ResponseMessage,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE + data.byteLength);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, data.byteLength, true);
  const status = iccStatus | commandStatus << 6;
  bytes.set([slot, seq, status, error, detail], 5);
  bytes.set(data, HEADER_SIZE);
  return bytes;
}
