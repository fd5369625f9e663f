/**
 * Functional descriptors: what stands between an interface and its endpoints.
 *
 * @module
 */

import { type NamesOf, refuseUnknown } from "../arguments/rules.ts";
import type { CcidDescriptor } from "./ccid.ts";

/** Options of {@linkcode hid}. */
export interface HidOptions {
  /**
   * The report descriptor. The host asks the interface for it with GET_DESCRIPTOR, and the package answers. Without it,
   * `standardControl` of the function has to. {@linkcode usbFunction} copies it.
   */
  readonly report?: Uint8Array;
  /**
   * Bytes of the report descriptor, 1 to 65535.
   *
   * @default {report.length}
   */
  readonly reportLength?: number;
  /**
   * `bcdHID`, the version of the HID specification in binary-coded decimal.
   *
   * @default {0x0111}
   */
  readonly bcdHid?: number;
  /**
   * `bCountryCode` of the hardware, 0 for none.
   *
   * @default {0}
   */
  readonly countryCode?: number;
}

/**
 * A HID descriptor with one report descriptor: the only form that FunctionFS takes, 9 bytes.
 *
 * @internal
 */
export interface HidDescriptor extends Required<Omit<HidOptions, "report">> {
  /** Tells this from other functional descriptors. */
  readonly kind: "hid";
  /** The report descriptor, where it is known. */
  readonly report?: Uint8Array;
}

/** Options of {@linkcode dfu}. */
export interface DfuOptions {
  /**
   * The host may send firmware.
   *
   * @default {true}
   */
  readonly canDownload?: boolean;
  /**
   * The host may read firmware.
   *
   * @default {false}
   */
  readonly canUpload?: boolean;
  /**
   * The device still talks after manifestation.
   *
   * @default {false}
   */
  readonly manifestationTolerant?: boolean;
  /**
   * The device detaches by itself on DFU_DETACH; the host need not reset the bus.
   *
   * @default {false}
   */
  readonly willDetach?: boolean;
  /**
   * How long the device waits for a bus reset after DFU_DETACH, in milliseconds, 0 to 65535.
   *
   * @default {1000}
   */
  readonly detachTimeoutMs?: number;
  /**
   * Bytes in one control transfer at most, 1 to 4096: more never reaches FunctionFS.
   *
   * @default {4096}
   */
  readonly transferSize?: number;
  /**
   * `bcdDFUVersion`, in binary-coded decimal.
   *
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
  /** Tells this from other functional descriptors. */
  readonly kind: "dfu";
}

/**
 * One descriptor given byte by byte.
 *
 * @internal
 */
export interface RawDescriptor {
  /** Tells this from other functional descriptors. */
  readonly kind: "raw";
  /** The bytes, `bLength` and `bDescriptorType` first. */
  readonly bytes: readonly number[];
}

/** A descriptor that stands between an interface and its endpoints. */
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

const DFU_OPTIONS: NamesOf<DfuOptions> = {
  canDownload: true,
  canUpload: true,
  manifestationTolerant: true,
  willDetach: true,
  detachTimeoutMs: true,
  transferSize: true,
  bcdDfu: true,
};

/**
 * Describes a HID interface: put it into the `descriptors` of an interface of class {@linkcode ClassCode.HID}.
 *
 * FunctionFS takes HID descriptors with exactly one class descriptor, so this always announces one report descriptor.
 *
 * @param options The report descriptor or its length, and more.
 * @returns The functional descriptor, plain data.
 * @throws {TypeError} When there is neither, or an option that does not exist.
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
 */
export function hid(options: HidOptions): HidDescriptor {
  refuseUnknown("describe HID interface", options, HID_OPTIONS);
  const { report, reportLength = report?.length } = options;
  if (reportLength === undefined) {
    throw new TypeError(
      "Cannot describe HID interface: give its report descriptor, or the length of that",
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
 * Describes a DFU interface: put it into the `descriptors` of an interface of class 0xfe and subclass 0x01. Kernels
 * before 6.12 refuse it.
 *
 * @param options What the device can do, and sizes.
 * @returns The functional descriptor, plain data.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { dfu } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(dfu({ canUpload: true }).transferSize, 4096);
 * ```
 */
export function dfu(options: DfuOptions = {}): DfuDescriptor {
  refuseUnknown("describe DFU interface", options, DFU_OPTIONS);
  return {
    kind: "dfu",
    canDownload: options.canDownload ?? true,
    canUpload: options.canUpload ?? false,
    manifestationTolerant: options.manifestationTolerant ?? false,
    willDetach: options.willDetach ?? false,
    detachTimeoutMs: options.detachTimeoutMs ?? 1000,
    transferSize: options.transferSize ?? 4096,
    bcdDfu: options.bcdDfu ?? 0x0110,
  };
}

/**
 * Gives one descriptor byte by byte. FunctionFS takes few types (see {@linkcode DescriptorType}); validation names the
 * reason for those it refuses, and what to use instead. It also refuses those that other parts of a definition stand
 * for: interfaces, endpoints, companions, associations and OTG.
 *
 * @param bytes The descriptor, `bLength` and `bDescriptorType` first. It is copied.
 * @returns The functional descriptor, plain data.
 *
 * @example Usage
 * ```ts
 * import { raw } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const descriptor = raw([9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0]);
 * assertEquals(descriptor.bytes.length, 9);
 * ```
 */
export function raw(bytes: Iterable<number>): RawDescriptor {
  return { kind: "raw", bytes: [...bytes] };
}
