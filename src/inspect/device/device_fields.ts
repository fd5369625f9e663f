/**
 * The fields of device and configuration descriptors.
 *
 * @module
 */
import { hex, show } from "../../arguments/show.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type {
  ConfigurationDefinition,
  GadgetDefinition,
} from "../../definition/gadget.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";
import { u16 } from "../decode_descriptors.ts";
import type { ConfigurationSource, Source } from "./device_descriptors.ts";
import { SUPER_SPEED_PACKET } from "./device_speed.ts";
import type { DeviceProblems } from "./problems.ts";

/** The fields of a gadget that a device descriptor has. */
export type DeviceFields = Omit<
  GadgetDefinition,
  "functions" | "configurations" | "maxSpeed" | "webUsb"
>;

/** `bcdUSB` that the kernel writes. */
const USB_VERSIONS: Readonly<Record<FunctionSpeed, readonly number[]>> = {
  full: [0x0200, 0x0201, 0x0210],
  high: [0x0200, 0x0201, 0x0210],
  super: [0x0320],
};
/** CONFIG_USB_GADGET_VBUS_DRAW, which the kernel takes in place of 0 if a configuration is bus powered. */
const VBUS_DRAW = 2;

/** Returns what the device descriptor says. */
export function deviceFields(
  device: Source,
  speed: FunctionSpeed,
  problems: DeviceProblems,
): DeviceFields {
  const { bytes } = device;
  const change = (rule: string, message: string) =>
    problems.changed(device, rule, message);
  const usbVersion = u16(bytes, 2);
  if (!USB_VERSIONS[speed].includes(usbVersion)) {
    change(
      "usb-version",
      `bcdUSB is ${
        speed === "super" ? "0x0320" : "0x0200 to 0x0210"
      } in place of ${hex(usbVersion, 4)}: the kernel writes it`,
    );
  }
  const packet = speed === "super" ? SUPER_SPEED_PACKET : 64;
  if (bytes[7] !== packet) {
    change(
      "packet-size",
      `bMaxPacketSize0 is ${packet} in place of ${
        bytes[7]
      }: it is that of the controller`,
    );
  }
  const release = u16(bytes, 12);
  const deviceVersion = decimalVersion(release);
  if (deviceVersion !== release) {
    change(
      "version",
      `bcdDevice is ${hex(deviceVersion, 4)} in place of ${
        hex(release, 4)
      }: configfs takes decimal digits only`,
    );
  }
  const manufacturer = problems.text(device, "iManufacturer", bytes[14]);
  const product = problems.text(device, "iProduct", bytes[15]);
  const serialNumber = problems.text(device, "iSerialNumber", bytes[16]);
  return {
    vendorId: u16(bytes, 8),
    productId: u16(bytes, 10),
    deviceVersion,
    class: bytes[4],
    subclass: bytes[5],
    protocol: bytes[6],
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(product === undefined ? {} : { product }),
    ...(serialNumber === undefined
      ? {}
      : { serialNumber: oneText(device, serialNumber, problems) }),
  };
}

/** Replaces the digits that are not decimal. */
function decimalVersion(release: number): number {
  return parseInt(release.toString(16).replace(/[a-f]/g, "9"), 16);
}

/** Returns the text of all languages. */
function oneText(
  device: Source,
  text: LocalizedString,
  problems: DeviceProblems,
): string {
  if (typeof text === "string") return text;
  const [first = "", ...others] = Object.values(text);
  if (others.some((it) => it !== first)) {
    const { offset } = device;
    problems.changed(
      { place: "device, iSerialNumber", offset },
      "language",
      `It is ${show(first)} in all languages: configfs has one serial number`,
    );
  }
  return first;
}

/** Returns what a configuration descriptor says. */
export function configurationFields(
  configuration: ConfigurationSource,
  index: number,
  speed: FunctionSpeed,
  problems: DeviceProblems,
): Omit<ConfigurationDefinition, "functions"> {
  const { bytes, length, settings } = configuration;
  const change = (rule: string, message: string) =>
    problems.changed(configuration, rule, message);
  const [, , , , interfaceCount, value, string, attributes] = bytes;
  if (value !== index + 1) {
    change(
      "configurations",
      `bConfigurationValue is ${
        index + 1
      } in place of ${value}: configurations are numbered from 1`,
    );
  }
  const real = new Set(settings.map((it) => it.number)).size;
  if (interfaceCount !== real) {
    change(
      "interfaces",
      `bNumInterfaces is ${real} in place of ${interfaceCount}: it is the number of interfaces with descriptors`,
    );
  }
  if (u16(bytes, 2) !== length) {
    change(
      "total-length",
      `wTotalLength is ${
        u16(bytes, 2)
      }, and the descriptors have ${length} bytes: the kernel counts those that the gadget has`,
    );
  }
  const known = 0x80 | attributes & 0x60;
  if (attributes !== known) {
    change(
      "reserved-bits",
      `bmAttributes is ${hex(known)} in place of ${
        hex(attributes)
      }: a definition has self powered and remote wakeup only`,
    );
  }
  const description = problems.text(configuration, "iConfiguration", string);
  return {
    ...(description === undefined ? {} : { description }),
    maxPower: maxPowerOf(configuration, speed, problems),
    selfPowered: (attributes & 0x40) !== 0,
    remoteWakeup: (attributes & 0x20) !== 0,
  };
}

/** Returns the current that the kernel will write as bMaxPower, or the nearest. */
function maxPowerOf(
  configuration: ConfigurationSource,
  speed: FunctionSpeed,
  problems: DeviceProblems,
): number {
  const [, , , , , , , attributes, power] = configuration.bytes;
  const [unit, greatest] = speed === "super" ? [8, 900] : [2, 500];
  const wanted = power * unit;
  const isBusPowered = (attributes & 0x40) === 0;
  const real = wanted === 0 && isBusPowered && speed !== "super"
    ? VBUS_DRAW
    : Math.min(wanted, greatest);
  if (real !== wanted) {
    problems.changed(
      configuration,
      "max-power",
      `MaxPower is ${real} mA in place of ${wanted} mA: the kernel ${
        wanted === 0
          ? "has no bus-powered configuration without current"
          : "grants no more"
      }`,
    );
  }
  return Math.min(wanted, greatest);
}
