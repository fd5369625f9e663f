/**
 * Class requests of human interface devices (HID 1.11, 7.2).
 *
 * @module
 */
import { type SetupRequest, unhandled } from "../../usb/control.ts";
import type { ControlRoute } from "../../usb/control_routes.ts";
import { acknowledge, classRoutes } from "../class_routes.ts";

/**
 * Values of `bRequest` of HID class requests.
 *
 * @category Requests
 */
export const HidRequest = {
  GET_REPORT: 0x01,
  GET_IDLE: 0x02,
  GET_PROTOCOL: 0x03,
  SET_REPORT: 0x09,
  SET_IDLE: 0x0a,
  SET_PROTOCOL: 0x0b,
} as const;

/**
 * A report that the host reads or writes by a control request.
 *
 * @category Requests
 */
export interface HidReport {
  /** The type of the report. */
  readonly type: "input" | "output" | "feature";
  /** The report ID, or 0 if the report descriptor has none. */
  readonly id: number;
  /** The interface, counted within the function. */
  readonly interface: number;
}

/**
 * Options of {@linkcode hidRequests}.
 *
 * @category Requests
 */
export interface HidRequestOptions {
  /** The interface, counted within the function. Without it, all interfaces. */
  readonly interface?: number;
  /**
   * GET_REPORT: returns the report, its ID first if it has one, or
   * {@linkcode unhandled} if there is none. Hosts use it to learn the state of
   * a device, so every device should answer it for its input reports. Without
   * this callback, the request is stalled.
   */
  readonly getReport?: (
    report: HidReport,
    length: number,
  ) => Uint8Array | typeof unhandled | Promise<Uint8Array | typeof unhandled>;
  /**
   * SET_REPORT: whether the host may set this report, of so many bytes. A
   * request that it may not make is stalled before its data. Without this
   * callback, all are received.
   */
  readonly hasReport?: (report: HidReport, length: number) => boolean;
  /**
   * SET_REPORT: takes a report, its ID first if it has one. The host switches
   * the LEDs of a keyboard without an OUT endpoint this way. Without this
   * callback, the request is stalled.
   */
  readonly setReport?: (
    report: HidReport,
    data: Uint8Array<ArrayBuffer>,
  ) => void | Promise<void>;
  /**
   * SET_IDLE: how often the host wants an unchanged input report, in
   * milliseconds; 0 means never. Report ID 0 means all reports. If the host has
   * set a rate, this is called with 0 for all reports when the session ends.
   */
  readonly onIdle?: (milliseconds: number, reportId: number) => void;
  /**
   * SET_PROTOCOL: whether the host wants the fixed reports of the boot
   * protocol, as a BIOS does. If it does, this is called with `"report"` when
   * the session ends (HID 1.11, 7.2.6).
   */
  readonly onProtocol?: (protocol: "boot" | "report") => void;
}

const REPORT_TYPES = ["input", "output", "feature"] as const;
/** The unit of idle rates, in milliseconds. */
const IDLE_UNIT = 4;
/** Protocols by their number. */
const PROTOCOLS = ["boot", "report"] as const;
/** The number of the default protocol. */
const REPORT = 1;

/**
 * Routes of the HID class requests, for {@linkcode controlRoutes}. Idle rates
 * and the protocol are kept until the session ends. The package answers the
 * requests for HID descriptors itself.
 *
 * @category Requests
 */
export function hidRequests(options: HidRequestOptions = {}): ControlRoute[] {
  const route = classRoutes("HID requests", options, {
    getReport: "function",
    hasReport: "function",
    setReport: "function",
    onIdle: "function",
    onProtocol: "function",
  });
  const { getReport, hasReport, setReport, onIdle, onProtocol } = options;
  const idleRates = new Map<number, number>();
  let protocol = REPORT;
  let changed = false;
  /** Restores the defaults when the session ends. */
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
  return [
    route("in", HidRequest.GET_REPORT, ({ value, index, length }) => {
      const report = reportOf(value, index);
      if (report === undefined) return unhandled;
      return getReport?.(report, length) ?? unhandled;
    }),
    route("out", HidRequest.SET_REPORT, async (setup) => {
      const report = reportOf(setup.value, setup.index);
      if (setReport === undefined || report === undefined) return unhandled;
      if (hasReport?.(report, setup.length) === false) return unhandled;
      const data = await setup.receive();
      return acknowledge(() => setReport(report, data));
    }),
    route("in", HidRequest.GET_IDLE, ({ value }) => {
      const rate = idleRates.get(value & 0xff) ?? idleRates.get(0) ?? 0;
      return Uint8Array.of(rate);
    }),
    route("out", HidRequest.SET_IDLE, (setup) => {
      const id = setup.value & 0xff;
      const rate = setup.value >> 8;
      resetLater(setup);
      if (id === 0) idleRates.clear();
      idleRates.set(id, rate);
      return acknowledge(() => onIdle?.(rate * IDLE_UNIT, id));
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
