/**
 * The class descriptor of smart card readers.
 *
 * @module
 */

import { refuseUnknown } from "../arguments/rules.ts";

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

/**
 * A smart card class descriptor, 54 bytes, for an interface of class 0x0b.
 *
 * @internal
 */
export interface CcidDescriptor extends Required<CcidOptions> {
  /** Tells this from other functional descriptors. */
  readonly kind: "ccid";
}

/**
 * Describes a smart card reader: put it into the `descriptors` of an interface of class
 * {@linkcode ClassCode.SMART_CARD}.
 *
 * @param options The fields of the class descriptor; the defaults are a reader with one slot.
 * @returns The functional descriptor, plain data.
 * @throws {TypeError} For an option that does not exist.
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
  const descriptor: CcidDescriptor = {
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
  refuseUnknown<CcidOptions>("describe smart card reader", options, descriptor);
  return descriptor;
}
