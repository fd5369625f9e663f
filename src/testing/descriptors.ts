/**
 * The descriptors and strings of a device, as its host reads them.
 *
 * @module
 */
import { decodeDescriptors } from "../inspect/decode_descriptors.ts";
import type { DecodedConfiguration } from "../inspect/descriptor_nodes.ts";
import { languageTag } from "../usb/language.ts";
import { isTransferError } from "./usbfs/transfer.ts";

/**
 * The descriptors of a device at its current speed.
 *
 * @category Testing
 */
export interface HostDescriptors {
  /** The device descriptor and all configurations, as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The device descriptor. */
  readonly device: {
    /** `bcdUSB`. */
    readonly usbVersion: number;
    /** `bDeviceClass`. */
    readonly class: number;
    /** `bDeviceSubClass`. */
    readonly subclass: number;
    /** `bDeviceProtocol`. */
    readonly protocol: number;
    /** `bMaxPacketSize0`: bytes, or at super speed the exponent of 2. */
    readonly maxPacketSize: number;
    /** `idVendor`. */
    readonly vendorId: number;
    /** `idProduct`. */
    readonly productId: number;
    /** `bcdDevice`. */
    readonly deviceVersion: number;
    /** `iManufacturer`: the index of a string, 0 for none. */
    readonly manufacturer: number;
    /** `iProduct`. */
    readonly product: number;
    /** `iSerialNumber`. */
    readonly serialNumber: number;
  };
  /** The configurations, in order. */
  readonly configurations: readonly DecodedConfiguration[];
  /** The selected configuration. */
  readonly configuration?: DecodedConfiguration;
}

/**
 * The strings of a device in one language.
 *
 * @category Testing
 */
export interface HostStrings {
  /** The languages of the device, as tags. */
  readonly languages: readonly string[];
  /** The language of these strings. */
  readonly language: string;
  /** `iManufacturer`. */
  readonly manufacturer?: string;
  /** `iProduct`. */
  readonly product?: string;
  /** `iSerialNumber`. */
  readonly serialNumber?: string;
  /** Every string that a descriptor refers to and the device has in this language, by its index. */
  readonly byIndex: ReadonlyMap<number, string>;
}

const DEVICE_LENGTH = 18;

/** Decodes a device descriptor and the configurations behind it. */
export function decodeDevice(
  bytes: Uint8Array<ArrayBuffer>,
  selected: number,
): HostDescriptors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const configurations: DecodedConfiguration[] = [];
  for (let at = DEVICE_LENGTH; at + 4 <= bytes.byteLength;) {
    const length = view.getUint16(at + 2, true);
    configurations.push(decodeDescriptors(bytes.subarray(at, at + length)));
    at += length;
  }
  const configuration = configurations.find(({ value }) => value === selected);
  return {
    bytes,
    device: {
      usbVersion: view.getUint16(2, true),
      class: bytes[4],
      subclass: bytes[5],
      protocol: bytes[6],
      maxPacketSize: bytes[7],
      vendorId: view.getUint16(8, true),
      productId: view.getUint16(10, true),
      deviceVersion: view.getUint16(12, true),
      manufacturer: bytes[14],
      product: bytes[15],
      serialNumber: bytes[16],
    },
    configurations,
    ...(configuration === undefined ? {} : { configuration }),
  };
}

/** Reads a string descriptor: languages for index 0. */
export type ReadString = (
  index: number,
  language: number,
) => Promise<Uint8Array>;

/** Reads all strings that descriptors refer to. */
export async function readStrings(
  { device, configurations }: HostDescriptors,
  wanted: number | undefined,
  read: ReadString,
): Promise<HostStrings> {
  const indices = [
    device.manufacturer,
    device.product,
    device.serialNumber,
    ...configurations.flatMap(({ string, descriptors }) => [
      string,
      ...descriptors.map((each) =>
        each.kind === "interface" || each.kind === "association"
          ? each.string
          : 0
      ),
    ]),
  ].filter((index) => index > 0);
  const byIndex = new Map<number, string>();
  // A device without strings stalls a request for its languages.
  const languages = indices.length === 0 ? [] : units(await read(0, 0));
  const language = wanted ?? languages[0] ?? 0;
  for (const index of [...new Set(indices)].sort((a, b) => a - b)) {
    try {
      const text = units(await read(index, language));
      byIndex.set(index, String.fromCharCode(...text));
    } catch (error) {
      // A stall: it has none in this language.
      if (!isTransferError(error, "EPIPE")) throw error;
    }
  }
  const at = (name: "manufacturer" | "product" | "serialNumber") =>
    byIndex.has(device[name]) ? { [name]: byIndex.get(device[name]) } : {};
  return {
    languages: languages.map(languageTag),
    language: languageTag(language),
    ...at("manufacturer"),
    ...at("product"),
    ...at("serialNumber"),
    byIndex,
  };
}

/** The 16-bit units of a string descriptor. */
function units(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Math.min(bytes[0] ?? 0, bytes.byteLength);
  const found: number[] = [];
  for (let at = 2; at + 1 < length; at += 2) {
    found.push(view.getUint16(at, true));
  }
  return found;
}
