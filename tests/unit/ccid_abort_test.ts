/**
 * Commands that the host aborts, by a control request and a message in either
 * order; and notifications of slots.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { CardReader } from "@usb/gadget/ccid";
import { CommandType, ResponseType } from "../../src/classes/ccid/messages.ts";
import { serveReader } from "../support/ccid/reader_bench.ts";
import { failureOf } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const { XFR_BLOCK, GET_SLOT_STATUS, ABORT } = CommandType;
const OK = Uint8Array.of(0x90, 0x00);
const ABORTED = 0xff;
const PATIENCE = { timeout: 50 };

/** A reader with a card that never answers its first command. */
async function serveHanging() {
  const bench = serveReader();
  const { host, slot } = bench;
  const signals: AbortSignal[] = [];
  slot.insert({
    onApdu(_, signal) {
      signals.push(signal);
      if (signals.length > 1) return OK;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  await host.powerOn();
  const begin = async () => {
    const seq = await host.send(XFR_BLOCK, { data: new Uint8Array(4) });
    await until(() => signals.length === 1, "the card has the command");
    return seq;
  };
  return { ...bench, signals, begin };
}

for (const requestFirst of [true, false]) {
  const order = requestFirst ? "request, message" : "message, request";
  Deno.test(`a command is aborted: ${order}`, async () => {
    await using bench = await serveHanging();
    const { host, signals } = bench;
    const command = await bench.begin();
    const seq = host.seq++;
    if (requestFirst) await host.abortRequest(seq);
    else await host.send(ABORT, { seq });
    const aborted = await host.response(command);
    assertEquals([aborted.commandStatus, aborted.error], [1, ABORTED]);
    assert(signals[0].aborted);
    // Until the other half comes, everything fails.
    for (const type of [GET_SLOT_STATUS, XFR_BLOCK]) {
      assertEquals(await host.failure(type), ABORTED);
    }
    if (requestFirst) await host.send(ABORT, { seq });
    else await host.abortRequest(seq);
    const done = await host.response(seq);
    assertEquals([done.type, done.commandStatus, done.error, done.iccStatus], [
      ResponseType.SLOT_STATUS,
      0,
      0,
      0,
    ]);
    assertEquals(await host.transmit(new Uint8Array(4)), OK);
  });
}

Deno.test("a host may read the response to what it has aborted after its abort", async () => {
  await using bench = await serveHanging();
  const { host } = bench;
  const command = await bench.begin();
  const seq = host.seq++;
  await host.abortRequest(seq);
  await host.send(ABORT, { seq });
  assertEquals((await host.response(command)).error, ABORTED);
  assertEquals((await host.response(seq)).commandStatus, 0);
});

Deno.test("a half of an abort with another number is no match, and the last one counts", async () => {
  await using bench = await serveHanging();
  const { host } = bench;
  const command = await bench.begin();
  await host.abortRequest(7);
  assertEquals((await host.response(command)).error, ABORTED);
  await host.send(ABORT, { seq: 8 });
  assertEquals(await host.failure(GET_SLOT_STATUS, { seq: 9 }), ABORTED);
  await host.abortRequest(6);
  await host.abortRequest(8);
  assertEquals((await host.response(8)).commandStatus, 0);
  assertEquals(await host.status(), 0);
});

Deno.test("an abort without a command has no effect, and ends a chain", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  slot.insert({ onApdu: () => OK });
  await host.powerOn();
  await host.pass(XFR_BLOCK, { fields: [0, 1, 0], data: new Uint8Array(4) });
  await host.abortRequest(1);
  await host.send(ABORT, { seq: 1 });
  assertEquals((await host.response(1)).commandStatus, 0);
  const rest = { fields: [0, 2, 0], data: new Uint8Array(4) };
  assertEquals(await host.failure(XFR_BLOCK, rest), 8);
});

Deno.test("half of an abort of a program that was killed does not hinder the next one", async () => {
  await using bench = serveReader();
  const { host } = bench;
  for (const isRequest of [true, false]) {
    host.seq = 100;
    await host.status();
    const seq = host.seq++;
    if (isRequest) await host.abortRequest(seq);
    else await host.send(ABORT, { seq });
    // Those of the same program fail.
    assertEquals(await host.failure(GET_SLOT_STATUS), ABORTED);
    assertEquals(await host.failure(GET_SLOT_STATUS), ABORTED);
    host.seq = 0;
    assertEquals(await host.status(), 2);
  }
});

Deno.test("half of an abort is gone with the session", async () => {
  const reader = new CardReader();
  {
    await using bench = serveReader({}, { reader });
    await bench.host.abortRequest(bench.host.seq++);
    assertEquals(await bench.host.failure(GET_SLOT_STATUS), ABORTED);
  }
  await using bench = serveReader({}, { reader });
  assertEquals(await bench.host.status(), 2);
});

Deno.test("a command of a host that is gone is aborted, and has no response", async () => {
  const reader = new CardReader();
  let given: AbortSignal | undefined;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  reader.slots[0].insert({
    onApdu(_, signal) {
      given = signal;
      return promise;
    },
  });
  {
    await using bench = serveReader({}, { reader });
    await bench.host.powerOn();
    await bench.host.send(XFR_BLOCK, { data: new Uint8Array(4) });
    await until(() => given !== undefined, "the card has the command");
  }
  assert(given!.aborted);
  resolve(OK);
  await using bench = serveReader({}, { reader });
  assertEquals(await bench.host.status(), 1);
  await bench.host.powerOn();
  assertEquals(await bench.host.transmit(new Uint8Array(4)), OK);
});

const card = { onApdu: () => OK };

Deno.test("the host is notified of cards that come and go", async () => {
  await using bench = serveReader({ slots: 6 });
  const { host: { pipe }, reader: { slots } } = bench;
  slots[0].insert(card);
  assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x03, 0));
  slots[5].insert(card);
  assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x01, 0x0c));
  slots[0].remove();
  assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x02, 0x04));
  // Nothing has changed.
  assertEquals(slots[0].remove(), undefined);
  assert(await failureOf(pipe.poll(8, PATIENCE)) !== undefined);
});

Deno.test("a host that does not poll finds the newest state, and all that has changed", async () => {
  await using bench = serveReader({ slots: 3 });
  const { host, reader: { slots } } = bench;
  for (let round = 0; round < 100; round++) {
    slots[0].insert(card);
    slots[0].remove();
    if (round === 50) {
      slots[2].insert(card);
      // The message is on its way.
      await host.status();
    }
  }
  assertEquals(await host.pipe.poll(8), Uint8Array.of(0x50, 0x32));
  assert(await failureOf(host.pipe.poll(8, PATIENCE)) !== undefined);
});

Deno.test("a host that comes later is notified of the cards that are there", async () => {
  const reader = new CardReader({ slots: 2 });
  const [first, second] = reader.slots;
  first.insert(card);
  second.insert(card);
  second.remove();
  for (let session = 0; session < 2; session++) {
    await using bench = serveReader({}, { reader });
    const { pipe } = bench.host;
    assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x03));
    second.insert(card);
    // Not taken by this host.
    second.remove();
  }
});
