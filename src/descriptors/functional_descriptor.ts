/**
 * Functional descriptors: what stands between an interface and its endpoints.
 *
 * @module
 */

/** Options of {@linkcode hid}. */
export interface HidOptions {
  /** Bytes of the report descriptor, 1 to 65535. The host asks the interface for it with GET_DESCRIPTOR. */
  readonly reportLength: number;
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

/** A HID descriptor with one report descriptor: the only form that FunctionFS takes, 9 bytes. */
export interface HidDescriptor extends Required<HidOptions> {
  /** Tells this from other functional descriptors. */
  readonly kind: "hid";
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

/** A DFU functional descriptor, 9 bytes, for an interface of class 0xfe and subclass 0x01. */
export interface DfuDescriptor extends Required<DfuOptions> {
  /** Tells this from other functional descriptors. */
  readonly kind: "dfu";
}

/** Options of {@linkcode ccid}: the fields of the smart card class descriptor (CCID 1.1 section 5.1). */
export interface CcidOptions {
  /**
   * `bcdCCID`, in binary-coded decimal.
   *
   * @default {0x0110}
   */
  readonly bcdCcid?: number;
  /**
   * `bMaxSlotIndex`: the index of the last slot, so 0 is one slot.
   *
   * @default {0}
   */
  readonly maxSlotIndex?: number;
  /**
   * `bVoltageSupport`: bit 0 for 5.0 V, bit 1 for 3.0 V, bit 2 for 1.8 V.
   *
   * @default {0x07}
   */
  readonly voltageSupport?: number;
  /**
   * `dwProtocols`: bit 0 for T=0, bit 1 for T=1.
   *
   * @default {0x03}
   */
  readonly protocols?: number;
  /**
   * `dwDefaultClock`, in kHz.
   *
   * @default {4000}
   */
  readonly defaultClockKhz?: number;
  /**
   * `dwMaximumClock`, in kHz.
   *
   * @default {4000}
   */
  readonly maximumClockKhz?: number;
  /**
   * `bNumClockSupported`: entries that GET_CLOCK_FREQUENCIES returns, 0 for all between default and maximum.
   *
   * @default {0}
   */
  readonly clocksSupported?: number;
  /**
   * `dwDataRate`, the default rate in bit/s.
   *
   * @default {10752}
   */
  readonly dataRate?: number;
  /**
   * `dwMaxDataRate`, in bit/s.
   *
   * @default {344086}
   */
  readonly maxDataRate?: number;
  /**
   * `bNumDataRatesSupported`: entries that GET_DATA_RATES returns, 0 for all between default and maximum.
   *
   * @default {0}
   */
  readonly dataRatesSupported?: number;
  /**
   * `dwMaxIFSD`, in bytes, for T=1.
   *
   * @default {254}
   */
  readonly maxIfsd?: number;
  /**
   * `dwSynchProtocols`.
   *
   * @default {0}
   */
  readonly synchProtocols?: number;
  /**
   * `dwMechanical`.
   *
   * @default {0}
   */
  readonly mechanical?: number;
  /**
   * `dwFeatures`. The default is automatic parameters, activation, voltage, clock, rate and PPS, with exchange at
   * short APDU level.
   *
   * @default {0x000200ba}
   */
  readonly features?: number;
  /**
   * `dwMaxCCIDMessageLength`, in bytes, header included.
   *
   * @default {271}
   */
  readonly maxMessageLength?: number;
  /**
   * `bClassGetResponse`, 0xff to echo the class of the APDU.
   *
   * @default {0xff}
   */
  readonly classGetResponse?: number;
  /**
   * `bClassEnvelope`, 0xff to echo the class of the APDU.
   *
   * @default {0xff}
   */
  readonly classEnvelope?: number;
  /**
   * `wLcdLayout`: lines in the high byte, characters in the low one.
   *
   * @default {0}
   */
  readonly lcdLayout?: number;
  /**
   * `bPINSupport`: bit 0 for verification, bit 1 for modification.
   *
   * @default {0}
   */
  readonly pinSupport?: number;
  /**
   * `bMaxCCIDBusySlots`: slots that can work at the same time.
   *
   * @default {1}
   */
  readonly maxBusySlots?: number;
}

/** A smart card class descriptor, 54 bytes, for an interface of class 0x0b. */
export interface CcidDescriptor extends Required<CcidOptions> {
  /** Tells this from other functional descriptors. */
  readonly kind: "ccid";
}

/** One descriptor given byte by byte. */
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

/**
 * Describes a HID interface: put it into the `descriptors` of an interface of class {@linkcode ClassCode.HID}.
 *
 * FunctionFS takes HID descriptors with exactly one class descriptor, so this always announces one report descriptor.
 *
 * @param options The length of the report descriptor, and more.
 * @returns The functional descriptor, plain data.
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
  return {
    kind: "hid",
    reportLength: options.reportLength,
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
 * Describes a smart card reader: put it into the `descriptors` of an interface of class
 * {@linkcode ClassCode.SMART_CARD}.
 *
 * @param options The fields of the class descriptor; the defaults are a reader with one slot.
 * @returns The functional descriptor, plain data.
 *
 * @example Usage
 * ```ts
 * import { ccid } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ccid().maxBusySlots, 1);
 * ```
 */
export function ccid(options: CcidOptions = {}): CcidDescriptor {
  return {
    kind: "ccid",
    bcdCcid: options.bcdCcid ?? 0x0110,
    maxSlotIndex: options.maxSlotIndex ?? 0,
    voltageSupport: options.voltageSupport ?? 0x07,
    protocols: options.protocols ?? 0x03,
    defaultClockKhz: options.defaultClockKhz ?? 4000,
    maximumClockKhz: options.maximumClockKhz ?? 4000,
    clocksSupported: options.clocksSupported ?? 0,
    dataRate: options.dataRate ?? 10752,
    maxDataRate: options.maxDataRate ?? 344086,
    dataRatesSupported: options.dataRatesSupported ?? 0,
    maxIfsd: options.maxIfsd ?? 254,
    synchProtocols: options.synchProtocols ?? 0,
    mechanical: options.mechanical ?? 0,
    features: options.features ?? 0x000200ba,
    maxMessageLength: options.maxMessageLength ?? 271,
    classGetResponse: options.classGetResponse ?? 0xff,
    classEnvelope: options.classEnvelope ?? 0xff,
    lcdLayout: options.lcdLayout ?? 0,
    pinSupport: options.pinSupport ?? 0,
    maxBusySlots: options.maxBusySlots ?? 1,
  };
}

/**
 * Gives one descriptor byte by byte. FunctionFS takes few types (see {@linkcode DescriptorType}); validation names the
 * reason for those it refuses, and what to use instead.
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
