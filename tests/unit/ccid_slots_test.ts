/**
 * Slots and their cards: power, status, parameters, and commands that are refused.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import type { ccid } from "@usb/gadget";
import {
  CardError,
  CardReader,
  ccidRequests,
  type SmartCard,
} from "@usb/gadget/ccid";
import { CommandType, ResponseType } from "../../src/classes/ccid/messages.ts";
import { serveReader } from "../support/ccid/reader_bench.ts";
import { until } from "../support/waiting/until.ts";

const OK = Uint8Array.of(0x90, 0x00);
const echo: SmartCard = { onApdu: (apdu) => Uint8Array.of(...apdu, ...OK) };
/** Offers T=0 first, then T=1. */
const ATR = Uint8Array.fromHex("3b80800101");
const [ACTIVE, INACTIVE, ABSENT] = [0, 1, 2];
const { ICC_POWER_ON, ICC_POWER_OFF, XFR_BLOCK, GET_SLOT_STATUS } = CommandType;
const MUTE = 0xfe;

Deno.test("a card is powered on, reset, and powered off", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  assertEquals(await host.status(), ABSENT);
  let resets = 0;
  slot.insert({ ...echo, atr: ATR, onReset: () => void resets++ });
  assertEquals(await host.status(), INACTIVE);
  assertEquals([slot.powered, resets], [false, 0]);
  for (let count = 1; count <= 2; count++) {
    assertEquals(await host.powerOn(), ATR);
    assertEquals([slot.powered, resets], [true, count]);
    assertEquals(await host.status(), ACTIVE);
  }
  const off = await host.pass(ICC_POWER_OFF);
  assertEquals([off.type, off.iccStatus], [
    ResponseType.SLOT_STATUS,
    INACTIVE,
  ]);
  assertEquals(slot.powered, false);
  assertEquals(slot.remove()?.atr, ATR);
  assertEquals((await host.pass(ICC_POWER_OFF)).iccStatus, ABSENT);
});

Deno.test("the session's end takes the power of cards, and leaves them in their slots", async () => {
  const reader = new CardReader();
  reader.slots[0].insert(echo);
  for (let session = 0; session < 2; session++) {
    await using bench = serveReader({}, { reader });
    assertEquals(await bench.host.status(), INACTIVE);
    await bench.host.powerOn();
  }
  assertEquals(reader.slots[0].powered, false);
  assertEquals(reader.slots[0].card, echo);
});

Deno.test("a card without an answer to reset of its own has one of T=1", async () => {
  await using bench = serveReader();
  bench.slot.insert(echo);
  assertEquals(await bench.host.powerOn(), Uint8Array.fromHex("3b800181"));
});

Deno.test("commands to empty slots, and to cards without power, find them mute", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const needPower = [
    XFR_BLOCK,
    CommandType.GET_PARAMETERS,
    CommandType.RESET_PARAMETERS,
    CommandType.SET_PARAMETERS,
    CommandType.ICC_CLOCK,
  ];
  for (const type of [ICC_POWER_ON, ...needPower]) {
    assertEquals(await host.failure(type), MUTE, `${type}`);
  }
  slot.insert(echo);
  for (const type of needPower) {
    assertEquals(await host.failure(type), MUTE, `${type}`);
  }
});

Deno.test("slots that do not exist are refused", async () => {
  await using bench = serveReader({ slots: 3 });
  const { host } = bench;
  assertEquals(await host.status(2), ABSENT);
  for (const slot of [3, 16, 255]) {
    const response = await host.run(XFR_BLOCK, { slot });
    assertEquals(response, {
      type: ResponseType.DATA_BLOCK,
      slot,
      seq: host.seq - 1,
      iccStatus: ABSENT,
      commandStatus: 1,
      error: 5,
      detail: 0,
      data: new Uint8Array(0),
    });
  }
  await host.abortRequest(0, 2);
  const error = await host.abortRequest(0, 3).catch((it) => it);
  assertEquals((error as Error).message, "EPIPE");
});

Deno.test("commands that the reader does not have fail as not supported", async () => {
  await using bench = serveReader();
  bench.slot.insert(echo);
  await bench.host.powerOn();
  const responses = [
    [CommandType.SECURE, ResponseType.DATA_BLOCK],
    [CommandType.T0_APDU, ResponseType.SLOT_STATUS],
    [CommandType.MECHANICAL, ResponseType.SLOT_STATUS],
    [
      CommandType.SET_DATA_RATE_AND_CLOCK_FREQUENCY,
      ResponseType.DATA_RATE_AND_CLOCK_FREQUENCY,
    ],
    [CommandType.ESCAPE, ResponseType.ESCAPE],
    [0x00, ResponseType.SLOT_STATUS],
    [0xff, ResponseType.SLOT_STATUS],
  ];
  for (const [type, expected] of responses) {
    const data = Uint8Array.of(1, 2, 3);
    const response = await bench.host.run(type, { data });
    const { commandStatus, error } = response;
    assertEquals([response.type, commandStatus, error], [expected, 1, 0]);
    assertEquals(response.iccStatus, ACTIVE);
  }
});

Deno.test("wrong fields are named by their places", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  slot.insert(echo);
  const wrong = async (type: number, fields: number[], data?: number[]) =>
    await host.failure(type, { fields, data: Uint8Array.of(...data ?? []) });
  assertEquals(await wrong(ICC_POWER_ON, [4]), 7);
  for (const voltage of [0, 1, 2, 3]) {
    await host.pass(ICC_POWER_ON, { fields: [voltage] });
  }
  assertEquals(await wrong(CommandType.ICC_CLOCK, [2]), 7);
  // The card offers T=1 only.
  assertEquals(
    await wrong(CommandType.SET_PARAMETERS, [0], [0, 0, 0, 0, 0]),
    7,
  );
  assertEquals(await wrong(CommandType.SET_PARAMETERS, [2]), 7);
  assertEquals(
    await wrong(CommandType.SET_PARAMETERS, [1], [1, 2, 3, 4, 5]),
    1,
  );
  for (
    const type of [
      ICC_POWER_ON,
      ICC_POWER_OFF,
      GET_SLOT_STATUS,
      CommandType.GET_PARAMETERS,
      CommandType.RESET_PARAMETERS,
      CommandType.ICC_CLOCK,
      CommandType.ABORT,
    ]
  ) {
    assertEquals(await wrong(type, [], [0]), 1, `${type}`);
  }
  assertEquals(slot.powered, true);
});

Deno.test("parameters come from the answer to reset, and can be set and reset", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  slot.insert({ ...echo, atr: ATR });
  await host.powerOn();
  const get = async (type: number) => {
    const { type: response, detail, data } = await host.pass(type);
    assertEquals(response, ResponseType.PARAMETERS);
    return [detail, data.toHex()];
  };
  const initial = [0, "1100000a00"];
  assertEquals(await get(CommandType.GET_PARAMETERS), initial);
  const data = Uint8Array.fromHex("1810ff7500fe00");
  const set = await host.pass(CommandType.SET_PARAMETERS, {
    fields: [1],
    data,
  });
  assertEquals([set.detail, set.data], [1, data]);
  assertEquals(await get(CommandType.GET_PARAMETERS), [1, data.toHex()]);
  assertEquals(await get(CommandType.RESET_PARAMETERS), initial);
  await host.pass(CommandType.SET_PARAMETERS, { fields: [1], data });
  await host.powerOn();
  assertEquals(await get(CommandType.GET_PARAMETERS), initial);
});

Deno.test("the clock of a card is stopped, and runs again for a command", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  slot.insert(echo);
  await host.powerOn();
  const clock = async () => (await host.pass(GET_SLOT_STATUS)).detail;
  assertEquals(await clock(), 0);
  const stop = { fields: [1] };
  assertEquals((await host.pass(CommandType.ICC_CLOCK, stop)).detail, 1);
  assertEquals(await clock(), 1);
  assertEquals((await host.pass(CommandType.ICC_CLOCK)).detail, 0);
  await host.pass(CommandType.ICC_CLOCK, stop);
  await host.transmit(Uint8Array.of(0, 0, 0, 0));
  assertEquals(await clock(), 0);
});

Deno.test("the host asks for clocks and data rates", async () => {
  await using bench = serveReader();
  const { host, reader } = bench;
  const [descriptor] = reader.interfaces[0].descriptors!;
  const { clocksSupported, dataRatesSupported, dataRate, maxDataRate } =
    descriptor as ReturnType<typeof ccid>;
  assertEquals(await host.words(2), [4000]);
  assertEquals(clocksSupported, 1);
  const rates = await host.words(3);
  assertEquals(rates.length, dataRatesSupported);
  assertEquals([rates.includes(dataRate), rates.at(-1)], [true, maxDataRate]);
  assertEquals(rates.toSorted((a, b) => a - b), rates);
});

Deno.test("the class descriptor says what the reader can do", () => {
  const descriptorOf = (reader: CardReader) => {
    const { maxSlotIndex, maxBusySlots, features, maxMessageLength } = reader
      .interfaces[0].descriptors![0] as ReturnType<typeof ccid>;
    return [maxSlotIndex, maxBusySlots, features, maxMessageLength];
  };
  assertEquals(descriptorOf(new CardReader()), [0, 1, 0x0004_05ba, 65_554]);
  assertEquals(
    descriptorOf(new CardReader({ exchange: "short", slots: 16 })),
    [15, 16, 0x0002_05ba, 271],
  );
  assertEquals(
    descriptorOf(new CardReader({ exchange: "tpdu", maxMessageLength: 300 })),
    [0, 1, 0x0001_01ba, 300],
  );
});

Deno.test("Escape goes to the program", async () => {
  const calls: unknown[] = [];
  await using bench = serveReader({
    slots: 2,
    onEscape(data, slot) {
      calls.push([data.toHex(), slot]);
      if (data.length === 0) throw new CardError("HW_ERROR");
      if (data[0] === 0) throw new Error("unexpected");
      return data.toReversed();
    },
  });
  const { host } = bench;
  const response = await host.pass(CommandType.ESCAPE, {
    slot: 1,
    data: Uint8Array.of(1, 2),
  });
  assertEquals(response.type, ResponseType.ESCAPE);
  assertEquals(response.data, Uint8Array.of(2, 1));
  assertEquals(await host.failure(CommandType.ESCAPE), 0xfb);
  const data = Uint8Array.of(0);
  assertEquals(await host.failure(CommandType.ESCAPE, { data }), 0xfb);
  assertEquals(calls, [["0102", 1], ["", 0], ["00", 0]]);
  bench.expectErrors(1);
});

Deno.test("what a card throws is the error that it chooses, or an error of the hardware", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  let thrown: unknown = new CardError("BAD_ATR_TCK");
  const fail = () => {
    throw thrown;
  };
  slot.insert({
    onApdu: fail,
    onReset: () => thrown === undefined ? void 0 : fail(),
  });
  assertEquals(await host.failure(ICC_POWER_ON), 0xf7);
  assertEquals(slot.powered, false);
  thrown = undefined;
  await host.powerOn();
  const data = Uint8Array.of(0, 0, 0, 0);
  for (
    const [error, code] of [
      ["ICC_MUTE", 0xfe],
      ["XFR_PARITY_ERROR", 0xfd],
      ["PIN_CANCELLED", 0xef],
    ] as const
  ) {
    thrown = new CardError(error);
    assertEquals(await host.failure(XFR_BLOCK, { data }), code);
  }
  thrown = new Error("unexpected");
  assertEquals(await host.failure(XFR_BLOCK, { data }), 0xfb);
  assertEquals(bench.session.reported, [thrown]);
  bench.expectErrors(1);
});

Deno.test("a card that is removed takes its command along", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  let signal: AbortSignal | undefined;
  slot.insert({
    onApdu: (_, given) => {
      signal = given;
      return new Promise(() => {});
    },
  });
  await host.powerOn();
  const seq = await host.send(XFR_BLOCK, { data: Uint8Array.of(0, 0, 0, 0) });
  await until(() => signal !== undefined, "the card has the command");
  slot.remove();
  assertEquals(signal!.aborted, true);
  const { iccStatus, commandStatus, error } = await host.response(seq);
  assertEquals([iccStatus, commandStatus, error], [ABSENT, 1, MUTE]);
  slot.insert(echo);
  assertEquals(await host.status(), INACTIVE);
});

Deno.test("a card that is removed while it is reset does not get power", async () => {
  await using bench = serveReader();
  const { host, slot } = bench;
  const { promise, resolve } = Promise.withResolvers<void>();
  slot.insert({ ...echo, onReset: () => promise });
  const seq = await host.send(ICC_POWER_ON);
  slot.remove();
  assertEquals((await host.response(seq)).error, MUTE);
  slot.insert(echo);
  resolve();
  assertEquals(await host.status(), INACTIVE);
  assertEquals(slot.powered, false);
});

Deno.test("an answer to reset is copied", async () => {
  await using bench = serveReader();
  const atr = new Uint8Array(ATR);
  bench.slot.insert({ ...echo, atr });
  atr.fill(0);
  assertEquals(await bench.host.powerOn(), ATR);
});

Deno.test("a slot has one card, which must be one", () => {
  const [slot] = new CardReader().slots;
  slot.insert(echo);
  assertThrows(
    () => slot.insert(echo),
    TypeError,
    "Cannot insert card into slot 0: remove the card in it first",
  );
  assertEquals([slot.remove(), slot.remove()], [echo, undefined]);
  const wrong = {
    "the card must be an object, is null": null,
    '"onApdu" of the card must be a function, is undefined': {},
    '"onReset" of the card must be a function, is 1': { ...echo, onReset: 1 },
    '"atr" of the card must be a Uint8Array, is "3b00"': {
      ...echo,
      atr: "3b00",
    },
    "the answer to reset must begin with 0x3b or 0x3f, not 0x00": {
      ...echo,
      atr: new Uint8Array(2),
    },
  };
  for (const [message, card] of Object.entries(wrong)) {
    assertThrows(
      () => slot.insert(card as SmartCard),
      TypeError,
      `Cannot insert card into slot 0: ${message}`,
    );
    assertEquals(slot.card, undefined);
  }
});

Deno.test("wrong options of a reader are refused", () => {
  const make = (options: unknown) => () => new CardReader(options as object);
  assertThrows(
    make({ slots: 0 }),
    RangeError,
    '"slots" must be an integer from 1 to 16, is 0',
  );
  assertThrows(make({ slots: 17 }), RangeError);
  assertThrows(
    make({ maxMessageLength: 270 }),
    RangeError,
    "from 271 to 65554, is 270",
  );
  assertThrows(make({ exchange: "long" }), TypeError);
  assertThrows(make({ slot: 1 }), TypeError, 'did you mean "slots"?');
  assertThrows(
    () => ccidRequests({} as never),
    TypeError,
    'Cannot answer CCID requests: "abort" must be a function, is undefined',
  );
  assertThrows(
    () => new CardError("CMD_ABORTED" as "HW_ERROR"),
    TypeError,
    'there is no error "CMD_ABORTED" of cards',
  );
});
