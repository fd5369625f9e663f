/**
 * USB device controllers (UDCs), as sysfs shows them.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../../ffi/errno.ts";
import {
  exists,
  list,
  readlink,
  readTextFile,
  writeFile,
} from "../../../ffi/file.ts";
import { checkArgument, FLAG, TEXT } from "../../arguments/rules.ts";

/** Their directory in sysfs. */
export const UDC_CLASS = "/sys/class/udc";

/**
 * State of a UDC, as the USB specification names it (`usb_state_string()` in
 * the kernel). A UDC without a gadget or without a host is `"not attached"`.
 *
 * @category Controllers
 */
export type UdcState =
  | "not attached"
  | "attached"
  | "powered"
  | "reconnecting"
  | "unauthenticated"
  | "default"
  | "addressed"
  | "configured"
  | "suspended";

/** The states, by their numbers in the kernel (`enum usb_device_state`). */
export const UDC_STATES: readonly UdcState[] = [
  "not attached",
  "attached",
  "powered",
  "reconnecting",
  "unauthenticated",
  "default",
  "addressed",
  "configured",
  "suspended",
];

/**
 * A USB device controller of this machine.
 *
 * @category Controllers
 */
export interface Udc {
  /** Its name, such as `"fe980000.usb"` or `"dummy_udc.0"`. */
  readonly name: string;
  /** The state of the connection, as the kernel names it. */
  readonly state: UdcState;
  /** The gadget driver that uses it: a gadget's name, or `"g_ffs"`; `""` if it is free. */
  readonly driver: string;
  /** The fastest speed that it supports, such as `"super-speed"`. */
  readonly maximumSpeed: string;
  /** The speed of the current connection, `"UNKNOWN"` without one. */
  readonly currentSpeed: string;
  /** Whether it supports both roles of OTG. */
  readonly isOtg: boolean;
  /** The kernel driver of the controller itself, such as `"dwc2"`; `""` without one. */
  readonly controllerDriver: string;
}

/**
 * Lists the USB device controllers of this machine, by name.
 *
 * @category Controllers
 */
export function listUdcs(): Udc[] {
  if (!exists(UDC_CLASS)) return [];
  return list(UDC_CLASS).flatMap(({ name }) => findUdc(name) ?? [])
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Reads the state of a controller, if it exists. */
export function findUdc(name: string): Udc | undefined {
  try {
    return readUdc(name);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}

/**
 * Reads the state of a controller from sysfs.
 *
 * @throws {Deno.errors.NotFound} If it does not exist.
 *
 * @category Controllers
 */
export function readUdc(name: string): Udc {
  checkUdcName(name);
  const path = `${UDC_CLASS}/${name}`;
  if (!exists(path)) {
    const names = exists(UDC_CLASS) ? list(UDC_CLASS).map((it) => it.name) : [];
    const others = names.map((it) => `"${it}"`).join(", ") || "none";
    throw errorOf(
      Errno.ENOENT,
      `Cannot read state of UDC "${name}": there is no such controller; this machine has ${others}`,
      { syscall: "open", path },
    );
  }
  const read = (attribute: string) =>
    readTextFile(`${UDC_CLASS}/${name}/${attribute}`, {
      action: `read state of UDC "${name}"`,
    });
  const driver = read("function");
  return {
    name,
    // A controller without a gadget may still report the state of the last one.
    state: driver === "" ? "not attached" : read("state") as UdcState,
    driver,
    maximumSpeed: read("maximum_speed"),
    currentSpeed: read("current_speed"),
    isOtg: read("is_otg") === "1",
    controllerDriver: controllerDriver(name),
  };
}

/** The controllers that no gadget uses, in the order of {@linkcode hardwareFirst}. */
export function freeUdcs(): Udc[] {
  return hardwareFirst(listUdcs()).filter(({ driver }) => driver === "");
}

/** The kernel's driver of controllers for USB/IP. */
export const USB_IP_DRIVER = "usbip-vudc";

/**
 * Puts controllers of hardware before virtual ones (dummy_hcd, USB/IP), which have
 * no host but this machine, or one over a network.
 */
export function hardwareFirst(udcs: readonly Udc[]): Udc[] {
  const isVirtual = ({ controllerDriver }: Udc) =>
    controllerDriver === "dummy_udc" || controllerDriver === USB_IP_DRIVER;
  return udcs.toSorted((a, b) => Number(isVirtual(a)) - Number(isVirtual(b)));
}

/** The gadget driver that uses a controller: `""` if it is free, `undefined` if it does not exist. */
export function readUdcDriver(name: string): string | undefined {
  try {
    return readTextFile(`${UDC_CLASS}/${name}/function`);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}

/**
 * Takes a controller's gadget off the bus, or puts it back, without unbinding
 * it (`soft_connect`). dummy_hcd cannot connect again: unbind and bind the gadget
 * instead.
 *
 * @category Controllers
 */
export function softConnect(name: string, connected: boolean): void {
  checkUdcName(name);
  checkArgument("connect UDC", '"connected"', connected, FLAG);
  const action = connected ? "connect" : "disconnect";
  writeFile(`${UDC_CLASS}/${name}/soft_connect`, action, {
    action: `${action} UDC "${name}"`,
  });
}

/** Throws if it cannot be the name of a controller. */
export function checkUdcName(name: string): void {
  checkArgument("use a UDC", "the name", name, TEXT);
  if (name === "" || name.includes("/") || name === "." || name === "..") {
    throw new TypeError(`Cannot use "${name}" as the name of a UDC`);
  }
}

/** The kernel driver of a controller; `""` if it has none, or does not exist. */
export function controllerDriver(name: string): string {
  try {
    const link = readlink(`${UDC_CLASS}/${name}/device/driver`);
    return link.slice(link.lastIndexOf("/") + 1);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EINVAL")) return "";
    throw error;
  }
}
