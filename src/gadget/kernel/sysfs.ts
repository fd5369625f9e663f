/**
 * Where configfs and sysfs show what belongs to a function of the kernel.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, list, readTextFile } from "../../../ffi/file.ts";
import { statusOf } from "../../../ffi/files/status.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  isKernelFunction,
} from "../../definition/gadget.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";
import { readUdcDriver, UDC_CLASS } from "../udc/udc.ts";

/** The network interface of a function with this directory. */
export function findInterface(directory: string): string | undefined {
  const name = read(`${directory}/ifname`);
  // Before it is registered, it has a pattern, or no name.
  return name !== undefined && exists(`/sys/class/net/${name}`)
    ? name
    : undefined;
}

/** The terminal of a function. It exists as long as the function does. */
export function findTerminal(directory: string): string | undefined {
  const port = read(`${directory}/port_num`);
  return port === undefined ? undefined : `/dev/ttyGS${port}`;
}

/** The file by which a program sends reports. */
export function findHidNode(directory: string): string | undefined {
  const numbers = read(`${directory}/dev`);
  return numbers === undefined
    ? undefined
    : deviceFile(`/sys/dev/char/${numbers}`);
}

/**
 * The file of a printer. Nothing connects it with its function, but the kernel
 * gives out the lowest free number when a function is made.
 */
export function findPrinterNode(directory: string): string | undefined {
  const nodes = numbered("/sys/class/usb_printer_gadget", /^g_printer(\d+)$/);
  const gadgets = directory.replace(/\/[^/]+\/functions\/[^/]+$/, "");
  // configfs lists what was made last first; the clock of its files is coarse.
  const printers = listIfThere(gadgets).toReversed()
    .filter((gadget) => isBound(`${gadgets}/${gadget}`, gadget))
    .flatMap((gadget) => {
      const functions = `${gadgets}/${gadget}/functions`;
      return listIfThere(functions).toReversed()
        .filter((name) => name.startsWith("printer."))
        .map((name) => `${functions}/${name}`);
    });
  if (nodes.length !== printers.length) return undefined;
  const madeAt = new Map(
    printers.map((path) => [path, statusOf(path).modified]),
  );
  printers.sort((a, b) => madeAt.get(a)! - madeAt.get(b)!);
  const number = nodes[printers.indexOf(directory)];
  return number === undefined ? undefined : `/dev/g_printer${number}`;
}

/** The file of a camera, on a controller. */
export function findVideoNode(udc: string, name: string): string | undefined {
  for (const device of gadgetDevices(udc)) {
    const path = `${device}/video4linux`;
    const node = listIfThere(path).find((it) =>
      read(`${path}/${it}/function_name`) === name
    );
    if (node !== undefined) return deviceFile(`${path}/${node}`);
  }
  return undefined;
}

/**
 * The number of a function's sound card. The cards of a gadget are registered in
 * the order in which its functions are bound.
 */
export function findCard(
  definition: GadgetDefinition,
  of: KernelFunction,
  udc: string,
): number | undefined {
  const functions = configurationFunctions(definition).flat()
    .filter((it) => isKernelFunction(it))
    .filter((it) => it.type in CARDS);
  const cards = gadgetDevices(udc).flatMap((device) =>
    numbered(`${device}/sound`, /^card(\d+)$/)
  );
  return cards.length === functions.length
    ? cards[functions.findIndex(({ name }) => name === of.name)]
    : undefined;
}

/** Types of functions with a sound card. */
const CARDS = { midi: true, midi2: true, uac1: true, uac2: true };

/** The devices that a controller is for the drivers of gadgets. */
function gadgetDevices(udc: string): string[] {
  const parent = `${UDC_CLASS}/${udc}/device`;
  return listIfThere(parent)
    .filter((name) => /^gadget(\.\d+)?$/.test(name))
    .map((name) => `${parent}/${name}`);
}

function isBound(root: string, gadget: string): boolean {
  const udc = read(`${root}/UDC`) ?? "";
  return udc !== "" && readUdcDriver(udc) === gadget;
}

/** The file of a device, as the kernel names it. */
function deviceFile(device: string): string | undefined {
  const name = read(`${device}/uevent`)?.match(/^DEVNAME=(.+)$/m)?.[1];
  return name === undefined ? undefined : `/dev/${name}`;
}

/** The numbers in names of a directory, in ascending order. */
function numbered(directory: string, pattern: RegExp): number[] {
  return listIfThere(directory)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function listIfThere(directory: string): string[] {
  return exists(directory) ? list(directory).map(({ name }) => name) : [];
}

/** The content of an attribute that may be gone, or not be there yet. */
function read(path: string): string | undefined {
  try {
    return readTextFile(path).trim();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}
