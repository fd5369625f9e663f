/**
 * Functional descriptors, which stand between an interface and its endpoints.
 *
 * @module
 */

import {
  type NamesOf,
  refuseUnknown,
  withDefaults,
} from "../arguments/rules.ts";
import type { CcidDescriptor } from "./ccid.ts";

/**
 * Options of {@linkcode hid}. Give the report descriptor, or its length.
 *
 * @category Descriptor builders
 */
export interface HidOptions {
  /**
   * The report descriptor. The package answers the host's GET_DESCRIPTOR with it; without it, `standardControl` of the
   * function has to answer. {@linkcode usbFunction} copies it.
   */
  readonly report?: Uint8Array;
  /** Bytes of the report descriptor, 1 to 65535. Without it, the length of `report`. */
  readonly reportLength?: number;
  /**
   * `bcdHID`, the version of the HID specification in binary-coded decimal.
   * @default {0x0111}
   */
  readonly bcdHid?: number;
  /**
   * `bCountryCode` of the hardware, 0 for none.
   * @default {0}
   */
  readonly countryCode?: number;
}

/**
 * A HID descriptor with one report descriptor: the only form that FunctionFS accepts, 9 bytes.
 *
 * @internal
 */
export interface HidDescriptor extends Required<Omit<HidOptions, "report">> {
  readonly kind: "hid";
  /** The report descriptor, if it is known. */
  readonly report?: Uint8Array;
}

/**
 * Options of {@linkcode dfu}.
 *
 * @category Descriptor builders
 */
export interface DfuOptions {
  /**
   * The host may send firmware.
   * @default {true}
   */
  readonly canDownload?: boolean;
  /**
   * The host may read firmware.
   * @default {false}
   */
  readonly canUpload?: boolean;
  /**
   * The device still communicates after manifestation.
   * @default {false}
   */
  readonly manifestationTolerant?: boolean;
  /**
   * The device detaches by itself on DFU_DETACH; the host need not reset the bus.
   * @default {false}
   */
  readonly willDetach?: boolean;
  /**
   * How long the device waits for a bus reset after DFU_DETACH, in milliseconds, 0 to 65535.
   * @default {1000}
   */
  readonly detachTimeoutMs?: number;
  /**
   * The most bytes in one control transfer, 1 to 4096: longer ones do not reach FunctionFS.
   * @default {4096}
   */
  readonly transferSize?: number;
  /**
   * `bcdDFUVersion`, in binary-coded decimal.
   * @default {0x0110}
   */
  readonly bcdDfu?: number;
}

/**
 * A DFU functional descriptor, 9 bytes, for an interface of class 0xfe and subclass 0x01.
 *
 * @internal
 */
export interface DfuDescriptor extends Required<DfuOptions> {
  readonly kind: "dfu";
}

/**
 * One descriptor given byte by byte.
 *
 * @internal
 */
export interface RawDescriptor {
  readonly kind: "raw";
  /** The bytes, `bLength` and `bDescriptorType` first. */
  readonly bytes: readonly number[];
}

/**
 * A descriptor between an interface and its endpoints. `kind` says which one.
 *
 * @category Descriptor builders
 */
export type FunctionalDescriptor =
  | HidDescriptor
  | DfuDescriptor
  | CcidDescriptor
  | RawDescriptor;

const HID_OPTIONS: NamesOf<HidOptions> = {
  report: true,
  reportLength: true,
  bcdHid: true,
  countryCode: true,
};

const DFU_DEFAULTS: Required<DfuOptions> = {
  canDownload: true,
  canUpload: false,
  manifestationTolerant: false,
  willDetach: false,
  detachTimeoutMs: 1000,
  transferSize: 4096,
  bcdDfu: 0x0110,
};

/**
 * Describes a HID interface, in the `descriptors` of an interface of class {@linkcode ClassCode.HID}.
 *
 * FunctionFS accepts HID descriptors with exactly one class descriptor, so this always announces one report descriptor.
 *
 * @throws {TypeError} Without a report descriptor and a length, and for an unknown option.
 *
 * @example Usage
 * ```ts
 * import { ClassCode, hid, interruptIn, usbFunction } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const keyboard = usbFunction({
 *   name: "keyboard",
 *   interfaces: [{
 *     class: ClassCode.HID,
 *     descriptors: [hid({ reportLength: 63 })],
 *     endpoints: { keys: interruptIn({ maxPacketSize: 8, intervalMs: 10 }) },
 *   }],
 * });
 * assertEquals(keyboard.interfaces[0].descriptors[0].kind, "hid");
 * ```
 *
 * @priority 6
 * @category Descriptor builders
 */
export function hid(options: HidOptions): HidDescriptor {
  refuseUnknown("describe HID interface", options, HID_OPTIONS);
  const { report, reportLength = report?.length } = options;
  if (reportLength === undefined) {
    throw new TypeError(
      "Cannot describe HID interface: give the report descriptor, or its length",
    );
  }
  return {
    kind: "hid",
    ...(report === undefined ? {} : { report }),
    reportLength,
    bcdHid: options.bcdHid ?? 0x0111,
    countryCode: options.countryCode ?? 0,
  };
}

/**
 * Describes a DFU interface, in the `descriptors` of an interface of class 0xfe and subclass 0x01. Kernels
 * before 6.12 refuse it.
 *
 * @example Usage
 * ```ts
 * import { dfu } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(dfu({ canUpload: true }).transferSize, 4096);
 * ```
 *
 * @priority 6
 * @category Descriptor builders
 */
export function dfu(options: DfuOptions = {}): DfuDescriptor {
  const fields = withDefaults("describe DFU interface", options, DFU_DEFAULTS);
  return { kind: "dfu", ...fields };
}

/**
 * Gives one descriptor byte by byte, `bLength` and `bDescriptorType` first. The bytes are copied.
 *
 * FunctionFS accepts few types (see {@linkcode DescriptorType}). {@linkcode usbFunction} refuses the others with the
 * reason and an alternative. It also refuses types that other parts of a definition produce: interfaces, endpoints,
 * companions, associations and OTG.
 *
 * @example Usage
 * ```ts
 * import { raw } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const descriptor = raw([9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0]);
 * assertEquals(descriptor.bytes.length, 9);
 * ```
 *
 * @priority 6
 * @category Descriptor builders
 */
export function raw(bytes: Iterable<number>): RawDescriptor {
  return { kind: "raw", bytes: [...bytes] };
}
