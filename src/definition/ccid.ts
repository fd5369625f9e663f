/**
 * The class descriptor of smart card readers.
 *
 * @module
 */

import { withDefaults } from "../arguments/rules.ts";

/**
 * Options of {@linkcode ccid}: the fields of the smart card class descriptor (CCID 1.1 section 5.1).
 *
 * @category Descriptor builders
 */
export interface CcidOptions {
  /**
   * `bcdCCID`, in binary-coded decimal.
   * @default {0x0110}
   */
  readonly bcdCcid?: number;
  /**
   * `bMaxSlotIndex`: the index of the last slot. 0 means one slot.
   * @default {0}
   */
  readonly maxSlotIndex?: number;
  /**
   * `bVoltageSupport`: bit 0 for 5.0 V, bit 1 for 3.0 V, bit 2 for 1.8 V.
   * @default {0x07}
   */
  readonly voltageSupport?: number;
  /**
   * `dwProtocols`: bit 0 for T=0, bit 1 for T=1.
   * @default {0x03}
   */
  readonly protocols?: number;
  /**
   * `dwDefaultClock`, in kHz.
   * @default {4000}
   */
  readonly defaultClockKhz?: number;
  /**
   * `dwMaximumClock`, in kHz.
   * @default {4000}
   */
  readonly maximumClockKhz?: number;
  /**
   * `bNumClockSupported`: entries that GET_CLOCK_FREQUENCIES returns, 0 for all between default and maximum.
   * @default {0}
   */
  readonly clocksSupported?: number;
  /**
   * `dwDataRate`, the default rate in bit/s.
   * @default {10752}
   */
  readonly dataRate?: number;
  /**
   * `dwMaxDataRate`, in bit/s.
   * @default {344086}
   */
  readonly maxDataRate?: number;
  /**
   * `bNumDataRatesSupported`: entries that GET_DATA_RATES returns, 0 for all between default and maximum.
   * @default {0}
   */
  readonly dataRatesSupported?: number;
  /**
   * `dwMaxIFSD`, in bytes, for T=1.
   * @default {254}
   */
  readonly maxIfsd?: number;
  /**
   * `dwSynchProtocols`.
   * @default {0}
   */
  readonly synchProtocols?: number;
  /**
   * `dwMechanical`.
   * @default {0}
   */
  readonly mechanical?: number;
  /**
   * `dwFeatures`. The default is automatic parameters, activation, voltage, clock, rate and PPS, with exchange at
   * short APDU level.
   * @default {0x000200ba}
   */
  readonly features?: number;
  /**
   * `dwMaxCCIDMessageLength`, in bytes, header included.
   * @default {271}
   */
  readonly maxMessageLength?: number;
  /**
   * `bClassGetResponse`, 0xff to echo the class of the APDU.
   * @default {0xff}
   */
  readonly classGetResponse?: number;
  /**
   * `bClassEnvelope`, 0xff to echo the class of the APDU.
   * @default {0xff}
   */
  readonly classEnvelope?: number;
  /**
   * `wLcdLayout`: lines in the high byte, characters in the low one.
   * @default {0}
   */
  readonly lcdLayout?: number;
  /**
   * `bPINSupport`: bit 0 for verification, bit 1 for modification.
   * @default {0}
   */
  readonly pinSupport?: number;
  /**
   * `bMaxCCIDBusySlots`: slots that can work at the same time.
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
  readonly kind: "ccid";
}

const DEFAULTS: Required<CcidOptions> = {
  bcdCcid: 0x0110,
  maxSlotIndex: 0,
  voltageSupport: 0x07,
  protocols: 0x03,
  defaultClockKhz: 4000,
  maximumClockKhz: 4000,
  clocksSupported: 0,
  dataRate: 10752,
  maxDataRate: 344086,
  dataRatesSupported: 0,
  maxIfsd: 254,
  synchProtocols: 0,
  mechanical: 0,
  features: 0x000200ba,
  maxMessageLength: 271,
  classGetResponse: 0xff,
  classEnvelope: 0xff,
  lcdLayout: 0,
  pinSupport: 0,
  maxBusySlots: 1,
};

/**
 * Describes a smart card reader, in the `descriptors` of an interface of class {@linkcode ClassCode.SMART_CARD}. The defaults describe a reader with one slot.
 *
 * @priority 6
 * @category Descriptor builders
 */
export function ccid(options: CcidOptions = {}): CcidDescriptor {
  const fields = withDefaults("describe smart card reader", options, DEFAULTS);
  return { kind: "ccid", ...fields };
}
