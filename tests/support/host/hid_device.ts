/**
 * A gadget's HID interface as the host's kernel has parsed it.
 *
 * @module
 */
import {
  exists,
  list,
  readFile,
  readlinkIfThere,
  realPath,
} from "../../../ffi/file.ts";
import { pause, unlessGone } from "../../../src/testing/usbfs/sysfs.ts";
import { shell } from "../machine/shell.ts";

const DEVICES = "/sys/bus/hid/devices";
const DEBUG = "/sys/kernel/debug";
const POLL_MS = 10;
const TIMEOUT_MS = 180_000;

/** Selects a HID interface. */
export interface HidMatch {
  readonly vendorId: number;
  readonly productId: number;
  /** Any interface of the device matches if it is undefined. */
  readonly interfaceNumber?: number;
}

/** A HID interface on the host. */
export interface HidDevice {
  /** Its name in sysfs: bus, vendor, product and a number of its own. */
  readonly name: string;
  /** Its folder in sysfs. */
  readonly sysfsPath: string;
  /** Such as `"hid-generic"`. */
  readonly driver: string;
  /** Such as `/dev/hidraw0`. */
  readonly hidraw: string;
  /** Undefined if it is not a USB device. */
  readonly interfaceNumber?: number;
}

/** A report as the kernel has parsed it; it leaves out constant padding. */
export interface KernelReport {
  readonly type: "input" | "output" | "feature";
  /** 0 if the device has no report IDs. */
  readonly id: number;
  readonly fields: readonly KernelField[];
}

/** A field of a report. What is zero or empty in the kernel is so here. */
export interface KernelField {
  /** The names of usages, such as `"GenericDesktop.X"`, differ between kernels. */
  readonly application: string;
  readonly logical: string;
  readonly physical: string;
  readonly usages: readonly string[];
  readonly logicalMinimum: number;
  readonly logicalMaximum: number;
  readonly physicalMinimum: number;
  readonly physicalMaximum: number;
  readonly unitExponent: number;
  readonly unit: string;
  /** Bits of one value. */
  readonly size: number;
  /** Values. */
  readonly count: number;
  /** Bits before the field, without the report ID. */
  readonly offset: number;
  /** Such as `["Variable", "Absolute"]`. */
  readonly flags: readonly string[];
}

/** How the kernel has understood a report descriptor. */
export interface KernelParse {
  readonly descriptor: Uint8Array;
  readonly reports: readonly KernelReport[];
  /** The event of each usage that has one: `"Keyboard.0004"` to `"Key.A"`. */
  readonly mappings: readonly (readonly [usage: string, event: string])[];
}

/** Waits until a driver of the host has exactly one interface that matches. */
export async function waitForHidDevice(match: HidMatch): Promise<HidDevice> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const all = (unlessGone(() => list(DEVICES)) ?? []).map(({ name }) => name);
    const devices = all.filter((name) => hasIds(name, match))
      .flatMap((name) => unlessGone(() => readDevice(name)) ?? [])
      .filter(({ interfaceNumber }) =>
        match.interfaceNumber === undefined ||
        match.interfaceNumber === interfaceNumber
      );
    if (devices.length === 1) return devices[0];
    if (performance.now() > end) {
      throw new Error(
        `Cannot find one HID interface of ${
          hexIds(match)
        } in ${TIMEOUT_MS} ms: there is ${all.join(", ") || "none at all"}`,
      );
    }
    await pause(POLL_MS);
  }
}

/** Reads the report descriptor as the kernel got it. */
export function reportDescriptorOf(
  { sysfsPath }: HidDevice,
): Uint8Array<ArrayBuffer> {
  return readFile(`${sysfsPath}/report_descriptor`);
}

/** Reads how the kernel has understood the report descriptor. */
export async function kernelParseOf({ name }: HidDevice): Promise<KernelParse> {
  if (!exists(`${DEBUG}/hid`)) await shell(`mount -t debugfs debugfs ${DEBUG}`);
  // On another thread: a driver may be waiting for the gadget, with the lock that
  // this file takes.
  return parseKernelText(await Deno.readTextFile(`${DEBUG}/hid/${name}/rdesc`));
}

/**
 * Reads the text of `rdesc` in debugfs: the bytes, the reports with their fields,
 * and the events of the usages, each followed by an empty line.
 */
export function parseKernelText(text: string): KernelParse {
  const [bytes, reports = "", mappings = ""] = text.split("\n\n");
  return {
    descriptor: Uint8Array.fromHex(bytes.replaceAll(/\s/g, "")),
    reports: splitBefore(reports, /^ {2}(?=[A-Z])/m).map(parseReport),
    mappings: [...mappings.matchAll(/^(.*) ---> (.*)$/gm)]
      .map(([, usage, event]) => [usage.trim(), event.trim()] as const)
      .filter(([, event]) => !/^(Sync\.Report|\?\.)/.test(event)),
  };
}

/** The pieces of a text that begin with a pattern. */
function splitBefore(text: string, pattern: RegExp): string[] {
  return text.split(pattern).filter((piece) => piece.trim() !== "");
}

function parseReport(text: string): KernelReport {
  const [, type, id = "0"] = /^(INPUT|OUTPUT|FEATURE)(?:\((\d+)\))?\[/.exec(
    text,
  ) ?? [];
  if (type === undefined) {
    throw new Error(`Cannot read a report of the kernel: ${text}`);
  }
  return {
    type: type.toLowerCase() as KernelReport["type"],
    id: Number(id),
    fields: splitBefore(text, /^ {4}(?=Field\(\d+\))/m).slice(1)
      .map(parseField),
  };
}

function parseField(text: string): KernelField {
  const value = (name: string) =>
    new RegExp(`^ {6}${name}\\((.*)\\)$`, "m").exec(text)?.[1].trim() ?? "";
  const number = (name: string) => Number(value(name));
  return {
    application: value("Application"),
    logical: value("Logical"),
    physical: value("Physical"),
    usages: [...text.matchAll(/^ {8}(\S.*)$/gm)].map(([, usage]) => usage),
    logicalMinimum: number("Logical Minimum"),
    logicalMaximum: number("Logical Maximum"),
    physicalMinimum: number("Physical Minimum"),
    physicalMaximum: number("Physical Maximum"),
    unitExponent: number("Unit Exponent"),
    unit: value("Unit"),
    size: number("Report Size"),
    count: number("Report Count"),
    offset: number("Report Offset"),
    flags: value("Flags").split(" ").filter((flag) => flag !== ""),
  };
}

function readDevice(name: string): HidDevice | undefined {
  // .../1-1/1-1:1.0/0003:1209:0001.0001
  const sysfsPath = realPath(`${DEVICES}/${name}`);
  const driver = readlinkIfThere(`${sysfsPath}/driver`);
  if (driver === undefined || !exists(`${sysfsPath}/hidraw`)) return undefined;
  const usb = /\/[\d.-]+:\d+\.(\d+)\/[^/]+$/.exec(sysfsPath)?.[1];
  return {
    name,
    sysfsPath,
    driver: driver.slice(driver.lastIndexOf("/") + 1),
    hidraw: `/dev/${list(`${sysfsPath}/hidraw`)[0].name}`,
    ...(usb === undefined ? {} : { interfaceNumber: Number(usb) }),
  };
}

function hasIds(name: string, match: HidMatch): boolean {
  return name.toLowerCase().slice(5, 14) === hexIds(match);
}

function hexIds({ vendorId, productId }: HidMatch): string {
  return [vendorId, productId].map((id) => id.toString(16).padStart(4, "0"))
    .join(":");
}
