/**
 * Finds devices in a record of the bus.
 *
 * @module
 */
import { checkBytes } from "../../arguments/bytes.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { textsByTag } from "../../usb/language.ts";
import { decodeSetup } from "../../usb/setup_packet.ts";
import type { Speed } from "../../usb/speed.ts";
import { u16 } from "../decode_descriptors.ts";
import type { DeviceDescriptors } from "./device_descriptors.ts";
import { SUPER_SPEED_PACKET } from "./device_speed.ts";
import { readPcapng } from "./pcapng_reader.ts";

/**
 * A device in a record of the bus.
 *
 * @category Inspect
 */
export interface CapturedDevice {
  /** The number of its bus. */
  readonly bus: number;
  /** Its address on the bus. */
  readonly address: number;
  /** What {@linkcode definitionFromDevice} takes. */
  readonly device: DeviceDescriptors;
}

/** LINKTYPE_USB_LINUX and LINKTYPE_USB_LINUX_MMAPPED: the bytes of their headers. */
const HEADER_SIZES: Readonly<Record<number, number>> = { 189: 48, 220: 64 };
const GET_DESCRIPTOR = 0x06;
const STANDARD_DEVICE_IN = 0x80;
const STANDARD_INTERFACE_IN = 0x81;
const CONTROL = 2;

/**
 * Finds the devices of a capture file of Wireshark, tshark, or `recordBus()` of `@usb/gadget/testing`, and the descriptors
 * that the host read from them meanwhile. Those of a device that was plugged in before are not in it.
 *
 * @param file A pcapng file with the records of usbmon (link types 220 and 189).
 * @returns The devices whose device descriptor and first configuration the file has, in order.
 * @throws {RangeError} When it is not such a file, or is cut off in a block.
 *
 * @example Usage
 * ```ts ignore
 * import { definitionFromDevice, devicesInCapture } from "@usb/gadget/inspect";
 *
 * const devices = devicesInCapture(Deno.readFileSync("usb.pcapng"));
 * for (const { address, device } of devices) {
 *   console.log(address, definitionFromDevice(device).problems);
 * }
 * ```
 *
 * @category Inspect
 */
export function devicesInCapture(file: Uint8Array): CapturedDevice[] {
  checkBytes("read a capture", "the file", file);
  const devices = new Map<string, DeviceRecord>();
  const requests = new Map<string, Uint8Array>();
  for (const { linkType, bytes } of readPcapng(file)) {
    const headerSize = HEADER_SIZES[linkType];
    if (headerSize === undefined || bytes.length < headerSize) continue;
    const [, type, , , address, busLow, busHigh] = bytes.subarray(7);
    if (bytes[9] !== CONTROL) continue;
    const id = bytes.subarray(0, 8).toString();
    if (String.fromCharCode(type) === "S") {
      if (bytes[14] === 0) requests.set(id, bytes.slice(40, 48));
      continue;
    }
    const request = requests.get(id);
    requests.delete(id);
    if (request === undefined) continue;
    const bus = busLow | busHigh << 8;
    // Devices share address 0 until they have their own.
    const key = `${bus}:${address}`;
    let record = devices.get(key);
    if (record === undefined) {
      record = new DeviceRecord(bus, address);
      devices.set(key, record);
    }
    record.read(request, bytes.subarray(headerSize));
  }
  return [...devices.values()].flatMap((it) => it.finish() ?? []);
}

/** What a host has read from one device. */
class DeviceRecord {
  readonly #bus: number;
  readonly #address: number;
  #device = new Uint8Array();
  readonly #configurations: Uint8Array[] = [];
  #bos: Uint8Array | undefined;
  readonly #texts = new Map<number, Map<number, string>>();
  /** Report descriptors, by interface. */
  readonly #reports: Record<number, Uint8Array> = {};

  constructor(bus: number, address: number) {
    this.#bus = bus;
    this.#address = address;
  }

  /** Takes the answer to a request, which may be part of a descriptor. */
  read(request: Uint8Array, data: Uint8Array): void {
    const { requestType, request: code, value, index } = decodeSetup(request);
    if (code !== GET_DESCRIPTOR || data.length < 2) return;
    const bytes = data.slice();
    const type = value >> 8;
    const number = value & 0xff;
    if (
      requestType === STANDARD_INTERFACE_IN &&
      type === DescriptorType.HID_REPORT
    ) {
      if (bytes.length > (this.#reports[index]?.length ?? 0)) {
        this.#reports[index] = bytes;
      }
      return;
    }
    if (requestType !== STANDARD_DEVICE_IN || bytes[1] !== type) return;
    switch (type) {
      case DescriptorType.DEVICE:
        if (bytes.length > this.#device.length) this.#device = bytes;
        return;
      case DescriptorType.CONFIGURATION:
        if (bytes.length > (this.#configurations[number]?.length ?? 0)) {
          this.#configurations[number] = bytes;
        }
        return;
      case DescriptorType.BOS:
        if (bytes.length > (this.#bos?.length ?? 5)) this.#bos = bytes;
        return;
      case DescriptorType.STRING:
        if (number > 0) this.#readText(number, index, bytes);
    }
  }

  #readText(number: number, language: number, bytes: Uint8Array): void {
    if (bytes.length < bytes[0]) return;
    const text = new TextDecoder("utf-16le", { ignoreBOM: true })
      .decode(bytes.subarray(2, bytes[0]));
    const texts = this.#texts.get(number) ?? new Map<number, string>();
    this.#texts.set(number, texts.set(language, text));
  }

  finish(): CapturedDevice | undefined {
    const [first] = this.#configurations;
    if (this.#device.length < 18 || (first?.length ?? 0) <= 9) return undefined;
    const whole = this.#configurations.filter((it) => it.length >= u16(it, 2));
    const parts = [this.#device, ...whole];
    const descriptors = new Uint8Array(
      parts.reduce((sum, it) => sum + it.length, 0),
    );
    let at = 0;
    for (const each of parts) {
      descriptors.set(each, at);
      at += each.length;
    }
    const strings = [...this.#texts].map(([index, texts]) =>
      [index, textsByTag(texts)] as const
    );
    const speed = this.#speed();
    return {
      bus: this.#bus,
      address: this.#address,
      device: {
        descriptors,
        ...(speed ? { speed } : {}),
        strings: Object.fromEntries(strings),
        reports: this.#reports,
        ...(this.#bos ? { bos: this.#bos } : {}),
      },
    };
  }

  /** usbmon does not record the speed; that of super speed is in the device descriptor. */
  #speed(): Speed | undefined {
    return this.#device[7] === SUPER_SPEED_PACKET ? "super-speed" : undefined;
  }
}
