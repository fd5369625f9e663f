/**
 * Who has a USB device controller.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { list, readTextFile } from "../../ffi/file.ts";
import { readClaim } from "./claim.ts";
import { gadgetsDirectory } from "./remedies.ts";
import { listUdcs } from "./udc.ts";

/** Who has a controller, in words; `undefined` if it is free or not there. */
export function udcOwner(udc: string): string | undefined {
  const { driver } = listUdcs().find(({ name }) => name === udc) ?? {};
  if (driver === undefined || driver === "") return undefined;
  const gadget = gadgetOfUdc(udc);
  if (gadget === undefined) return `the gadget driver "${driver}"`;
  const claim = readClaim(gadget);
  switch (claim?.owner) {
    case "dead":
      return `the gadget "${gadget}", which a process that has ended left behind; remove it with Gadget.cleanUp()`;
    case "alive":
      return `the gadget "${gadget}" of process ${claim.pid}`;
    default:
      return `the gadget "${gadget}"`;
  }
}

function gadgetOfUdc(udc: string): string | undefined {
  const directory = gadgetsDirectory();
  return list(directory).map(({ name }) => name).find((name) => {
    try {
      return readTextFile(`${directory}/${name}/UDC`) === udc;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return false; // Gone by now.
      throw error;
    }
  });
}
