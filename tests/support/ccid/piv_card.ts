/**
 * A card of the US government's PIV scheme (NIST SP 800-73-4), as far as a program
 * asks that identifies it.
 *
 * @module
 */
import type { SmartCard } from "@usb/gadget/ccid";

type Bytes = Uint8Array<ArrayBuffer>;

/** An object: its tag, its length, its value. */
function tlv(tag: string, ...value: (Uint8Array | string)[]): Bytes {
  const bytes = value.flatMap((it) => [
    ...typeof it === "string" ? Uint8Array.fromHex(it) : it,
  ]);
  return Uint8Array.of(...Uint8Array.fromHex(tag), bytes.length, ...bytes);
}

const AID = "a000000308000010000100";
/** The number within an agency; 9999 stands for none, so that the GUID counts. */
const FASC_N = new Uint8Array(25);
FASC_N.set(Uint8Array.fromHex("d4e739da"));
const OK = Uint8Array.of(0x90, 0x00);
const NOT_FOUND = Uint8Array.of(0x6a, 0x82);
const UNKNOWN = Uint8Array.of(0x6d, 0x00);

/**
 * Makes a card.
 *
 * @param guid Its number, 16 bytes.
 */
export function pivCard(guid: Uint8Array): SmartCard & { apdus: number } {
  const template = tlv(
    "61",
    tlv("4f", AID.slice(10)),
    tlv("79", tlv("4f", AID.slice(0, 10))),
  );
  /** The objects of GET DATA, by their tags. */
  const objects: Record<string, Bytes> = {
    "7e": tlv("7e", tlv("4f", AID), tlv("5f2f", "4000")),
    // Card capability container
    "5fc107": tlv(
      "53",
      ...[tlv("f0", new Uint8Array(21)), tlv("f1", "21"), tlv("f2", "21")],
      ...["f300", "f40100", "f50110", "f600", "f700", "fa00", "fb00"],
      ...["fc00", "fd00", "fe00"],
    ),
    // Cardholder unique identifier
    "5fc102": tlv(
      "53",
      tlv("30", FASC_N),
      tlv("34", guid),
      tlv("35", new TextEncoder().encode("20991231")),
      "3e00fe00",
    ),
  };
  const card = {
    apdus: 0,
    onApdu(apdu: Bytes) {
      card.apdus++;
      const [, instruction, , , length] = apdu;
      const data = apdu.subarray(5, 5 + length);
      switch (instruction) {
        case 0xa4:
          return AID.startsWith(data.toHex()) && data.length > 4
            ? Uint8Array.of(...template, ...OK)
            : NOT_FOUND;
        case 0xcb: {
          const found = objects[data.subarray(2).toHex()];
          return found === undefined
            ? NOT_FOUND
            : Uint8Array.of(...found, ...OK);
        }
        default:
          return UNKNOWN;
      }
    },
  };
  return card;
}
