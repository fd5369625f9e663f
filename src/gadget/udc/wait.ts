/**
 * Waiting for controllers, and for what happens to them.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import {
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
  TEXT,
} from "../../arguments/rules.ts";
import {
  checkUdcName,
  findUdc,
  freeUdcs,
  listUdcs,
  type Udc,
  UDC_STATES,
  type UdcState,
} from "./udc.ts";

const POLL_MS = 10;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Which UDC to wait for, and how long.
 *
 * @category Controllers
 */
export interface UdcWaitOptions {
  /**
   * The name of the controller, which need not exist yet.
   * @default {any controller}
   */
  readonly name?: string;
  /**
   * The state, or several of which one is enough.
   * @default {existing; without a name: no gadget uses it}
   */
  readonly state?: UdcState | readonly UdcState[];
  /**
   * Milliseconds; `Infinity` has no end.
   * @default {10000}
   */
  readonly timeout?: number;
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Waits for a controller: until it exists, as at boot or for one that is plugged
 * in; until one is free; or until one is in a state, such as `"configured"`, in
 * which a host has chosen a configuration.
 *
 * Of several free controllers, those of hardware come before virtual ones
 * (dummy_hcd, USB/IP).
 *
 * @returns The controller, as it was found.
 * @throws {TypeError} If an option is unknown or of another type, or a state is
 * unknown.
 * @throws {RangeError} If the timeout is negative.
 * @throws {Deno.errors.TimedOut} If there is no such controller in time.
 *
 * @example A gadget that starts at boot, perhaps before its controller
 * ```ts ignore
 * const udc = await waitForUdc({ timeout: Infinity });
 * await Gadget.start(definition, { udc: udc.name });
 * ```
 *
 * @category Controllers
 */
export async function waitForUdc(options: UdcWaitOptions = {}): Promise<Udc> {
  const action = "wait for a UDC";
  checkOptions(action, options, WAIT_OPTIONS);
  const { name, timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  if (name !== undefined) checkUdcName(name);
  if (!(timeout >= 0)) {
    throw new RangeError(
      `Cannot ${action}: "timeout" must be 0 or more, is ${timeout}`,
    );
  }
  const end = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    const udc = find(options);
    if (udc !== undefined) return udc;
    if (performance.now() >= end) {
      throw errorOf(Errno.ETIMEDOUT, explain(options, timeout), {
        syscall: "read",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const STATE = oneOf(...UDC_STATES);

const STATES = {
  expected: `${STATE.expected}, or an array of them`,
  accepts: (value: unknown) =>
    Array.isArray(value)
      ? value.length > 0 && value.every(STATE.accepts)
      : STATE.accepts(value),
};

const WAIT_OPTIONS: Rules<UdcWaitOptions> = {
  name: TEXT,
  state: STATES,
  timeout: NUMBER,
  signal: SIGNAL,
};

function find({ name, state }: UdcWaitOptions): Udc | undefined {
  if (name === undefined && state === undefined) return freeUdcs()[0];
  const udcs = candidates(name);
  return state === undefined
    ? udcs[0]
    : udcs.find((udc) => [state].flat().includes(udc.state));
}

/** The controllers that exist, of those that are waited for. */
function candidates(name: string | undefined): Udc[] {
  if (name === undefined) return listUdcs();
  const udc = findUdc(name);
  return udc === undefined ? [] : [udc];
}

function explain({ name, state }: UdcWaitOptions, timeout: number): string {
  const which = name === undefined ? "a UDC" : `UDC "${name}"`;
  const states = state && [state].flat().map((it) => `"${it}"`).join(" or ");
  const what = states
    ? `to become ${states}`
    : name === undefined
    ? "that is free"
    : "to exist";
  const now = candidates(name).map((udc) =>
    `"${udc.name}" is "${udc.state}"${
      udc.driver === "" ? ", without a gadget" : ""
    }`
  );
  return `Timed out waiting for ${which} ${what}: after ${timeout} ms ${
    now.join("; ") || "there is none"
  }`;
}
