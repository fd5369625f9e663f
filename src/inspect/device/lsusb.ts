/**
 * Reads the output of `lsusb -v`.
 *
 * @module
 */
import { checkArgument, TEXT } from "../../arguments/rules.ts";
import { hex } from "../../arguments/show.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { attributesTransferType } from "../../usb/endpoint_attributes.ts";
import type { Speed } from "../../usb/speed.ts";
import { u16 } from "../decode_descriptors.ts";
import type { DeviceDescriptors } from "./device_descriptors.ts";
import {
  CDC_SUBTYPES,
  encodeFields,
  type Field,
  isUsb3,
  parseField,
  parseSpeedLine,
} from "./lsusb_fields.ts";

/**
 * A device in the output of `lsusb -v`.
 *
 * @category Inspect
 */
export interface LsusbDevice {
  /** The line above the device, such as `Bus 001 Device 004: ID 046d:c52b Logitech, Inc. Unifying Receiver`. */
  readonly title: string;
  /** What {@linkcode definitionFromDevice} takes. */
  readonly device: DeviceDescriptors;
  /** What the text does not show: bytes that it lacks are zero, descriptors are missing. */
  readonly incomplete: readonly string[];
}

/** Types that a host reads with requests of their own. */
const SEPARATE: ReadonlySet<number> = new Set([
  DescriptorType.DEVICE_QUALIFIER,
  DescriptorType.OTHER_SPEED_CONFIGURATION,
  DescriptorType.HID_REPORT,
  0x29, // hub
  0x2a, // hub at super speed
]);

/**
 * Reads the output of `lsusb -v`, of one device or of many. Run it as root: it cannot read strings otherwise. Class-specific
 * descriptors are not all printed byte by byte; FunctionFS refuses nearly all of those anyway.
 *
 * @param text The output. It may have lost its indentation.
 * @throws {TypeError} When it is not a string.
 *
 * @example A device without strings
 * ```ts
 * import { definitionFromDevice, parseLsusb } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const [{ title, device }] = parseLsusb(`
 * Bus 001 Device 004: ID 1209:0001 Generic pid.codes Test PID
 * Device Descriptor:
 *   bLength                18
 *   bDescriptorType         1
 *   bcdUSB               2.00
 *   bDeviceClass          255 Vendor Specific Class
 *   bDeviceSubClass         0
 *   bDeviceProtocol         0
 *   bMaxPacketSize0        64
 *   idVendor           0x1209 Generic
 *   idProduct          0x0001 pid.codes Test PID
 *   bcdDevice            1.00
 *   iManufacturer           0
 *   iProduct                0
 *   iSerial                 0
 *   bNumConfigurations      1
 *   Configuration Descriptor:
 *     bLength                 9
 *     bDescriptorType         2
 *     wTotalLength       0x0012
 *     bNumInterfaces          1
 *     bConfigurationValue     1
 *     iConfiguration          0
 *     bmAttributes         0x80
 *       (Bus Powered)
 *     MaxPower              100mA
 *     Interface Descriptor:
 *       bLength                 9
 *       bDescriptorType         4
 *       bInterfaceNumber        0
 *       bAlternateSetting       0
 *       bNumEndpoints           0
 *       bInterfaceClass       255 Vendor Specific Class
 *       bInterfaceSubClass      0
 *       bInterfaceProtocol      0
 *       iInterface              0
 * `);
 * assertEquals(title.slice(-26), "Generic pid.codes Test PID");
 * const { definition, problems } = definitionFromDevice(device);
 * assertEquals(definition.configurations?.[0].maxPower, 100);
 * assertEquals(problems, []);
 * ```
 *
 * @category Inspect
 */
export function parseLsusb(text: string): LsusbDevice[] {
  checkArgument("read the output of lsusb", "the text", text, TEXT);
  const readers: DeviceReader[] = [];
  let title = "";
  let speed: Speed | undefined;
  for (const line of text.split("\n").map((it) => it.trim())) {
    if (/^Bus \d+ Device \d+: ID /.test(line)) title = line;
    else if (line.startsWith("Negotiated speed:")) speed = parseSpeedLine(line);
    else if (line === "Device Descriptor:") {
      readers.push(new DeviceReader(title, speed));
      title = "";
      speed = undefined;
    } else readers.at(-1)?.read(line);
  }
  return readers.map((it) => it.finish());
}

/** Reads the lines of one device. */
class DeviceReader {
  readonly #title: string;
  readonly #speed: Speed | undefined;
  readonly #strings: Record<number, string> = {};
  readonly #descriptors: number[] = [];
  readonly #bos: number[] = [];
  readonly #incomplete: string[] = [];
  /** The descriptor that is being read. */
  #fields: Field[] = [];
  /** Bytes that follow the fields. */
  #tail: number[] = [];
  /** Type and subtype of a descriptor that is printed without. */
  #head: readonly number[] | undefined;
  #streams = 0;
  #configuration:
    | { readonly at: number; readonly bytes: readonly number[] }
    | undefined;
  /** The last field of a companion, unless the text has it. */
  #perInterval: Field | undefined;

  constructor(title: string, speed: Speed | undefined) {
    this.#title = title;
    this.#speed = speed;
  }

  read(line: string): void {
    const field = parseField(line);
    if (field?.name === "bLength") this.#end();
    if (field?.name === "bMaxBurst" && this.#isEndpoint()) this.#companion();
    if (field) this.#add(field);
    const [, milliamperes] = /^MaxPower +(\d+)mA/.exec(line) ?? [];
    if (milliamperes !== undefined) {
      const unit = isUsb3(this.#descriptors) ? 8 : 2;
      const value = Math.round(Number(milliamperes) / unit);
      this.#add({ name: "bMaxPower", value, size: 1, text: "" });
    }
    const [, what, attribute] = /^(MaxStreams|Mult) +(\d+)/.exec(line) ?? [];
    if (attribute !== undefined) {
      const number = Number(attribute);
      this.#streams = what === "Mult" ? number : Math.log2(number);
    }
    const [, kind, bytes] =
      /^(?:\*\* )?(UNRECOGNIZED|junk at descriptor end)\D*: +([0-9a-f ]+)$/i
        .exec(line) ?? [];
    if (bytes !== undefined) {
      const values = bytes.trim().split(/ +/).map((it) => parseInt(it, 16));
      if (kind.startsWith("junk")) this.#tail.push(...values);
      else {
        this.#end();
        this.#tail = values;
        this.#end();
      }
    }
    const [, heading] = /^(.*):$/.exec(line) ?? [];
    if (heading !== undefined && Object.hasOwn(CDC_SUBTYPES, heading)) {
      this.#end();
      this.#head = [DescriptorType.CS_INTERFACE, CDC_SUBTYPES[heading]];
    } else if (heading?.endsWith("Descriptor")) this.#end();
  }

  #add(field: Field): void {
    const { name, value, text } = field;
    if (this.#fields.length === 0 && name !== "bLength" && !this.#head) return;
    this.#fields.push(field);
    if (!/^i[A-Z]/.test(name) || value === 0 || /^(\(.*\))?$/.test(text)) {
      return;
    }
    this.#strings[value] = text;
  }

  #isEndpoint(): boolean {
    return this.#fields[1]?.value === DescriptorType.ENDPOINT;
  }

  /** Begins a companion, of which lsusb prints some fields below those of its endpoint. */
  #companion(): void {
    const [, , , attributes, size] = this.#fields.map((it) => it.value);
    this.#end();
    const type = DescriptorType.SUPERSPEED_ENDPOINT_COMPANION;
    this.#add({ name: "bLength", value: 6, size: 1, text: "" });
    this.#add({ name: "bDescriptorType", value: type, size: 1, text: "" });
    const isBulk = attributesTransferType(attributes) === "bulk";
    if (!isBulk) {
      this.#incomplete.push(
        `The companion at byte ${this.#descriptors.length} has bytes per interval, and the text does not show them: they are taken for ${size}`,
      );
    }
    const bytes = isBulk ? 0 : size;
    this.#perInterval = { name: "wBytes", value: bytes, size: 2, text: "" };
  }

  /** Ends the descriptor that is being read. */
  #end(): void {
    if (
      this.#perInterval &&
      !this.#fields.some((it) => it.name.startsWith("wBytes"))
    ) {
      this.#fields.push(this.#perInterval);
    }
    this.#perInterval = undefined;
    const head = this.#head;
    const bytes = [
      ...(head ? [0, ...head] : []),
      ...encodeFields(this.#fields),
      ...this.#tail,
    ];
    const streams = this.#streams;
    this.#fields = [];
    this.#tail = [];
    this.#head = undefined;
    this.#streams = 0;
    if (bytes.length < 2) return;
    if (head) bytes[0] = bytes.length;
    const [length, type] = bytes;
    if (SEPARATE.has(type)) return;
    if (type === DescriptorType.SUPERSPEED_ENDPOINT_COMPANION) {
      // The text has the attributes as another number, and leaves zeros out.
      const [low = 0, high = 0] = bytes.slice(3);
      bytes.splice(3, 3, streams, low, high);
    }
    const isBos = type === DescriptorType.BOS ||
      type === DescriptorType.DEVICE_CAPABILITY;
    if (type === DescriptorType.CONFIGURATION) {
      this.#endConfiguration();
      this.#configuration = { at: this.#descriptors.length, bytes };
    }
    const target = isBos ? this.#bos : this.#descriptors;
    if (bytes.length !== length) {
      this.#incomplete.push(
        `Descriptor ${
          hex(type)
        } at byte ${target.length} has ${length} bytes, and the text shows ${bytes.length}`,
      );
    }
    for (let i = 0; i < length; i++) target.push(bytes[i] ?? 0);
  }

  /** Compares the length of a configuration with what the text has shown. */
  #endConfiguration(): void {
    if (this.#configuration === undefined) return;
    const { at, bytes } = this.#configuration;
    const total = u16(Uint8Array.from(bytes), 2);
    const length = this.#descriptors.length - at;
    if (length === total) return;
    this.#incomplete.push(
      `The configuration at byte ${at} has ${total} bytes, and the text shows ${length}`,
    );
  }

  finish(): LsusbDevice {
    this.#end();
    this.#endConfiguration();
    return {
      title: this.#title,
      device: {
        descriptors: Uint8Array.from(this.#descriptors),
        ...(this.#speed ? { speed: this.#speed } : {}),
        strings: this.#strings,
        ...(this.#bos.length > 0 ? { bos: Uint8Array.from(this.#bos) } : {}),
      },
      incomplete: this.#incomplete,
    };
  }
}
