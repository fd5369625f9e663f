/**
 * Packets of CTAPHID, and the messages that they carry (CTAP 2.1, 11.2.4).
 *
 * @module
 */

/** Bytes of a packet, and so of a report. */
export const PACKET_SIZE = 64;
/** Channel, command and length. */
const START_HEADER_SIZE = 7;
/** Channel and sequence number. */
const CONTINUATION_HEADER_SIZE = 5;
const START_DATA_SIZE = PACKET_SIZE - START_HEADER_SIZE;
const CONTINUATION_DATA_SIZE = PACKET_SIZE - CONTINUATION_HEADER_SIZE;
/** Sequence numbers have 7 bits. */
const MAX_CONTINUATIONS = 128;
/** The most bytes of a message, 7609. */
export const MAX_MESSAGE_SIZE = START_DATA_SIZE +
  MAX_CONTINUATIONS * CONTINUATION_DATA_SIZE;

/** Distinguishes a command from a sequence number. */
const START_FLAG = 0x80;

/** The channel of all programs of the host, for INIT only. */
export const BROADCAST = 0xffff_ffff;

/** Commands (11.2.9). */
export const Command = {
  PING: 0x01,
  MSG: 0x03,
  LOCK: 0x04,
  INIT: 0x06,
  WINK: 0x08,
  CBOR: 0x10,
  CANCEL: 0x11,
  KEEPALIVE: 0x3b,
  ERROR: 0x3f,
} as const;

/** Codes of ERROR (11.2.9.1.6). */
export const ErrorCode = {
  INVALID_CMD: 0x01,
  INVALID_PAR: 0x02,
  INVALID_LEN: 0x03,
  INVALID_SEQ: 0x04,
  MSG_TIMEOUT: 0x05,
  CHANNEL_BUSY: 0x06,
  LOCK_REQUIRED: 0x0a,
  INVALID_CHANNEL: 0x0b,
  OTHER: 0x7f,
} as const;

/** The first packet of a message, which the specification calls initialization packet. */
export interface StartPacket {
  readonly kind: "start";
  readonly channel: number;
  readonly command: number;
  /** Bytes of the whole message. */
  readonly length: number;
  /** As many bytes as fit, of which a short message has fewer. */
  readonly data: Uint8Array;
}

/** Any other packet of a message. */
export interface ContinuationPacket {
  readonly kind: "continuation";
  readonly channel: number;
  /** From 0 on. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** Decodes a packet; `undefined` if it is not one, because of its size. The data are a view. */
export function decodePacket(
  report: Uint8Array,
): StartPacket | ContinuationPacket | undefined {
  if (report.length !== PACKET_SIZE) return undefined;
  const view = new DataView(report.buffer, report.byteOffset, PACKET_SIZE);
  const channel = view.getUint32(0);
  const number = view.getUint8(4);
  return (number & START_FLAG) === 0
    ? {
      kind: "continuation",
      channel,
      sequence: number,
      data: report.subarray(CONTINUATION_HEADER_SIZE),
    }
    : {
      kind: "start",
      channel,
      command: number & ~START_FLAG,
      length: view.getUint16(5),
      data: report.subarray(START_HEADER_SIZE),
    };
}

/** Encodes a message of at most {@linkcode MAX_MESSAGE_SIZE} bytes. The data are copied. */
export function encodeMessage(
  channel: number,
  command: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer>[] {
  const start = new Uint8Array(PACKET_SIZE);
  const view = new DataView(start.buffer);
  view.setUint32(0, channel);
  view.setUint8(4, command | START_FLAG);
  view.setUint16(5, data.length);
  start.set(data.subarray(0, START_DATA_SIZE), START_HEADER_SIZE);
  const packets = [start];
  for (let at = START_DATA_SIZE; at < data.length;) {
    const packet = new Uint8Array(PACKET_SIZE);
    new DataView(packet.buffer).setUint32(0, channel);
    packet[4] = packets.length - 1;
    const part = data.subarray(at, at + CONTINUATION_DATA_SIZE);
    packet.set(part, CONTINUATION_HEADER_SIZE);
    packets.push(packet);
    at += part.length;
  }
  return packets;
}

/** A message of which packets are missing. */
export class Assembly {
  readonly channel: number;
  readonly command: number;
  /** The message, once it is complete. */
  readonly data: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #next = 0;

  /** @param start Of a message of at most {@linkcode MAX_MESSAGE_SIZE} bytes. */
  constructor(start: StartPacket) {
    this.channel = start.channel;
    this.command = start.command;
    this.data = new Uint8Array(start.length);
    this.#fill(start.data);
  }

  get isComplete(): boolean {
    return this.#filled === this.data.length;
  }

  /** Adds the next packet, and returns true; or returns false if it is not the next one. */
  add(packet: ContinuationPacket): boolean {
    if (packet.sequence !== this.#next) return false;
    this.#next++;
    this.#fill(packet.data);
    return true;
  }

  #fill(data: Uint8Array): void {
    const part = data.subarray(0, this.data.length - this.#filled);
    this.data.set(part, this.#filled);
    this.#filled += part.length;
  }
}
