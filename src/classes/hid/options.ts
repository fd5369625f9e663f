/**
 * Options of HID functions: those of any, and those that all ready-made devices
 * have.
 *
 * @module
 */
import {
  CALLBACK,
  FLAG,
  LOCALIZED_TEXT,
  NUMBER,
  oneOf,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import { ReportDescriptor } from "./report/descriptor.ts";
import type { ReportValue } from "./report/values.ts";

/**
 * Options of a ready-made device, such as {@linkcode Mouse}.
 *
 * @category Devices
 */
export interface HidDeviceOptions<N extends string = string> {
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {what the device is, such as "mouse"}
   */
  readonly name?: N;
  /** `iInterface`: the name of the interface. */
  readonly description?: LocalizedString;
  /**
   * How often the host polls, in milliseconds: 1 to 255 at full speed; the
   * other speeds round it down to a power of two times 125 us.
   * @default {1}
   */
  readonly intervalMs?: number;
  /**
   * How long input reports wait after a host has begun to poll, in
   * milliseconds. Linux drops what a device reports in the first 50 ms
   * (`usbhid_open()` in `drivers/hid/usbhid/hid-core.c`), and other hosts are
   * not ready at once either. To notice the first poll, the function sends
   * reports in which nothing is pressed or moved. 0 for neither.
   * @default {100, but 0 for a HidFunction}
   */
  readonly settleMs?: number;
}

/** The default of `settleMs` for what people press and move. */
export const SETTLE_MS = 100;

/** What these options have to be. */
export const DEVICE_OPTIONS: Rules<HidDeviceOptions> = {
  name: TEXT,
  description: LOCALIZED_TEXT,
  intervalMs: NUMBER,
  settleMs: NUMBER,
};

/**
 * A report that the host has sent.
 *
 * @category Devices
 */
export interface ReceivedReport {
  /** The report ID, or 0 if the report descriptor has none. */
  readonly id: number;
  /** The report, its ID first if it has one. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its values by the names of the report descriptor. */
  readonly values: Readonly<Record<string, ReportValue>>;
}

/**
 * Options of {@linkcode HidFunction}.
 *
 * @category Devices
 */
export interface HidFunctionOptions<N extends string = string>
  extends HidDeviceOptions<N> {
  /** The reports. Bytes are decoded, and must be valid. */
  readonly reportDescriptor: ReportDescriptor | Uint8Array;
  /**
   * Which boot device it also is: hosts that do not read report descriptors, as
   * a BIOS, use it with the fixed reports of HID 1.11, appendix B.
   */
  readonly boot?: "keyboard" | "mouse";
  /**
   * Whether output reports also arrive by an endpoint of their own, which is
   * faster. Control requests bring them in any case.
   * @default {false}
   */
  readonly outputEndpoint?: boolean;
  /** Receives output reports. What it throws is reported. */
  readonly onOutput?: (report: ReceivedReport) => void;
  /** Receives feature reports that the host has set. What it throws is reported. */
  readonly onFeature?: (report: ReceivedReport) => void;
  /**
   * Returns a feature report that the host asks for, its ID first if it has
   * one. Without it, the host gets what it or {@linkcode
   * HidFunction.setFeature} has set, at first zeros.
   */
  readonly getFeature?: (
    id: number,
  ) => Uint8Array | Promise<Uint8Array>;
  /** Called when the host selects another protocol; after a reset it is `"report"`. */
  readonly onProtocol?: (protocol: "boot" | "report") => void;
  /** Called when the host has gone, with a {@linkcode SessionEndedError}. */
  readonly onSessionEnd?: (reason: unknown) => void;
}

/** What the options of a HID function have to be. */
export const FUNCTION_OPTIONS: Rules<HidFunctionOptions> = {
  ...DEVICE_OPTIONS,
  reportDescriptor: {
    expected: "a ReportDescriptor or its bytes",
    accepts: (value) =>
      value instanceof ReportDescriptor || value instanceof Uint8Array,
  },
  boot: oneOf("keyboard", "mouse"),
  outputEndpoint: FLAG,
  onOutput: CALLBACK,
  onFeature: CALLBACK,
  getFeature: CALLBACK,
  onProtocol: CALLBACK,
  onSessionEnd: CALLBACK,
};
