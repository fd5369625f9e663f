/**
 * Class requests of human interface devices (HID 1.11, 7.2).
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  NUMBER,
  type Rules,
} from "../../arguments/rules.ts";
import { type SetupRequest, unhandled } from "../../usb/control.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "../../usb/control_routes.ts";

/** Values of `bRequest` of HID class requests. */
export const HidRequest = {
  GET_REPORT: 0x01,
  GET_IDLE: 0x02,
  GET_PROTOCOL: 0x03,
  SET_REPORT: 0x09,
  SET_IDLE: 0x0a,
  SET_PROTOCOL: 0x0b,
} as const;

/** A report that the host asks for or sends by a control request. */
export interface HidReport {
  /** What the report is. */
  readonly type: "input" | "output" | "feature";
  /** The report ID, 0 where the report descriptor has none. */
  readonly id: number;
  /** The interface, counted within the function. */
  readonly interface: number;
}

/** What a HID function does with class requests. */
export interface HidRequestOptions {
  /**
   * The interface that they are for, counted within the function.
   *
   * @default {undefined} All.
   */
  readonly interface?: number;
  /**
   * GET_REPORT: returns the report, its ID first if it has one, or
   * {@linkcode unhandled} where there is none. Hosts use it to learn the state
   * of a device; every device should answer for its input reports.
   *
   * @default {undefined} All are stalled.
   */
  readonly getReport?: (
    report: HidReport,
    length: number,
  ) => Uint8Array | typeof unhandled | Promise<Uint8Array | typeof unhandled>;
  /**
   * SET_REPORT: takes a report, its ID first if it has one. For a keyboard
   * without an OUT endpoint this is how its lights are switched.
   *
   * @default {undefined} All are stalled.
   */
  readonly setReport?: (
    report: HidReport,
    data: Uint8Array<ArrayBuffer>,
  ) => void | Promise<void>;
  /**
   * SET_IDLE: how often the host wants an input report that has not changed,
   * in milliseconds; 0 is never. Report ID 0 means all. When the session ends,
   * it is called with 0 for all, if the host has set another value.
   *
   * @default {undefined} The value is kept for GET_IDLE.
   */
  readonly onIdle?: (milliseconds: number, reportId: number) => void;
  /**
   * SET_PROTOCOL: whether the host wants the fixed reports of the boot
   * protocol, as a BIOS does. When the session ends, it is called with
   * `"report"`, if the host has set the other one (HID 1.11, 7.2.6).
   *
   * @default {undefined} The value is kept for GET_PROTOCOL.
   */
  readonly onProtocol?: (protocol: "boot" | "report") => void;
}

const REPORT_TYPES = ["input", "output", "feature"] as const;
/** The unit of idle rates, in milliseconds. */
const IDLE_UNIT = 4;
const PROTOCOLS = ["boot", "report"] as const;
/** The place of the default. */
const REPORT = 1;

const OPTIONS: Rules<HidRequestOptions> = {
  interface: NUMBER,
  getReport: CALLBACK,
  setReport: CALLBACK,
  onIdle: CALLBACK,
  onProtocol: CALLBACK,
};

/**
 * Routes of the HID class requests. Idle rate and protocol are kept until the
 * host resets or leaves the device; the descriptors are answered by the package.
 *
 * @param options What to do with them.
 * @returns Routes for {@linkcode controlRoutes}.
 * @throws {TypeError} When an option is of another type.
 *
 * @example Usage
 * ```ts
 * import { controlRoutes, hid, usbFunction } from "@usb/gadget";
 * import { hidRequests } from "@usb/gadget/hid";
 *
 * const report = new Uint8Array([0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0]);
 * const keys = new Uint8Array(8);
 * const keyboard = usbFunction({
 *   name: "keyboard",
 *   interfaces: [{ class: 0x03, descriptors: [hid({ report })] }],
 *   control: controlRoutes(hidRequests({
 *     getReport: () => keys,
 *     setReport: (_, [lights]) => console.log("caps lock:", (lights & 2) !== 0),
 *   })),
 * });
 * ```
 */
export function hidRequests(options: HidRequestOptions = {}): ControlRoute[] {
  checkOptions("answer HID requests", options, OPTIONS);
  const { getReport, setReport, onIdle, onProtocol } = options;
  const idleRates = new Map<number, number>();
  let protocol = REPORT;
  let changed = false;
  /** Goes back to the defaults when the session ends. */
  const resetLater = (setup: SetupRequest) => {
    if (changed) return;
    changed = true;
    setup.onSessionEnd(() => {
      const wasBoot = protocol !== REPORT;
      const wasIdle = [...idleRates.values()].some((rate) => rate !== 0);
      changed = false;
      protocol = REPORT;
      idleRates.clear();
      try {
        if (wasBoot) onProtocol?.("report");
      } finally {
        if (wasIdle) onIdle?.(0, 0);
      }
    });
  };
  const route = classRoute.bind(undefined, options.interface);
  return [
    route("in", HidRequest.GET_REPORT, ({ value, index, length }) => {
      const report = reportOf(value, index);
      if (report === undefined) return unhandled;
      return getReport?.(report, length) ?? unhandled;
    }),
    route("out", HidRequest.SET_REPORT, async (setup) => {
      const report = reportOf(setup.value, setup.index);
      if (setReport === undefined || report === undefined) return unhandled;
      const data = await setup.receive();
      return acknowledge(() => setReport(report, data));
    }),
    route("in", HidRequest.GET_IDLE, ({ value }) => {
      const rate = idleRates.get(value & 0xff) ?? idleRates.get(0) ?? 0;
      return Uint8Array.of(rate);
    }),
    route("out", HidRequest.SET_IDLE, (setup) => {
      const { value } = setup;
      const id = value & 0xff;
      resetLater(setup);
      if (id === 0) idleRates.clear();
      idleRates.set(id, value >> 8);
      return acknowledge(() => onIdle?.((value >> 8) * IDLE_UNIT, id));
    }),
    route("in", HidRequest.GET_PROTOCOL, () => Uint8Array.of(protocol)),
    route("out", HidRequest.SET_PROTOCOL, (setup) => {
      const { value } = setup;
      if (value >= PROTOCOLS.length) return unhandled;
      resetLater(setup);
      protocol = value;
      return acknowledge(() => onProtocol?.(PROTOCOLS[value]));
    }),
  ];
}

/** `wValue`: the type in the high byte, the ID in the low one. */
function reportOf(value: number, index: number): HidReport | undefined {
  const type = REPORT_TYPES[(value >> 8) - 1];
  return type && { type, id: value & 0xff, interface: index };
}
