/**
 * What a client of USB/IP asks for before the kernel speaks with it: version 1.1.1
 * of the protocol (Documentation/usb/usbip_protocol.rst). Numbers are big-endian.
 *
 * @module
 */

/** The version that every message has. */
export const VERSION = 0x0111;
/** The port that clients try. */
export const USB_IP_PORT = 3240;
/** Bytes of the header: version, code, status. */
export const HEADER_SIZE = 8;
/** Bytes of a name of a device. */
export const BUS_ID_SIZE = 32;

const PATH_SIZE = 256;
/** Without interfaces. */
const DEVICE_SIZE = PATH_SIZE + BUS_ID_SIZE + 24;

/** What is asked for. */
export const Request = { DEVLIST: 0x8005, IMPORT: 0x8003 } as const;

/** How an import ends. */
export const Status = { OK: 0, NA: 1, BUSY: 2, NO_DEVICE: 4 } as const;

/** Speeds, as `enum usb_device_speed` has them. */
const SPEEDS: Readonly<Record<string, number>> = {
  "low-speed": 1,
  "full-speed": 2,
  "high-speed": 3,
  "super-speed": 5,
  "super-speed-plus": 6,
};

/** A device that a client can import. */
export interface SharedDevice {
  /** The name of its controller. */
  readonly busId: string;
  /** A number that no other device of this server has, from 1. */
  readonly number: number;
  /** As sysfs writes it: `"high-speed"`. */
  readonly speed: string;
  /** Its device descriptor. */
  readonly descriptor: Uint8Array<ArrayBuffer>;
}

/** The code of a request; `undefined` if it is none of this version. */
export function decodeRequest(
  header: Uint8Array<ArrayBuffer>,
): number | undefined {
  const view = new DataView(header.buffer, header.byteOffset);
  return view.getUint16(0) === VERSION ? view.getUint16(2) : undefined;
}

/** The name that an import asks for. */
export function decodeBusId(bytes: Uint8Array<ArrayBuffer>): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? undefined : end));
}

/** The answer to DEVLIST. */
export function encodeList(
  devices: readonly SharedDevice[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    HEADER_SIZE + 4 + devices.length * DEVICE_SIZE,
  );
  bytes.set(encodeHeader(Request.DEVLIST, Status.OK));
  new DataView(bytes.buffer).setUint32(HEADER_SIZE, devices.length);
  devices.forEach((device, index) =>
    bytes.set(encodeDevice(device), HEADER_SIZE + 4 + index * DEVICE_SIZE)
  );
  return bytes;
}

/** The answer to IMPORT: the device, or why there is none. */
export function encodeImport(
  result: SharedDevice | number,
): Uint8Array<ArrayBuffer> {
  return typeof result === "number"
    ? encodeHeader(Request.IMPORT, result)
    : Uint8Array.of(
      ...encodeHeader(Request.IMPORT, Status.OK),
      ...encodeDevice(result),
    );
}

function encodeHeader(request: number, status: number) {
  const view = new DataView(new ArrayBuffer(HEADER_SIZE));
  view.setUint16(0, VERSION);
  view.setUint16(2, request & 0x7fff);
  view.setUint32(4, status);
  return new Uint8Array(view.buffer);
}

/**
 * A device without interfaces: which ones it has is known when it is configured.
 */
function encodeDevice({ busId, number, speed, descriptor }: SharedDevice) {
  const bytes = new Uint8Array(DEVICE_SIZE);
  const view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  encoder.encodeInto(
    `/sys/class/udc/${busId}`,
    bytes.subarray(0, PATH_SIZE - 1),
  );
  const name = bytes.subarray(PATH_SIZE, PATH_SIZE + BUS_ID_SIZE - 1);
  encoder.encodeInto(busId, name);
  const source = new DataView(descriptor.buffer, descriptor.byteOffset);
  let at = PATH_SIZE + BUS_ID_SIZE;
  for (const value of [1, number, SPEEDS[speed] ?? 0]) {
    view.setUint32(at, value);
    at += 4;
  }
  // idVendor, idProduct, bcdDevice
  for (const from of [8, 10, 12]) {
    view.setUint16(at, source.getUint16(from, true));
    at += 2;
  }
  const [deviceClass, subclass, protocol] = descriptor.subarray(4);
  const configurations = descriptor[17];
  // No configuration is selected, and no interfaces follow.
  bytes.set([deviceClass, subclass, protocol, 0, configurations, 0], at);
  return bytes;
}
