/**
 * Options of card readers.
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  isWithin,
  LOCALIZED_TEXT,
  NUMBER,
  oneOf,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type { EscapeHandler } from "./reader/commands.ts";
import {
  type ExchangeLevel,
  EXTENDED_MESSAGE,
  SHORT_MESSAGE,
} from "./reader/exchange.ts";

/**
 * Options of {@linkcode CardReader}.
 *
 * @category Devices
 */
export interface CardReaderOptions<N extends string = string> {
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {"ccid"}
   */
  readonly name?: N;
  /** `iInterface`: the name of the interface. */
  readonly description?: LocalizedString;
  /**
   * How many slots it has, 1 to 16.
   * @default {1}
   */
  readonly slots?: number;
  /**
   * What the host sends to cards: APDUs of up to 261 bytes, APDUs of up to 64 KiB of
   * data in each direction, or what the protocol of the card has (TPDUs of T=0, or
   * blocks of T=1), which is then up to the card.
   * @default {"extended"}
   */
  readonly exchange?: "short" | "extended" | "tpdu";
  /**
   * `dwMaxCCIDMessageLength`: the bytes of a message, 271 to 65554. At level
   * `"extended"`, longer APDUs are sent in several messages.
   * @default {65554 at level "extended", 271 at others}
   */
  readonly maxMessageLength?: number;
  /**
   * Answers PC_to_RDR_Escape, which hosts use for what only this kind of reader has.
   * Throw {@linkcode CardError} to choose an error that the host sees. Without this
   * callback, the host's message fails.
   *
   * @param data The host's data.
   * @param slot The index of the slot that it is sent to.
   * @param signal Aborted when the host no longer waits.
   * @returns The answer, which fits into one message.
   */
  readonly onEscape?: (
    data: Uint8Array<ArrayBuffer>,
    slot: number,
    signal: AbortSignal,
  ) => Uint8Array | Promise<Uint8Array>;
}

/** Options of a reader, all given. */
export interface ReaderSettings {
  readonly description: LocalizedString | undefined;
  readonly slots: number;
  readonly level: ExchangeLevel;
  readonly maxMessageLength: number;
  readonly onEscape: EscapeHandler | undefined;
}

const ACTION = "make card reader";
const MOST_SLOTS = 16;

const OPTIONS: Rules<CardReaderOptions> = {
  name: TEXT,
  description: LOCALIZED_TEXT,
  slots: NUMBER,
  exchange: oneOf("short", "extended", "tpdu"),
  maxMessageLength: NUMBER,
  onEscape: CALLBACK,
};

/** Checks the options of a reader, and adds the defaults. */
export function readerSettings(options: CardReaderOptions): ReaderSettings {
  checkOptions(ACTION, options, OPTIONS);
  const { description, slots = 1, exchange: level = "extended", onEscape } =
    options;
  const {
    maxMessageLength = level === "extended" ? EXTENDED_MESSAGE : SHORT_MESSAGE,
  } = options;
  checkRange('"slots"', slots, 1, MOST_SLOTS);
  checkRange(
    '"maxMessageLength"',
    maxMessageLength,
    SHORT_MESSAGE,
    EXTENDED_MESSAGE,
  );
  return { description, slots, level, maxMessageLength, onEscape };
}

function checkRange(
  what: string,
  value: number,
  least: number,
  greatest: number,
): void {
  if (isWithin(value, least, greatest)) return;
  throw new RangeError(
    `Cannot ${ACTION}: ${what} must be an integer from ${least} to ${greatest}, is ${value}`,
  );
}
