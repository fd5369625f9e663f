/**
 * Commands and answers of cards: all sizes, chaining, more time, and messages that
 * lie.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { SmartCard } from "@usb/gadget/ccid";
import {
  CommandStatus,
  CommandType,
  HEADER_SIZE,
} from "../../src/classes/ccid/messages.ts";
import { mirrorCard, mirrored, OK } from "../support/ccid/cards.ts";
import { serveReader } from "../support/ccid/reader_bench.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const { XFR_BLOCK, GET_SLOT_STATUS } = CommandType;
const HEADER = Uint8Array.of(0, 0xb0, 0, 0);
const DONE = [CommandStatus.DONE, 0];
/** With a BWI of 0: hosts wait for 90 ms. */
const IMPATIENT = Uint8Array.fromHex("3b8081210525");
const SLOW = Uint8Array.of(0, 1, 0, 0);

type Bytes = Uint8Array<ArrayBuffer>;

const mirror = mirrorCard();

function join(...parts: Uint8Array[]): Bytes {
  return Uint8Array.of(...parts.flatMap((it) => [...it]));
}

for (const speed of ["full", "high", "super"] as const) {
  Deno.test(`APDUs of all sizes arrive whole, at ${speed} speed`, async () => {
    for (const maxMessageLength of [271, 1034, 65_554]) {
      await using bench = serveReader({ maxMessageLength }, { speed });
      const { host, slot } = bench;
      slot.insert(mirror);
      await host.powerOn();
      const { packetSize } = host.pipe;
      const borders = [packetSize, 2 * packetSize, maxMessageLength]
        .flatMap((it) => [it - 1, it, it + 1, it + 2, it + 3])
        // With the header of the command, or the status of the answer
        .map((it) => it - HEADER_SIZE - 4)
        .filter((it) => it <= 65_536);
      for (const size of [0, 1, 2, ...borders, 10_000, 65_536]) {
        const data = pattern(size, size);
        const answer = await host.transmit(join(HEADER, data), {
          zlp: size % 2 === 0,
        });
        const where = `${maxMessageLength}: ${size}`;
        assertEquals(firstDifference(answer, join(data, OK)), -1, where);
      }
    }
  });
}

Deno.test("the rest of an answer is gone with the next command to the card", async () => {
  await using bench = serveReader({ maxMessageLength: 271 });
  const { host, slot } = bench;
  slot.insert({ onApdu: () => join(pattern(1000), OK) });
  await host.powerOn();
  const { data, detail } = await host.pass(XFR_BLOCK, { data: HEADER });
  assertEquals([data.byteLength, detail], [261, 1]);
  await host.pass(GET_SLOT_STATUS);
  const more = { fields: [0, 0x10, 0] };
  const next = await host.pass(XFR_BLOCK, more);
  assertEquals([next.data, next.detail], [pattern(1000).slice(261, 522), 3]);
  assertEquals((await host.transmit(HEADER)).byteLength, 1002);
  assertEquals(await host.failure(XFR_BLOCK, more), 8);
});

Deno.test("parts that continue nothing, and unknown ones, are refused", async () => {
  await using bench = serveReader({ maxMessageLength: 271 });
  const { host, slot } = bench;
  slot.insert(mirror);
  await host.powerOn();
  const xfr = (level: number, data = new Uint8Array(0)) =>
    host.run(XFR_BLOCK, { fields: [0, level & 0xff, level >> 8], data });
  for (const level of [0x02, 0x03, 0x10, 0x04, 0x11, 0x0100]) {
    assertEquals((await xfr(level, HEADER)).error, level === 0x10 ? 1 : 8);
  }
  assertEquals((await xfr(0x10)).error, 8);
  // A new beginning replaces one that has no end.
  assertEquals((await xfr(1, pattern(200))).detail, 0x10);
  assertEquals((await xfr(1, HEADER)).detail, 0x10);
  assertEquals((await xfr(3)).detail, 0x10);
  assertEquals((await xfr(2, OK)).data, join(OK, OK));
  assertEquals((await xfr(2, OK)).error, 8);
  // Power takes it along.
  await xfr(1, HEADER);
  await host.powerOn();
  assertEquals((await xfr(2, OK)).error, 8);
});

Deno.test("commands that are too short or too long are refused", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  slot.insert(mirror);
  await host.powerOn();
  for (const size of [0, 3]) {
    assertEquals(await host.failure(XFR_BLOCK, { data: pattern(size) }), 1);
  }
  const chain = async (level: number) =>
    await host.run(XFR_BLOCK, { fields: [0, level, 0], data: pattern(40_000) });
  assertEquals((await chain(1)).detail, 0x10);
  assertEquals((await chain(2)).error, 1);
  assertEquals((await chain(2)).error, 8);
});

Deno.test("a reader of short APDUs takes and sends no longer ones", async () => {
  await using bench = serveReader({ exchange: "short" });
  const { host, slot } = bench;
  let size = 256;
  slot.insert({ onApdu: () => join(pattern(size), OK) });
  await host.powerOn();
  assertEquals((await host.transmit(pattern(261))).byteLength, 258);
  assertEquals(await host.failure(XFR_BLOCK, { data: pattern(262) }), 1);
  const fields = [0, 1, 0];
  assertEquals(await host.failure(XFR_BLOCK, { fields, data: HEADER }), 8);
  size = 257;
  assertEquals(await host.failure(XFR_BLOCK, { data: HEADER }), 0xfb);
  bench.expectErrors(1);
});

Deno.test("a reader of TPDUs passes on what the protocol has", async () => {
  await using bench = serveReader({ exchange: "tpdu" });
  const { host, slot } = bench;
  // S(IFS request) of T=1, and its response
  const request = Uint8Array.fromHex("00c101fe3e");
  const response = Uint8Array.fromHex("00e101fe1e");
  const received: string[] = [];
  slot.insert({
    onApdu(tpdu) {
      received.push(tpdu.toHex());
      return response;
    },
  });
  await host.powerOn();
  assertEquals(await host.transmit(request), response);
  assertEquals(received, [request.toHex()]);
});

Deno.test("answers that are not valid are reported", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  let answer: unknown;
  slot.insert({ onApdu: () => answer as Uint8Array });
  await host.powerOn();
  const wrong = [undefined, "9000", [], new Uint8Array(1), pattern(65_539)];
  for (answer of wrong) {
    assertEquals(await host.failure(XFR_BLOCK, { data: HEADER }), 0xfb);
  }
  assertEquals(
    bench.session.reported.map((it) => (it as Error).message),
    [
      "must be a Uint8Array, is undefined",
      'must be a Uint8Array, is "9000": give new TextEncoder().encode(it)',
      "must be a Uint8Array, is an array",
      "must have 2 to 65538 bytes, has 1",
      "must have 2 to 65538 bytes, has 65539",
    ].map((it) => `Cannot send the answer of "onApdu": it ${it}`),
  );
  bench.expectErrors(wrong.length);
});

Deno.test("a message with another length than it says is refused, and the next one is served", async () => {
  for (const speed of ["full", "high"] as const) {
    await using bench = serveReader({ maxMessageLength: 2000 }, { speed });
    const { host, slot } = bench;
    slot.insert(mirror);
    await host.powerOn();
    const { packetSize } = host.pipe;
    for (const size of [0, 4, packetSize - 10, packetSize, 3 * packetSize]) {
      const lengths = [size + 1, size - 1, 5000, 0xffff_ffff, 2 * size + 500];
      for (const length of lengths.filter((it) => it >= 0)) {
        const data = pattern(size);
        const command = { data, length };
        const where = `${speed}: ${size} for ${length}`;
        assertEquals(await host.failure(XFR_BLOCK, command), 1, where);
        assertEquals(await host.status(), 0, where);
      }
    }
    // Longer than a message may be
    assertEquals(await host.failure(XFR_BLOCK, { data: pattern(1991) }), 1);
    // Not even a header
    for (const size of [0, 1, 9]) await host.pipe.send(pattern(size), true);
    assertEquals(await host.status(), 0);
  }
});

Deno.test("the reader asks for more time while a card computes", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  slot.insert({ atr: IMPATIENT, onApdu: () => promise });
  await host.powerOn();
  const seq = await host.send(XFR_BLOCK, { data: HEADER });
  for (let count = 0; count < 3; count++) {
    const { commandStatus, error, data, iccStatus } = await host.message();
    assertEquals([commandStatus, error, data.byteLength, iccStatus], [
      CommandStatus.TIME_EXTENSION,
      1,
      0,
      0,
    ]);
  }
  resolve(OK);
  const { data } = await host.response(seq);
  assertEquals(data, OK);
});

Deno.test("a host that takes no request for more time gets no second one", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  slot.insert({ atr: IMPATIENT, onApdu: () => promise });
  await host.powerOn();
  const seq = await host.send(XFR_BLOCK, { data: HEADER });
  assert(await staysPending(promise, 200));
  resolve(OK);
  assertEquals((await host.response(seq)).data, OK);
  assertEquals(host.extensions, 1);
});

Deno.test("a slot is busy until its card has answered, and others are not", async () => {
  await using bench = serveReader({ slots: 2 });
  const { host, reader: { slots: [first, second] } } = bench;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  first.insert({ onApdu: () => promise });
  second.insert(mirror);
  await host.powerOn(0);
  await host.powerOn(1);
  const slow = await host.send(XFR_BLOCK, { data: HEADER });
  for (const type of [GET_SLOT_STATUS, XFR_BLOCK, CommandType.ESCAPE]) {
    assertEquals(await host.failure(type, { data: HEADER }), 0xe0);
  }
  assertEquals(await host.transmit(HEADER, { slot: 1 }), OK);
  resolve(OK);
  const { data, commandStatus, error } = await host.response(slow);
  assertEquals([data, [commandStatus, error]], [OK, DONE]);
});

Deno.test("a response that no host has taken does not reach the next one", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const size = 60_000;
  slot.insert({ onApdu: () => join(pattern(size), OK) });
  await host.powerOn();
  await host.send(XFR_BLOCK, { data: HEADER });
  // It has taken a part of it.
  await host.pipe.receive(host.pipe.packetSize);
  assertEquals(await host.status(), 0);
  assertEquals((await host.transmit(HEADER)).byteLength, size + 2);
});

Deno.test("calls of a card do not overlap, also in another slot", async () => {
  await using bench = serveReader({ slots: 2 });
  const { host, reader: { slots: [first, second] } } = bench;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const calls: number[] = [];
  const card: SmartCard = {
    onApdu(apdu) {
      calls.push(apdu[1]);
      return apdu[1] === SLOW[1] ? promise : OK;
    },
  };
  first.insert(card);
  second.insert(card);
  await host.powerOn(0);
  await host.powerOn(1);
  const removed = await host.send(XFR_BLOCK, { data: SLOW });
  await until(() => calls.length === 1, "the card has the command");
  first.remove();
  assertEquals((await host.response(removed)).error, 0xfe);
  const next = await host.send(XFR_BLOCK, { slot: 1, data: HEADER });
  const called = until(() => calls.length > 1, "the card has the next command");
  assert(await staysPending(called));
  resolve(OK);
  assertEquals((await host.response(next)).data, OK);
  await called;
  assertEquals(calls, [SLOW[1], HEADER[1]]);
});

Deno.test("a program of the host that was killed does not hinder the next one", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const signals: AbortSignal[] = [];
  slot.insert({
    onApdu(apdu, signal) {
      signals.push(signal);
      if (signals.length > 1) return mirrored(apdu);
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    },
  });
  await host.powerOn();
  // It waits for a card ...
  host.seq = 100;
  await host.send(XFR_BLOCK, { data: HEADER });
  await until(() => signals.length === 1, "the card has the command");
  host.seq = 0;
  assertEquals(await host.status(), 0);
  assert(signals[0].aborted);
  // ... or has sent a part of a message.
  for (const packets of [1, 3]) {
    const data = new Uint8Array(packets * host.pipe.packetSize - HEADER_SIZE);
    const length = 5 * data.byteLength;
    await host.send(XFR_BLOCK, { data, length, zlp: false });
    host.seq = 0;
    assertEquals(await host.status(), 0);
  }
  assertEquals(await host.transmit(HEADER), OK);
});
