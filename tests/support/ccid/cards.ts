/**
 * Cards of tests.
 *
 * @module
 */
import type { SmartCard } from "@usb/gadget/ccid";

type Bytes = Uint8Array<ArrayBuffer>;

/** The status of a command that has succeeded. */
export const OK = Uint8Array.of(0x90, 0x00);

/** The header of a command. */
export const HEADER_LENGTH = 4;

/** What a {@linkcode mirrorCard} answers: what comes after the header. */
export function mirrored(apdu: Uint8Array): Bytes {
  const size = apdu.byteLength - HEADER_LENGTH;
  const answer = new Uint8Array(size + OK.byteLength);
  answer.set(apdu.subarray(HEADER_LENGTH));
  answer.set(OK, size);
  return answer;
}

/** A card that answers with what it is sent. */
export function mirrorCard(atr?: Uint8Array): SmartCard {
  return { ...(atr === undefined ? {} : { atr }), onApdu: mirrored };
}

/** A card whose commands end when they are aborted, and their signals. */
export function hangingCard() {
  const signals: AbortSignal[] = [];
  const card: SmartCard = {
    onApdu: (_, signal) =>
      new Promise((_, reject) => {
        signals.push(signal);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return { card, signals };
}
