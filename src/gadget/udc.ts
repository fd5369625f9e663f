/**
 * USB device controllers (UDCs), as sysfs shows them.
 *
 * @module
 */
import { exists, list, readTextFile } from "../../ffi/file.ts";

const UDC_CLASS = "/sys/class/udc";

/**
 * State of a UDC, as the USB specification names it (`usb_state_string()` in
 * the kernel). `"not attached"` is one without a gadget or without a host.
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

/** A USB device controller of this machine. */
export interface Udc {
  /** Its name, such as `"fe980000.usb"` or `"dummy_udc.0"`. */
  readonly name: string;
  /** Where it stands. */
  readonly state: UdcState;
  /** The gadget driver that has it, or `""`: a gadget's name, or `"g_ffs"`. */
  readonly driver: string;
  /** The fastest speed that it can, such as `"super-speed"`. */
  readonly maximumSpeed: string;
  /** The speed of the current connection, `"UNKNOWN"` without one. */
  readonly currentSpeed: string;
}

/**
 * Lists the USB device controllers of this machine, by name.
 *
 * @returns An empty array on a machine without one.
 */
export function listUdcs(): Udc[] {
  if (!exists(UDC_CLASS)) return [];
  return list(UDC_CLASS).map(({ name }) => readUdc(name))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Reads what sysfs says about one controller. */
export function readUdc(name: string): Udc {
  const read = (attribute: string) =>
    readTextFile(`${UDC_CLASS}/${name}/${attribute}`, {
      action: `read state of UDC "${name}"`,
    });
  return {
    name,
    state: read("state") as UdcState,
    driver: read("function"),
    maximumSpeed: read("maximum_speed"),
    currentSpeed: read("current_speed"),
  };
}

/**
 * Chooses the controller for a gadget: the one that is named, or the first one
 * that is free.
 *
 * @throws {Deno.errors.NotFound} If there is none, or none of that name.
 * @throws {Deno.errors.Busy} If all that may be chosen have a gadget.
 */
export function chooseUdc(udcs: readonly Udc[], name?: string): Udc {
  if (udcs.length === 0) {
    throw new Deno.errors.NotFound(
      "Cannot find a USB device controller: this machine has none, or its " +
        'driver is not loaded (for a virtual one: "modprobe dummy_hcd")',
    );
  }
  const candidates = name === undefined
    ? udcs
    : udcs.filter((udc) => udc.name === name);
  if (candidates.length === 0) {
    const names = udcs.map((udc) => `"${udc.name}"`).join(", ");
    throw new Deno.errors.NotFound(
      `Cannot find USB device controller "${name}": this machine has ${names}`,
    );
  }
  const free = candidates.find((udc) => udc.driver === "");
  if (free === undefined) {
    const owners = candidates.map((udc) => `"${udc.name}" by "${udc.driver}"`);
    throw new Deno.errors.Busy(
      `Cannot get a USB device controller: ${owners.join(", ")} is taken`,
    );
  }
  return free;
}
