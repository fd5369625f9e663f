/**
 * The numbers and structures of usbfs, as `linux/usbdevice_fs.h` defines them.
 * Both architectures that Deno is built for are LP64 and little-endian, so
 * there is one layout.
 *
 * @module
 */

// asm-generic/ioctl.h
const NONE = 0;
const WRITE = 1;
const READ = 2;

function ioctlNumber(direction: number, number: number, size: number): number {
  const type = "U".charCodeAt(0);
  return (direction << 30 | size << 16 | type << 8 | number) >>> 0;
}

const INT_SIZE = 4;
const POINTER_SIZE = 8;
const SETINTERFACE_SIZE = 8;
const DRIVER_NAME_SIZE = 256;
const GETDRIVER_SIZE = 4 + DRIVER_NAME_SIZE;
const DISCONNECT_CLAIM_SIZE = 8 + DRIVER_NAME_SIZE;
/** Bytes of `struct usbdevfs_urb` without isochronous packets. */
const URB_SIZE = 56;

export const USBDEVFS_SETINTERFACE = ioctlNumber(READ, 4, SETINTERFACE_SIZE);
export const USBDEVFS_SETCONFIGURATION = ioctlNumber(READ, 5, INT_SIZE);
export const USBDEVFS_GETDRIVER = ioctlNumber(WRITE, 8, GETDRIVER_SIZE);
export const USBDEVFS_SUBMITURB = ioctlNumber(READ, 10, URB_SIZE);
export const USBDEVFS_DISCARDURB = ioctlNumber(NONE, 11, 0);
export const USBDEVFS_REAPURBNDELAY = ioctlNumber(WRITE, 13, POINTER_SIZE);
export const USBDEVFS_CLAIMINTERFACE = ioctlNumber(READ, 15, INT_SIZE);
export const USBDEVFS_RELEASEINTERFACE = ioctlNumber(READ, 16, INT_SIZE);
export const USBDEVFS_RESET = ioctlNumber(NONE, 20, 0);
export const USBDEVFS_CLEAR_HALT = ioctlNumber(READ, 21, INT_SIZE);
export const USBDEVFS_DISCONNECT_CLAIM = ioctlNumber(
  READ,
  27,
  DISCONNECT_CLAIM_SIZE,
);

export const USBDEVFS_FORBID_SUSPEND = ioctlNumber(NONE, 33, 0);
export const USBDEVFS_ALLOW_SUSPEND = ioctlNumber(NONE, 34, 0);

/** The transfer type of a URB. */
export const UrbType = { interrupt: 1, control: 2, bulk: 3 } as const;

/** IN: a packet below the packet size is an error, unless it ends the buffer. */
export const USBDEVFS_URB_SHORT_NOT_OK = 0x01;
/** OUT: a transfer that ends on a packet boundary gets a zero-length packet. */
export const USBDEVFS_URB_ZERO_PACKET = 0x40;

const USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER = 0x02;

/** The fields of a URB. */
export interface UrbFields {
  /** One of {@linkcode UrbType}. */
  readonly type: number;
  /** bEndpointAddress: with 0x80 for IN. */
  readonly endpoint: number;
  /** USBDEVFS_URB_* bits; none by default. */
  readonly flags?: number;
  /** Address of the data, or of the setup packet of a control URB. */
  readonly buffer: bigint;
  /** Length of the data in bytes. */
  readonly length: number;
}

/**
 * Encodes `struct usbdevfs_urb`.
 *
 * | at | field                 |
 * | -- | --------------------- |
 * | 0  | u8 type               |
 * | 1  | u8 endpoint           |
 * | 4  | int status            |
 * | 8  | u32 flags             |
 * | 16 | void *buffer          |
 * | 24 | int buffer_length     |
 * | 28 | int actual_length     |
 * | 32 | int start_frame       |
 * | 36 | int number_of_packets |
 * | 40 | int error_count       |
 * | 44 | u32 signr             |
 * | 48 | void *usercontext     |
 */
export function encodeUrb(fields: UrbFields): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(URB_SIZE));
  view.setUint8(0, fields.type);
  view.setUint8(1, fields.endpoint);
  view.setUint32(8, fields.flags ?? 0, true);
  view.setBigUint64(16, fields.buffer, true);
  view.setInt32(24, fields.length, true);
  return new Uint8Array(view.buffer);
}

/** Decodes the results in a reaped URB. */
export function decodeUrb(
  urb: Uint8Array<ArrayBuffer>,
): { status: number; actualLength: number } {
  const view = new DataView(urb.buffer, urb.byteOffset);
  return {
    status: view.getInt32(4, true),
    actualLength: view.getInt32(28, true),
  };
}

/** Encodes one or more `unsigned int`. */
export function encodeUints(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** Encodes `struct usbdevfs_getdriver`, which receives the name. */
export function encodeGetDriver(interfaceNumber: number) {
  const bytes = new Uint8Array(GETDRIVER_SIZE);
  bytes.set(encodeUints(interfaceNumber));
  return bytes;
}

/** Decodes the driver's name in `struct usbdevfs_getdriver`. */
export function decodeDriverName(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(4, bytes.indexOf(0, 4)));
}

/**
 * Encodes `struct usbdevfs_disconnect_claim`: u32 interface, u32 flags, name.
 *
 * @param exceptDriver A driver that is not disconnected.
 */
export function encodeDisconnectClaim(
  interfaceNumber: number,
  exceptDriver: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(DISCONNECT_CLAIM_SIZE);
  bytes.set(
    encodeUints(interfaceNumber, USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER),
  );
  bytes.set(new TextEncoder().encode(exceptDriver), 8);
  return bytes;
}
