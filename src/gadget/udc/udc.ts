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
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
  TEXT,
} from "../../arguments/rules.ts";

/** Their directory in sysfs. */
export const UDC_CLASS = "/sys/class/udc";

const POLL_MS = 10;
const DEFAULT_TIMEOUT_MS = 10_000;

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

/**
 * A USB device controller of this machine.
 *
 * @category Controllers
 */
export interface Udc {
  /** Its name, such as `"fe980000.usb"` or `"dummy_udc.0"`. */
  readonly name: string;
  /** The state of its connection to a host. */
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
 * How to wait for a UDC.
 *
 * @category Controllers
 */
export interface UdcWaitOptions {
  /**
   * Milliseconds.
   * @default {10000}
   */
  readonly timeout?: number;
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Lists the USB device controllers of this machine, by name.
 *
 * @category Controllers
 */
export function listUdcs(): Udc[] {
  if (!exists(UDC_CLASS)) return [];
  return list(UDC_CLASS).flatMap(({ name }) => {
    try {
      return [readUdc(name)];
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENODEV")) return []; // Gone by now.
      throw error;
    }
  }).sort((a, b) => a.name < b.name ? -1 : 1);
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
 * Waits until a controller is in a state, such as `"configured"`: a host has
 * chosen a configuration.
 *
 * @param state The state, or several of which one is enough.
 * @returns The controller, in that state.
 * @throws {TypeError} If an argument is of another type, or a state is unknown.
 * @throws {Deno.errors.TimedOut} If it does not reach the state in time.
 *
 * @category Controllers
 */
export async function waitForUdc(
  name: string,
  state: UdcState | readonly UdcState[],
  options: UdcWaitOptions = {},
): Promise<Udc> {
  const action = "wait for a UDC";
  checkUdcName(name);
  const states = Array.isArray(state) ? state as UdcState[] : [state];
  for (const each of states) checkArgument(action, "the state", each, STATE);
  checkOptions(action, options, WAIT_OPTIONS);
  const { timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  if (!(timeout >= 0)) {
    throw new RangeError(
      `Cannot ${action}: "timeout" must be 0 or more, is ${timeout}`,
    );
  }
  const end = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    const udc = readUdc(name);
    if (states.includes(udc.state)) return udc;
    if (performance.now() >= end) {
      throw errorOf(
        Errno.ETIMEDOUT,
        `Timed out waiting for UDC "${name}" to become ${
          states.map((it) => `"${it}"`).join(" or ")
        }: after ${timeout} ms it is "${udc.state}"${
          udc.driver === "" ? ", without a gadget" : ""
        }`,
        { syscall: "read" },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
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

const STATE = oneOf(
  "not attached",
  "attached",
  "powered",
  "reconnecting",
  "unauthenticated",
  "default",
  "addressed",
  "configured",
  "suspended",
);
const WAIT_OPTIONS: Rules<UdcWaitOptions> = { timeout: NUMBER, signal: SIGNAL };

function checkUdcName(name: string): void {
  checkArgument("use a UDC", "the name", name, TEXT);
  if (name === "" || name.includes("/") || name === "." || name === "..") {
    throw new TypeError(`Cannot use "${name}" as the name of a UDC`);
  }
}

function controllerDriver(name: string): string {
  try {
    const link = readlink(`${UDC_CLASS}/${name}/device/driver`);
    return link.slice(link.lastIndexOf("/") + 1);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EINVAL")) return "";
    throw error;
  }
}
