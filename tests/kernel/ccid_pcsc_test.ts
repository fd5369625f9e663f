// VM: a class of device
/**
 * Cards under pcscd and libccid, with opensc-tool and pcsc_scan.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CardReaderOptions } from "@usb/gadget/ccid";
import { startReader } from "../support/ccid/bus_bench.ts";
import {
  HEADER_LENGTH,
  mirrorCard,
  mirrored,
  OK,
} from "../support/ccid/cards.ts";
import { pivCard } from "../support/ccid/piv_card.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Pcsc } from "../support/host/pcsc.ts";
import { Pcscd } from "../support/host/pcscd.ts";
import { shell } from "../support/machine/shell.ts";

/** One of T=0, and one of T=1 whose answers take milliseconds. */
const T0 = Uint8Array.fromHex("3b0454455354");
const T1 = Uint8Array.fromHex("3b848121055445535437");

Deno.test("opensc-tool finds the reader, and identifies a PIV card by its objects", async () => {
  await using bench = await startReader();
  const guid = pattern(16, 7);
  const card = pivCard(guid);
  bench.slot.insert(card);
  await using pcscd = await Pcscd.start();
  await pcscd.pcsc.until(pcscd.reader, "present");
  const list = await shell("opensc-tool --list-readers");
  assertStringIncludes(list, "Yes");
  assertStringIncludes(list, "Test Reader");
  const text = await shell("opensc-tool --atr --name --serial");
  assertStringIncludes(text, "3b:80:01:81");
  assertStringIncludes(text, "Personal Identity Verification Card");
  const serial = text.replaceAll(" ", "").toLowerCase();
  assertStringIncludes(serial, guid.toHex());
  assert(card.apdus > 0);
  assertEquals(bench.errors, []);
});

Deno.test("pcsc_scan shows a card that is there", async () => {
  await using bench = await startReader();
  bench.slot.insert(mirrorCard(T0));
  await using _ = await Pcscd.start();
  const text = await shell("pcsc_scan -c -n");
  assertStringIncludes(text, "Card inserted");
  assertStringIncludes(text, "3B 04 54 45 53 54");
});

const LEVELS: CardReaderOptions<"ccid">[] = [
  { exchange: "short" },
  { exchange: "tpdu" },
  { exchange: "extended", maxMessageLength: 271 },
  { exchange: "extended", maxMessageLength: 1034 },
  { exchange: "extended" },
];

for (const options of LEVELS) {
  const { exchange, maxMessageLength = "any" } = options;
  Deno.test(`APDUs pass pcscd at level "${exchange}", in messages of ${maxMessageLength} bytes`, async () => {
    await using bench = await startReader(options);
    await using pcscd = await Pcscd.start();
    const { pcsc, reader } = pcscd;
    // Blocks of T=1 would be up to the card, and chains are the same with both.
    const isAlike = exchange === "tpdu" || maxMessageLength !== "any";
    for (const atr of isAlike ? [T0] : [T0, T1]) {
      bench.slot.insert(mirrorCard(atr));
      assertEquals(await pcsc.until(reader, "present"), atr);
      const card = await pcsc.connect(reader);
      assertEquals(card.protocol, atr === T0 ? 1n : 2n);
      const sizes = exchange === "extended"
        // In the shortest messages, 64 KiB takes seconds.
        ? [5, 498, 499, 1009, 1010, maxMessageLength === 271 ? 5000 : 65_536]
        : [1, 5, 50, 200, 256];
      for (const size of sizes) {
        const apdu = pattern(HEADER_LENGTH + size, size);
        const answer = await card.transmit(apdu);
        assertEquals(firstDifference(answer, mirrored(apdu)), -1, `${size}`);
      }
      await card.disconnect();
      bench.slot.remove();
      await pcsc.until(reader, "empty");
    }
    assertEquals(bench.errors, []);
  });
}

Deno.test("a card may compute for longer than its host waits", async () => {
  await using bench = await startReader();
  bench.slot.insert({
    atr: T1,
    onApdu: (_, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, 6000, OK);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
  });
  await using pcscd = await Pcscd.start();
  await pcscd.pcsc.until(pcscd.reader, "present");
  const card = await pcscd.pcsc.connect(pcscd.reader);
  assertEquals(await card.transmit(new Uint8Array(4)), OK);
  assertEquals(bench.errors, []);
});

Deno.test("pcscd has a reader for each slot, whose cards answer beside each other", async () => {
  await using bench = await startReader({ slots: 3 });
  const release = Promise.withResolvers<Uint8Array>();
  const [first, second] = bench.reader.slots;
  await using pcscd = await Pcscd.start(3);
  const { pcsc } = pcscd;
  const names = await pcsc.readers();
  first.insert({ atr: T0, onApdu: () => release.promise });
  second.insert(mirrorCard(T0));
  await pcsc.until(names[0], "present");
  await pcsc.until(names[1], "present");
  await pcsc.until(names[2], "empty");
  // Another program: the library locks a context during a call.
  const other = await Pcsc.open();
  const [slow, fast] = [
    await pcsc.connect(names[0]),
    await other.connect(names[1]),
  ];
  const answer = slow.transmit(new Uint8Array(5));
  assertEquals(
    await fast.transmit(new Uint8Array(5)),
    Uint8Array.of(0, ...OK),
  );
  release.resolve(OK);
  assertEquals(await answer, OK);
  await other.close();
  assertEquals(bench.errors, []);
});

Deno.test("Escape passes pcscd without a card", async () => {
  await using bench = await startReader({
    onEscape: (data) => data.toReversed(),
  });
  await using pcscd = await Pcscd.start();
  const reader = await pcscd.pcsc.connect(pcscd.reader, true);
  assertEquals(
    await reader.escape(Uint8Array.of(1, 2, 3)),
    Uint8Array.of(3, 2, 1),
  );
  await reader.disconnect();
  assertEquals(bench.errors, []);
});
