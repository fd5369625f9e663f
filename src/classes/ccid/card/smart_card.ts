/**
 * Cards, which a program implements.
 *
 * @module
 */
import { bytesProblem } from "../../../arguments/bytes.ts";
import { CALLBACK, checkArgument, OBJECT } from "../../../arguments/rules.ts";
import { type AnswerToReset, decodeAtr } from "./atr.ts";

/**
 * A smart card, of which the program is the processor.
 *
 * Its methods are called one at a time, also if it is in several slots: a call
 * that the host has abandoned delays the next one until it has settled.
 *
 * @example A card that knows one command
 * ```ts
 * import { CardReader, type SmartCard } from "@usb/gadget/ccid";
 *
 * const card: SmartCard = {
 *   onApdu(apdu) {
 *     const [, instruction] = apdu;
 *     if (instruction !== 0x84) return Uint8Array.of(0x6d, 0x00);
 *     const challenge = crypto.getRandomValues(new Uint8Array(8));
 *     return Uint8Array.of(...challenge, 0x90, 0x00);
 *   },
 * };
 * new CardReader().slots[0].insert(card);
 * ```
 *
 * @category Devices
 */
export interface SmartCard {
  /**
   * The answer to reset (ISO/IEC 7816-3, 8), up to 33 bytes. Read and checked
   * when the card is inserted, and copied.
   *
   * @default {3b 80 01 81: T=1, without historical bytes}
   */
  readonly atr?: Uint8Array;
  /**
   * Answers a command, with its data and two status bytes. Sync or async: while it
   * runs, the reader asks the host for more time.
   *
   * At exchange level `"tpdu"`, command and answer are those of the protocol: of
   * T=0 without procedure bytes, or blocks of T=1.
   *
   * Throw {@linkcode CardError} to choose an error that the host sees. Any other
   * exception, and an answer that is not valid, is an `"error"` event of the
   * function; the host sees HW_ERROR.
   *
   * @param apdu The command. The card may keep it, and change it.
   * @param signal Aborted when the host no longer waits: it has aborted the
   * command, or is gone; or when the card is removed.
   * @returns The answer, which is copied: up to 256 bytes and the status at
   * exchange level `"short"`, 65,536 and the status at level `"extended"`.
   */
  onApdu(
    apdu: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Uint8Array | Promise<Uint8Array>;
  /**
   * The host has powered the card on, or resets it: what was selected and verified
   * before is forgotten. Its errors are those of {@linkcode SmartCard.onApdu}.
   */
  onReset?(): void | Promise<void>;
}

/** A card in a slot. */
export interface InsertedCard {
  readonly card: SmartCard;
  readonly atr: AnswerToReset;
}

/** TS, T0 with TD1, TD1 with T=1, TCK */
const DEFAULT_ATR = Uint8Array.of(0x3b, 0x80, 0x01, 0x81);

/**
 * Checks a card.
 *
 * @throws {TypeError} If it is not one, or its answer to reset is not valid.
 */
export function checkCard(action: string, card: SmartCard): InsertedCard {
  checkArgument(action, "the card", card, OBJECT);
  checkArgument(action, '"onApdu" of the card', card.onApdu, CALLBACK);
  if (card.onReset !== undefined) {
    checkArgument(action, '"onReset" of the card', card.onReset, CALLBACK);
  }
  const { atr = DEFAULT_ATR } = card;
  const problem = bytesProblem(atr);
  if (problem !== undefined) {
    throw new TypeError(`Cannot ${action}: "atr" of the card ${problem}`);
  }
  return { card, atr: decodeAtr(action, new Uint8Array(atr)) };
}

/** The calls of cards that have not settled. */
const running = new WeakMap<SmartCard, Promise<void>>();

/**
 * Calls a card when its earlier calls have settled.
 *
 * @throws The reason of the signal, if it is aborted before; and what the card
 * throws.
 */
export async function callCard<T>(
  card: SmartCard,
  signal: AbortSignal,
  call: () => T | Promise<T>,
): Promise<T> {
  for (;;) {
    const earlier = running.get(card);
    if (earlier === undefined) break;
    await earlier;
  }
  signal.throwIfAborted();
  const result = (async () => await call())();
  const settled = () => void running.delete(card);
  running.set(card, result.then(settled, settled));
  return await result;
}
