/**
 * The device of a gadget, on the USB host of the same machine.
 *
 * @module
 */
import { realPath } from "../../ffi/file.ts";
import { configurationFunctions, isOwnFunction } from "../definition/gadget.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import type { Gadget } from "../gadget/gadget.ts";
import type { Patience } from "./options.ts";
import {
  describeDevice,
  listUsbDevices,
  matches,
  timedOut,
  type UsbDeviceInfo,
} from "./usbfs/find.ts";
import { pause, unlessGone } from "./usbfs/sysfs.ts";

const POLL_MS = 10;

/** The functions of a gadget that this process serves. */
export function functionsOf(gadget: Gadget): FunctionFs[] {
  return Object.values(gadget.functions);
}

/** Those of them that the selected configuration has. */
export function selectedFunctions(
  gadget: Gadget,
  configuration: number,
): FunctionFs[] {
  const selected = configurationFunctions(gadget.definition)[configuration - 1];
  const names = selected?.filter(isOwnFunction).map(({ name }) => name) ?? [];
  return functionsOf(gadget).filter(({ name }) => names.includes(name));
}

/** Waits until the host has configured a gadget, and its functions know. */
export async function waitForGadget(
  gadget: Gadget,
  { timeout, signal }: Patience,
): Promise<UsbDeviceInfo> {
  const end = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look(gadget);
    if (typeof found !== "string") return found;
    if (performance.now() > end) {
      throw timedOut(
        `Timed out after ${timeout} ms waiting for the host of gadget "${gadget.name}": ${found}`,
      );
    }
    await pause(POLL_MS);
  }
}

/** Waits until the host and the functions have noticed that the device has left. */
export async function waitForAbsence(
  gadget: Gadget,
  left: UsbDeviceInfo,
  { timeout, signal }: Patience,
): Promise<void> {
  const end = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    const devices = await listUsbDevices(gadget.definition);
    const still = devices.some(({ path }) => path === left.path);
    const late = functionsOf(gadget).find(({ state }) =>
      state === "enabled" || state === "bound"
    );
    if (!still && late === undefined) return;
    if (performance.now() > end) {
      throw timedOut(
        `Timed out after ${timeout} ms waiting for gadget "${gadget.name}" to be unplugged: ${
          still
            ? `its host still has ${describeDevice(left)}`
            : `function "${late!.name}" is still "${late!.state}"`
        }`,
      );
    }
    await pause(POLL_MS);
  }
}

/** Returns the device, or why it cannot be used yet. */
async function look(gadget: Gadget): Promise<UsbDeviceInfo | string> {
  if (!gadget.bound) return "it is not bound to a device controller";
  const { definition, udc } = gadget;
  const { vendorId, productId } = definition;
  // An absent field matches any serial number, and the kernel's default is none.
  const match = {
    vendorId,
    productId,
    serialNumber: definition.serialNumber,
  };
  const all = await listUsbDevices(match);
  const devices = all.filter((each) =>
    matches(each, match) && isAt(each, udc.name)
  );
  const [device, another] = devices;
  if (device === undefined) {
    const others = (await listUsbDevices()).map(describeDevice).join(", ");
    return `the USB host of this machine has no device ${
      describeDevice(match)
    }, only ${
      others || "none at all"
    }; its controller "${udc.name}" is "${udc.state}" (a virtual controller such as dummy_hcd has its host in this machine; a real one needs a cable to one of its ports)`;
  }
  if (another !== undefined) {
    return `the host has several such devices: ${
      devices.map(describeDevice).join(", ")
    }; give each gadget a serial number of its own`;
  }
  if (!device.configured) {
    return `the host has found ${
      describeDevice(device)
    }, but selected no configuration; its kernel log (dmesg) says why`;
  }
  const waiting = notEnabled(gadget, device);
  return waiting === undefined
    ? device
    : `the host has configured ${
      describeDevice(device)
    }, but function "${waiting.name}" is "${waiting.state}", not "enabled": does its program read its events?`;
}

/** A function of the selected configuration, if none of them is enabled. */
function notEnabled(
  gadget: Gadget,
  { configuration }: UsbDeviceInfo,
): FunctionFs | undefined {
  return selectedFunctions(gadget, configuration).find(({ state }) =>
    state !== "enabled"
  );
}

/** Whether a device may be that of a controller: dummy_hcd's are on its own buses. */
function isAt({ sysfsPath }: UsbDeviceInfo, udc: string): boolean {
  const number = /^dummy_udc\.(\d+)$/.exec(udc)?.[1];
  if (number === undefined) return true;
  const path = unlessGone(() => realPath(sysfsPath));
  return path?.includes(`/dummy_hcd.${number}/`) ?? false;
}
