/**
 * CTAPHID: packets, channels, and what becomes of messages.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  Assembly,
  decodePacket,
  encodeMessage,
  MAX_MESSAGE_SIZE,
} from "../../src/classes/hid/fido/packets.ts";
import { pattern } from "../support/data/pattern.ts";
import { connectCtap, WaitingHandler } from "../support/gadgets/ctap.ts";
import {
  BROADCAST,
  CANCEL,
  CBOR,
  codeOf,
  ERROR,
  INIT,
  KEEPALIVE,
  LOCK,
  MSG,
  nextPacket,
  packetsOf,
  PING,
  startPacket,
  WINK,
} from "../support/host/ctap.ts";

const INVALID_CMD = 1;
const INVALID_LEN = 3;
const INVALID_SEQ = 4;
const MSG_TIMEOUT = 5;
const CHANNEL_BUSY = 6;
const INVALID_CHANNEL = 11;

const hexOf = (packets: readonly Uint8Array[]) =>
  packets.map((it) => it.toHex().replace(/(00)+$/, ""));

Deno.test("a message becomes packets of 64 bytes, and packets become a message", () => {
  const bytes = pattern(59, 1);
  const short = encodeMessage(0x01020304, PING, bytes.subarray(0, 3));
  assertEquals(hexOf(short), ["01020304810003" + "0d141b"]);
  assertEquals(hexOf(encodeMessage(7, WINK, new Uint8Array(0))), [
    "0000000788",
  ]);
  const full = encodeMessage(0xfffffffe, CBOR, bytes.subarray(0, 57));
  assertEquals(hexOf(full), ["fffffffe900039" + bytes.toHex().slice(0, 114)]);
  const two = encodeMessage(0x80000001, MSG, bytes);
  assertEquals(hexOf(two), [
    "8000000183003b" + bytes.toHex().slice(0, 114),
    "8000000100" + bytes.toHex().slice(114),
  ]);
  for (const packet of [...short, ...full, ...two]) {
    assertEquals(packet.length, 64);
  }
  assertEquals(MAX_MESSAGE_SIZE, 7609);
  const longest = encodeMessage(1, PING, pattern(7609));
  assertEquals([longest.length, longest[1][4], longest[128][4]], [129, 0, 127]);

  for (const length of [0, 1, 56, 57, 58, 116, 117, 7608, 7609]) {
    const data = pattern(length, length);
    const packets = encodeMessage(5, PING, data).map(decodePacket);
    const [start, ...rest] = packets;
    assert(start?.kind === "start");
    const assembly = new Assembly(start);
    for (const packet of rest) {
      assert(!assembly.isComplete && packet?.kind === "continuation");
      assert(assembly.add(packet));
    }
    assert(assembly.isComplete);
    assertEquals(assembly.data, data);
    assertEquals(encodeMessage(5, PING, data), packetsOf(5, PING, data));
  }
});

Deno.test("a packet is decoded by its bytes; of another size it is none", () => {
  const report = new Uint8Array(80).subarray(3, 67);
  report.set([0xde, 0xad, 0xbe, 0xef, 0x86, 0x12, 0x34, 1, 2, 3]);
  assertEquals(decodePacket(report), {
    kind: "start",
    channel: 0xdeadbeef,
    command: INIT,
    length: 0x1234,
    data: report.subarray(7),
  });
  report[4] = 0x7f;
  assertEquals(decodePacket(report), {
    kind: "continuation",
    channel: 0xdeadbeef,
    sequence: 127,
    data: report.subarray(5),
  });
  for (const size of [0, 1, 7, 63, 65, 1024]) {
    assertEquals(decodePacket(new Uint8Array(size)), undefined);
  }
});

Deno.test("INIT returns the nonce, a channel, the versions and what the key can", async () => {
  const handlers = { onU2f: (it: Uint8Array) => it, onWink: () => {} };
  for (
    const [given, flags] of [
      [{}, 0x0c],
      [{ onU2f: handlers.onU2f }, 0x04],
      [{ onWink: handlers.onWink }, 0x0d],
      [handlers, 0x05],
    ] as const
  ) {
    using device = connectCtap({ ...given, pickChannel: () => 0x1234 });
    const nonce = [8, 7, 6, 5, 4, 3, 2, 1];
    const answer = await device.host.ask(
      BROADCAST,
      INIT,
      Uint8Array.from(nonce),
    );
    assertEquals(answer, {
      channel: BROADCAST,
      command: INIT,
      data: Uint8Array.of(...nonce, 0, 0, 0x12, 0x34, 2, 1, 2, 3, flags),
    });
  }
});

Deno.test("a new channel is not reserved and not in use", async () => {
  const suggested = [0, 0xffffffff, 5, 5, 0, 6];
  using device = connectCtap({ pickChannel: () => suggested.shift() ?? 0 });
  assertEquals([await device.host.open(), await device.host.open()], [5, 6]);
  using other = connectCtap();
  const channels = new Set<number>();
  for (let n = 0; n < 1024; n++) channels.add(await other.host.open());
  assertEquals(channels.size, 1024);
});

Deno.test("when too many channels are asked for, the one unused for longest is recycled, never a busy one", async () => {
  let next = 1;
  const handler = new WaitingHandler();
  using device = connectCtap({
    maxChannels: 3,
    pickChannel: () => next++,
    onMessage: handler.onMessage,
  });
  const { host } = device;
  for (const channel of [1, 2, 3]) assertEquals(await host.open(), channel);
  await host.ask(1, PING);
  assertEquals(await host.open(), 4); // in place of 2
  assertEquals(await host.failure(2, PING), INVALID_CHANNEL);
  await host.send(3, CBOR, Uint8Array.of(1));
  const call = await handler.called(0);
  for (const channel of [5, 6, 7, 8]) assertEquals(await host.open(), channel);
  for (const channel of [1, 4, 5, 6]) {
    assertEquals(await host.failure(channel, PING), INVALID_CHANNEL);
  }
  call.resolve(Uint8Array.of(0));
  assertEquals((await host.answer(3)).command, CBOR);
});

Deno.test("messages of all lengths go both ways", async () => {
  using device = connectCtap({ onU2f: (apdu) => apdu.toReversed() });
  const { host } = device;
  const channel = await host.open();
  for (const length of [0, 1, 57, 58, 116, 117, 1024, 7608, 7609]) {
    const data = pattern(length, length);
    const answer = await host.ask(channel, PING, data);
    assertEquals(answer, { channel, command: PING, data });
    if (length === 0) continue;
    assertEquals((await host.ask(channel, CBOR, data)).data, data);
    if (length < 2) continue;
    assertEquals(
      (await host.ask(channel, MSG, data)).data,
      data.toReversed(),
    );
  }
  assertEquals(device.errors, []);
});

Deno.test("a request on no channel, an unknown one or the broadcast channel is refused", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  const unknown = channel === 1 ? 2 : 1;
  for (const each of [0, unknown, BROADCAST]) {
    for (const command of [PING, CBOR, CANCEL, WINK, LOCK, 0x7f]) {
      const code = await host.failure(each, command, Uint8Array.of(1));
      assertEquals(code, INVALID_CHANNEL, `${each} ${command}`);
    }
  }
  for (const each of [0, unknown]) {
    const code = await host.failure(each, INIT, new Uint8Array(8));
    assertEquals(code, INVALID_CHANNEL);
  }
});

Deno.test("commands that the key does not have are refused, by the first packet", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  const commands = [0, 2, MSG, LOCK, 5, 7, WINK, KEEPALIVE, ERROR, 0x40, 0x7f];
  for (const command of commands) {
    assertEquals(await host.failure(channel, command), INVALID_CMD);
    // The rest of the message is ignored.
    const code = await host.failure(channel, command, new Uint8Array(300));
    assertEquals(code, INVALID_CMD);
  }
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(host.messages, []);
});

Deno.test("wrong lengths are refused, by the first packet", async () => {
  using device = connectCtap({ onU2f: (it) => it, onWink: () => {} });
  const { host } = device;
  const channel = await host.open();
  for (const length of [7610, 0x8000, 0xffff]) {
    for (const command of [PING, CBOR, MSG, INIT]) {
      await host.write(
        startPacket(channel, command, length, new Uint8Array(57)),
        nextPacket(channel, 0, new Uint8Array(59)),
      );
      assertEquals(codeOf(await host.answer(channel)), INVALID_LEN);
    }
  }
  const failure = (command: number, length: number) =>
    host.failure(channel, command, new Uint8Array(length));
  assertEquals(await failure(CBOR, 0), INVALID_LEN);
  assertEquals(await failure(MSG, 0), INVALID_LEN);
  assertEquals(await failure(WINK, 1), INVALID_LEN);
  for (const length of [0, 7, 9, 100]) {
    assertEquals(await failure(INIT, length), INVALID_LEN);
    const code = await host.failure(BROADCAST, INIT, new Uint8Array(length));
    assertEquals(code, INVALID_LEN);
  }
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(host.messages, []);
});

Deno.test("a wrong sequence number ends the message", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  const packets = packetsOf(channel, PING, pattern(300));
  const [first, second, third, ...rest] = packets;
  for (
    const order of [
      [first, third],
      [first, second, second],
      [first, second, third, second],
    ]
  ) {
    await host.write(...order);
    assertEquals(codeOf(await host.answer(channel)), INVALID_SEQ);
    await host.write(...rest);
    const { data } = await host.ask(channel, PING, pattern(300));
    assertEquals(data, pattern(300));
  }
  assertEquals(host.messages, []);
});

Deno.test("a continuation without a message is ignored, on any channel", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  for (const each of [channel, 0, channel ^ 1, BROADCAST]) {
    await host.write(nextPacket(each, 0, pattern(59)));
  }
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(host.messages, []);
});

Deno.test("a message that begins in another one ends both", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  const [first] = packetsOf(channel, PING, pattern(300));
  await host.write(first);
  assertEquals(await host.failure(channel, PING), INVALID_SEQ);
  assertEquals((await host.ask(channel, PING)).command, PING);
});

Deno.test("a message whose packets stay away ends", async () => {
  using device = connectCtap({ packetTimeoutMs: 30 });
  const { host } = device;
  const channel = await host.open();
  const packets = packetsOf(channel, PING, pattern(300));
  for (const count of [1, 3]) {
    await host.write(...packets.slice(0, count));
    assertEquals(codeOf(await host.answer(channel)), MSG_TIMEOUT);
    await host.write(...packets.slice(count));
  }
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(host.messages, []);
});

Deno.test("one message at a time: another channel is busy, and does not disturb it", async () => {
  using device = connectCtap();
  const { host } = device;
  const [one, two] = [await host.open(), await host.open()];
  const packets = packetsOf(one, PING, pattern(7609, 1));
  const others = packetsOf(two, PING, pattern(7609, 2));
  for (const [index, packet] of packets.entries()) {
    await host.write(packet);
    // The last packet of the first one ends the transaction.
    if (index < packets.length - 1) await host.write(others[index]);
  }
  assertEquals(codeOf(await host.answer(two)), CHANNEL_BUSY);
  assertEquals((await host.answer(one)).data, pattern(7609, 1));
  await host.write(others[128]);
  const { data } = await host.ask(two, PING, pattern(7609, 2));
  assertEquals(data, pattern(7609, 2));
  assertEquals(host.messages, []);
});

Deno.test("new channels are given in the middle of a message and of a request", async () => {
  const handler = new WaitingHandler();
  using device = connectCtap({ onMessage: handler.onMessage });
  const { host } = device;
  const channel = await host.open();
  const packets = packetsOf(channel, CBOR, pattern(100));
  await host.write(packets[0]);
  const second = await host.open();
  await host.init(second);
  await host.write(packets[1]);
  const call = await handler.called(0);
  const third = await host.open();
  await host.init(third);
  for (const each of [channel, second, third]) {
    assertEquals(await host.failure(each, PING), CHANNEL_BUSY);
    assertEquals(await host.failure(each, CBOR, pattern(9)), CHANNEL_BUSY);
  }
  assertEquals(call.request.signal.aborted, false);
  call.resolve(Uint8Array.of(0, 1));
  assertEquals((await host.answer(channel)).data, Uint8Array.of(0, 1));
  for (const each of [channel, second, third]) {
    assertEquals((await host.ask(each, PING)).command, PING);
  }
  assertEquals(new Set([channel, second, third]).size, 3);
});

Deno.test("INIT on a channel drops what came of its message", async () => {
  using device = connectCtap();
  const { host } = device;
  const channel = await host.open();
  const packets = packetsOf(channel, PING, pattern(300));
  await host.write(packets[0], packets[1]);
  const response = await host.init(channel);
  assertEquals(new DataView(response.buffer).getUint32(8), channel);
  await host.write(packets[2]);
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(host.messages, []);
});
