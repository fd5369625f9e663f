/**
 * Answers to reset: those of real cards, what follows from them, and wrong ones.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { decodeAtr } from "../../src/classes/ccid/card/atr.ts";
import { waitingMs } from "../../src/classes/ccid/card/parameters.ts";

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

function decode(hex: string) {
  const { protocols, parameters } = decodeAtr("test", bytes(hex));
  const { protocol, values: [characters, blocks] } = parameters;
  return {
    protocols,
    protocol,
    characters: characters.toHex(),
    blocks: blocks.toHex(),
    waiting: Math.round(waitingMs(parameters)),
  };
}

Deno.test("an answer to reset without interface bytes is one of T=0, with the defaults", () => {
  assertEquals(decode("3B 00"), {
    protocols: [0],
    protocol: 0,
    characters: "1100000a00",
    blocks: "1110004d002000",
    waiting: 893,
  });
});

Deno.test("parameters follow from the interface bytes", () => {
  // An OpenPGP card 3.4: TA1, TC1, TD1 T=1, TD2 T=1, TA3, TB3
  assertEquals(
    decode("3B DA 18 FF 81 B1 FE 75 1F 03 00 31 F5 73 C0 01 60 00 90 00 1C"),
    {
      protocols: [1],
      protocol: 1,
      characters: "1800ff0a00",
      blocks: "1810ff7500fe00",
      waiting: 11428,
    },
  );
});

Deno.test("both conventions, both protocols, a CRC and a clock stop are found", () => {
  const body = [
    ...[0x3f, 0xd0], // TA1, TC1, TD1
    ...[0x96, 0x02, 0xc0], // TD1: T=0, TC2, TD2
    ...[0x14, 0xf1], // TD2: T=1, all of TA3 to TD3
    ...[0x20, 0x45, 0x01, 0x1f], // TD3: T=15, TA4
    0xc7,
  ];
  const check = body.slice(1).reduce((sum, it) => sum ^ it, 0);
  assertEquals(decode(Uint8Array.of(...body, check).toHex()), {
    protocols: [0, 1],
    protocol: 0,
    characters: "9602021403",
    blocks: "96130245032000",
    waiting: Math.round(960 * 20 * 512 / 4000),
  });
});

Deno.test("a card in specific mode begins with the protocol that TA2 names", () => {
  // TD1: T=0, TA2, TD2; TA2: T=1; TD2: T=1
  const body = [0x3b, 0x80, 0x90, 0x01, 0x01];
  const check = body.slice(1).reduce((sum, it) => sum ^ it, 0);
  const { protocol, protocols } = decode(
    Uint8Array.of(...body, check).toHex(),
  );
  assertEquals([protocol, protocols], [1, [0, 1]]);
});

Deno.test("cards of all kinds are accepted", () => {
  for (
    const atr of [
      "3B 80 01 81",
      "3B 80 80 01 01", // without contacts
      "3B F8 13 00 00 81 31 FE 15 59 75 62 69 6B 65 79 34 D4", // YubiKey 4
      "3B 7D 96 00 00 80 31 80 65 B0 83 11 11 AC 83 00 90 00",
    ]
  ) {
    decode(atr);
  }
});

Deno.test("wrong answers to reset are refused, with the reason", () => {
  const table = {
    "3B": "must have 2 to 33 bytes, has 1",
    "3C 00": "must begin with 0x3b or 0x3f, not 0x3c",
    "3B 02 01":
      "must have 4 bytes by its own account, without a check byte, has 3",
    "3B 00 00":
      "must have 2 bytes by its own account, without a check byte, has 3",
    "3B 80 01":
      "must have 4 bytes by its own account, with a check byte, has 3",
    "3B 80 01 82": "must end with the check byte 0x81, not 0x82",
    "3B 80 0F 8F": "must not have T=15 in its first TD",
    "3B 80 0E 8E":
      "must begin with protocol T=0 or T=1, which it offers, not T=14",
    "3B 80 10 01":
      "must begin with protocol T=0 or T=1, which it offers, not T=1",
    "3B 80 40 00": "must not have a WI of 0",
    "3B 80 81 21 A5 85": "must have a BWI of 0 to 9, not 10",
    "3B 80 81 11 FF EF": "must have an IFSC of 1 to 254, not 255",
    [`3B 0F ${"00 ".repeat(32)}`]: "must have 2 to 33 bytes, has 34",
    "3B F0": "must have",
    "3B 80 80 80 80": "must have",
  };
  for (const [hex, reason] of Object.entries(table)) {
    assertThrows(
      () => decodeAtr("insert card", bytes(hex)),
      TypeError,
      `Cannot insert card: the answer to reset ${reason}`,
    );
  }
});
