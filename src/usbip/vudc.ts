/**
 * The kernel's controller for USB/IP, usbip-vudc, as sysfs shows it
 * (drivers/usb/usbip/vudc_sysfs.c).
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { readFile, readTextFile, writeFile } from "../../ffi/file.ts";
import { readUdc, UDC_CLASS } from "../gadget/udc/udc.ts";
import { type SharedDevice, Status } from "./protocol.ts";

/** No client has the device. */
const AVAILABLE = "1";

/** A device on a controller; `undefined` while no gadget is bound to it. */
export function sharedDevice(
  udc: string,
  number: number,
): SharedDevice | undefined {
  try {
    const { driver, currentSpeed, maximumSpeed } = readUdc(udc);
    if (driver === "") return undefined;
    const descriptor = readFile(attribute(udc, "dev_desc"));
    if (descriptor.length < 18) return undefined;
    const speed = currentSpeed === "UNKNOWN" ? maximumSpeed : currentSpeed;
    return { busId: udc, number, speed, descriptor };
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}

/**
 * Gives a connection to the controller, which keeps it when the caller closes its
 * own file. Returns what the client is to be answered.
 */
export function handOver(udc: string, socket: number): number {
  try {
    if (readTextFile(attribute(udc, "usbip_status")) !== AVAILABLE) {
      return Status.BUSY;
    }
    writeFile(attribute(udc, "usbip_sockfd"), String(socket));
    return Status.OK;
  } catch (error) {
    if (isSystemError(error, "EBUSY")) return Status.BUSY;
    // Unbound meanwhile, or the controller is gone.
    if (isSystemError(error, "ENODEV", "ENOENT")) return Status.NO_DEVICE;
    throw error;
  }
}

/** Ends the connection of a controller, if it has one. */
export function endConnection(udc: string): void {
  try {
    writeFile(attribute(udc, "usbip_sockfd"), "-1");
  } catch (error) {
    // There is none, or the controller is gone.
    if (isSystemError(error, "EINVAL", "ENODEV", "ENOENT")) return;
    throw error;
  }
}

function attribute(udc: string, name: string): string {
  return `${UDC_CLASS}/${udc}/device/${name}`;
}
