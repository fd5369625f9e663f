/**
 * Who has a USB device controller.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { readTextFile } from "../../../ffi/file.ts";
import { readClaim } from "../../state/claim.ts";
import { gadgetsDirectory } from "../../remedies/kernel.ts";
import { readUdcDriver } from "./udc.ts";

/** Who has a controller, in words; `undefined` if it is free or not there. */
export function udcOwner(udc: string): string | undefined {
  const driver = readUdcDriver(udc);
  if (driver === undefined || driver === "") return undefined;
  if (!isGadgetOn(driver, udc)) return `the gadget driver "${driver}"`;
  const claim = readClaim(driver);
  switch (claim?.owner) {
    case "dead":
      return `the gadget "${driver}", which a process that has ended left behind; remove it with Gadget.cleanUp()`;
    case "alive":
      return `the gadget "${driver}" of process ${claim.pid}`;
    default:
      return `the gadget "${driver}"`;
  }
}

/** Whether a driver is a gadget of configfs; others may name a controller that was gone for a while. */
function isGadgetOn(driver: string, udc: string): boolean {
  try {
    return readTextFile(`${gadgetsDirectory()}/${driver}/UDC`) === udc;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
