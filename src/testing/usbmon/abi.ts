/**
 * The numbers and structures of usbmon, as `drivers/usb/mon/mon_bin.c` and
 * Documentation/usb/usbmon.rst define them.
 *
 * @module
 */
import type { Direction, TransferType } from "../../usb/endpoint_attributes.ts";
import { decodeSetup, type SetupPacket } from "../../usb/setup_packet.ts";

/** _IOR(0x92, 3, struct mon_bin_stats) */
export const MON_IOCG_STATS = 0x8008_9203;
/** _IO(0x92, 4) */
export const MON_IOCT_RING_SIZE = 0x9204;
/** _IOW(0x92, 10, struct mon_bin_get) */
export const MON_IOCX_GETX = 0x4018_920a;

/** The largest ring, in bytes: BUFF_MAX. A fifth of it is kept of each transfer. */
export const LARGEST_RING = 1_228_800;

/** Bytes of `struct mon_bin_hdr`. */
export const HEADER_SIZE = 64;

/** What a header says. */
export interface BusHeader {
  /** Pairs a submission with its completion. */
  readonly id: bigint;
  readonly type: "submit" | "complete" | "error";
  readonly transferType: TransferType | "control";
  /** bEndpointAddress. */
  readonly address: number;
  readonly direction: Direction;
  /** The device's address on the bus. */
  readonly device: number;
  /** Microseconds since 1970. */
  readonly time: number;
  /** 0, or a negative error number; -EINPROGRESS (-115) for a submission. */
  readonly status: number;
  /** Bytes requested, or transferred. */
  readonly length: number;
  readonly setup?: SetupPacket;
}

const TYPES = { S: "submit", C: "complete", E: "error" } as const;
const TRANSFER_TYPES = [
  "isochronous",
  "interrupt",
  "control",
  "bulk",
] as const;

/**
 * Decodes `struct mon_bin_hdr`.
 *
 * | at | field               | at | field            |
 * | -- | ------------------- | -- | ---------------- |
 * | 0  | u64 id              | 28 | int status       |
 * | 8  | char type           | 32 | u32 len_urb      |
 * | 9  | u8 xfer_type        | 36 | u32 len_cap      |
 * | 10 | u8 epnum            | 40 | u8 setup[8]      |
 * | 11 | u8 devnum           | 48 | int interval     |
 * | 12 | u16 busnum          | 52 | int start_frame  |
 * | 14 | char flag_setup     | 56 | u32 xfer_flags   |
 * | 15 | char flag_data      | 60 | u32 ndesc        |
 * | 16 | s64 ts_sec          |    |                  |
 * | 24 | s32 ts_usec         |    |                  |
 */
export function decodeHeader(bytes: Uint8Array): BusHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const address = bytes[10];
  const seconds = Number(view.getBigInt64(16, true));
  return {
    id: view.getBigUint64(0, true),
    type: TYPES[String.fromCharCode(bytes[8]) as keyof typeof TYPES],
    transferType: TRANSFER_TYPES[bytes[9]],
    address,
    direction: address & 0x80 ? "in" : "out",
    device: bytes[11],
    time: seconds * 1e6 + view.getInt32(24, true),
    status: view.getInt32(28, true),
    length: view.getUint32(32, true),
    ...(bytes[14] === 0 ? { setup: decodeSetup(bytes.subarray(40, 48)) } : {}),
  };
}

/** The number of captured bytes behind a header. */
export function capturedLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(36, true);
}
