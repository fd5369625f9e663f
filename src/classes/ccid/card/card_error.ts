/**
 * Errors of slots (CCID 1.1, table 6.2-2).
 *
 * @module
 */

/**
 * What a reader can report of a card, as the specification names it.
 *
 * @category Devices
 */
export type CardErrorName =
  | "ICC_MUTE"
  | "XFR_PARITY_ERROR"
  | "XFR_OVERRUN"
  | "HW_ERROR"
  | "BAD_ATR_TS"
  | "BAD_ATR_TCK"
  | "ICC_PROTOCOL_NOT_SUPPORTED"
  | "ICC_CLASS_NOT_SUPPORTED"
  | "PROCEDURE_BYTE_CONFLICT"
  | "DEACTIVATED_PROTOCOL"
  | "BUSY_WITH_AUTO_SEQUENCE"
  | "PIN_TIMEOUT"
  | "PIN_CANCELLED";

/** Values of `bError`. From 1 to 127, it is the place of a wrong field in the message. */
export const SlotErrorCode: Readonly<
  Record<
    | CardErrorName
    | "CMD_NOT_SUPPORTED"
    | "BAD_LENGTH"
    | "BAD_SLOT"
    | "CMD_SLOT_BUSY"
    | "CMD_ABORTED",
    number
  >
> = {
  CMD_NOT_SUPPORTED: 0x00,
  BAD_LENGTH: 1,
  BAD_SLOT: 5,
  CMD_SLOT_BUSY: 0xe0,
  PIN_CANCELLED: 0xef,
  PIN_TIMEOUT: 0xf0,
  BUSY_WITH_AUTO_SEQUENCE: 0xf2,
  DEACTIVATED_PROTOCOL: 0xf3,
  PROCEDURE_BYTE_CONFLICT: 0xf4,
  ICC_CLASS_NOT_SUPPORTED: 0xf5,
  ICC_PROTOCOL_NOT_SUPPORTED: 0xf6,
  BAD_ATR_TCK: 0xf7,
  BAD_ATR_TS: 0xf8,
  HW_ERROR: 0xfb,
  XFR_OVERRUN: 0xfc,
  XFR_PARITY_ERROR: 0xfd,
  ICC_MUTE: 0xfe,
  CMD_ABORTED: 0xff,
};

/**
 * A command fails as it does with a faulty card. A {@linkcode SmartCard} throws it
 * to choose what the host sees; nothing is reported to the program.
 *
 * @example A card that does not answer any more
 * ```ts
 * import { CardError, type SmartCard } from "@usb/gadget/ccid";
 *
 * const mute: SmartCard = {
 *   onApdu() {
 *     throw new CardError("ICC_MUTE");
 *   },
 * };
 * ```
 *
 * @category Devices
 */
export class CardError extends Error {
  /** The name of the class. */
  override name = "CardError";
  /** What the host sees. */
  readonly error: CardErrorName;

  /**
   * Chooses an error.
   *
   * @throws {TypeError} If there is no such error.
   */
  constructor(error: CardErrorName, options?: ErrorOptions) {
    // The codes below belong to the reader itself.
    const isKnown = Object.hasOwn(SlotErrorCode, error) &&
      SlotErrorCode[error] > SlotErrorCode.CMD_SLOT_BUSY &&
      SlotErrorCode[error] < SlotErrorCode.CMD_ABORTED;
    if (!isKnown) {
      throw new TypeError(
        `Cannot make CardError: there is no error "${error}" of cards`,
      );
    }
    super(error, options);
    this.error = error;
  }
}

/** A command fails with a value of `bError`. */
export class CommandFailure extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`Error ${code} of a slot`);
    this.code = code;
  }
}
