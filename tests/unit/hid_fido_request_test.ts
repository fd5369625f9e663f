/**
 * CTAPHID: requests and their handlers, from the first call to the response.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { InEndpoint, OutEndpoint } from "@usb/gadget";
import { fakeSession } from "@usb/gadget/testing";
import { CtapHid } from "../../src/classes/hid/fido/ctap_hid.ts";
import type { CtapRequest } from "../../src/classes/hid/fido/request.ts";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { connectCtap, WaitingHandler } from "../support/gadgets/ctap.ts";
import {
  BROADCAST,
  CANCEL,
  CBOR,
  codeOf,
  CtapHost,
  ERROR,
  INIT,
  KEEPALIVE,
  LOCK,
  MSG,
  packetsOf,
  PING,
  startPacket,
  WINK,
} from "../support/host/ctap.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const MSG_TIMEOUT = 5;
const CHANNEL_BUSY = 6;
const INVALID_CHANNEL = 11;
const OTHER = 127;
const KEEPALIVE_CANCEL = 0x2d;

Deno.test("INIT on a channel aborts its request; the next one waits until the handler has ended", async () => {
  const handler = new WaitingHandler();
  using device = connectCtap({ onMessage: handler.onMessage });
  const { host } = device;
  const channel = await host.open();
  await host.send(channel, CBOR, Uint8Array.of(1));
  const first = await handler.called(0);
  await host.init(channel);
  assert(first.request.signal.aborted);
  assertEquals(first.request.signal.reason.name, "AbortError");
  await host.send(channel, CBOR, Uint8Array.of(2));
  first.resolve(Uint8Array.of(0, 1));
  const second = await handler.called(1);
  assertEquals(second.cbor, Uint8Array.of(2));
  second.resolve(Uint8Array.of(0, 2));
  assertEquals((await host.answer(channel)).data, Uint8Array.of(0, 2));
  assertEquals(host.messages, []);
  assertEquals(device.errors, []);
});

Deno.test("INIT on a channel drops the rest of a response that the host did not fetch", async () => {
  const fetched = Promise.withResolvers<void>();
  const sent: Uint8Array[] = [];
  using device = connectCtap({
    send: (packet) => {
      sent.push(packet);
      return sent.length === 2 ? fetched.promise : Promise.resolve();
    },
    pickChannel: () => 9,
  });
  const { transport } = device;
  const receive = (command: number, channel: number, data: Uint8Array) =>
    packetsOf(channel, command, data).forEach((it) => transport.receive(it));
  receive(INIT, BROADCAST, new Uint8Array(8));
  await until(() => sent.length === 1, "the channel is there");
  receive(PING, 9, pattern(300));
  await until(() => sent.length === 2, "the response has begun");
  receive(INIT, 9, pattern(8));
  fetched.resolve();
  await until(() => sent.length === 3, "the channel has restarted");
  assertEquals(sent[2][4], 0x80 + INIT);
  receive(PING, 9, new Uint8Array(0));
  await until(() => sent.length === 4, "the channel works");
  assertEquals(sent[3][4], 0x80 + PING);
});

Deno.test("CANCEL aborts a CBOR request, which then has a response of its own", async () => {
  const handler = new WaitingHandler();
  using device = connectCtap({ onMessage: handler.onMessage });
  const { host } = device;
  const [channel, other] = [await host.open(), await host.open()];
  const ended: ((error: unknown) => unknown)[] = [
    (reason) => reason,
    (cause) => Object.assign(new Error("x", { cause }), { name: "AbortError" }),
  ];
  for (const [index, errorOf] of ended.entries()) {
    await host.send(channel, CBOR, Uint8Array.of(1));
    const { request: { signal }, reject } = await handler.called(index);
    await host.send(other, CANCEL, new Uint8Array(0));
    assertEquals(signal.aborted, false);
    await host.send(channel, CANCEL, new Uint8Array(0));
    assert(signal.aborted);
    assertEquals(host.messages, []);
    await host.send(channel, CANCEL, new Uint8Array(0));
    reject(errorOf(signal.reason));
    const { command, data } = await host.answer(channel);
    assertEquals([command, ...data], [CBOR, KEEPALIVE_CANCEL]);
  }
  // Too late: the handler has its answer.
  await host.send(channel, CBOR, Uint8Array.of(1));
  const call = await handler.called(ended.length);
  await host.send(channel, CANCEL, new Uint8Array(0));
  call.resolve(Uint8Array.of(0, 7));
  assertEquals((await host.answer(channel)).data, Uint8Array.of(0, 7));
  assertEquals(device.errors, []);
});

Deno.test("CANCEL without a CBOR request is ignored", async () => {
  const u2f = Promise.withResolvers<Uint8Array>();
  let signal: AbortSignal | undefined;
  using device = connectCtap({
    onU2f: (_, request) => {
      signal = request.signal;
      return u2f.promise;
    },
  });
  const { host } = device;
  const channel = await host.open();
  const cancel = () => host.send(channel, CANCEL, new Uint8Array(0));
  await cancel();
  // In the middle of a message
  const [first, second] = packetsOf(channel, PING, pattern(100));
  await host.write(first);
  await cancel();
  await host.write(second);
  assertEquals((await host.answer(channel)).data, pattern(100));
  // During a U2F request
  await host.send(channel, MSG, Uint8Array.of(0, 3, 0, 0));
  await until(() => signal !== undefined, "the handler runs");
  await cancel();
  assertEquals(signal?.aborted, false);
  u2f.resolve(Uint8Array.of(0x90, 0));
  assertEquals((await host.answer(channel)).data, Uint8Array.of(0x90, 0));
  assertEquals(host.messages, []);
});

Deno.test("a request that is cancelled while it waits for an earlier handler does not reach the handler", async () => {
  const handler = new WaitingHandler();
  using device = connectCtap({ onMessage: handler.onMessage });
  const { host } = device;
  const channel = await host.open();
  await host.send(channel, CBOR, Uint8Array.of(1));
  const first = await handler.called(0);
  await host.init(channel);
  await host.send(channel, CBOR, Uint8Array.of(2));
  await host.send(channel, CANCEL, new Uint8Array(0));
  first.resolve(Uint8Array.of(0));
  const { data } = await host.answer(channel);
  assertEquals(data, Uint8Array.of(KEEPALIVE_CANCEL));
  assertEquals(handler.calls.length, 1);
});

Deno.test("keep-alives follow while a CBOR request is processed, and end with it", async () => {
  const handler = new WaitingHandler();
  const u2f = Promise.withResolvers<Uint8Array>();
  using device = connectCtap({
    keepAliveMs: 5,
    onMessage: handler.onMessage,
    onU2f: (_, request) => {
      request.setStatus("user presence");
      return u2f.promise;
    },
  });
  const { host } = device;
  const channel = await host.open();
  await host.send(channel, CBOR, Uint8Array.of(1));
  const { request, resolve } = await handler.called(0);
  const keepAlive = async () => {
    const message = await host.next(({ command }) => command === KEEPALIVE);
    assertEquals(message.channel, channel);
    return [...message.data];
  };
  for (let n = 0; n < 3; n++) assertEquals(await keepAlive(), [1]);
  host.messages.length = 0;
  request.setStatus("user presence");
  for (let n = 0; n < 3; n++) assertEquals(await keepAlive(), [2]);
  host.messages.length = 0;
  request.setStatus("processing");
  assertEquals(await keepAlive(), [1]);
  resolve(Uint8Array.of(0));
  await host.answer(channel);
  host.messages.length = 0;
  request.setStatus("user presence");
  // A U2F request has none.
  await host.send(channel, MSG, Uint8Array.of(0, 3, 0, 0));
  const answer = host.answer(channel);
  assert(await staysPending(answer));
  u2f.resolve(Uint8Array.of(0x90, 0));
  await answer;
  assertEquals(host.messages, []);
  const set = request.setStatus as (status: unknown) => void;
  assertThrows(
    () => set("touch"),
    TypeError,
    'Cannot set status: the status must be "processing" or "user presence", is "touch"',
  );
});

Deno.test("a change of status is sent at once, and replaces one that waits", async () => {
  const handler = new WaitingHandler();
  const fetched = Promise.withResolvers<void>();
  let isFetching = true;
  using device = connectCtap({
    onMessage: handler.onMessage,
    send: (packet) => {
      device.host.take(packet);
      return isFetching ? Promise.resolve() : fetched.promise;
    },
  });
  const { host } = device;
  const channel = await host.open();
  await host.send(channel, CBOR, Uint8Array.of(1));
  const { request, resolve } = await handler.called(0);
  request.setStatus("processing");
  assertEquals(host.messages, []);
  request.setStatus("user presence");
  request.setStatus("user presence");
  const status = async () => {
    const message = await host.next(({ command }) => command === KEEPALIVE);
    return [...message.data];
  };
  assertEquals(await status(), [2]);
  await delay(0);
  isFetching = false;
  request.setStatus("processing");
  request.setStatus("user presence");
  request.setStatus("processing");
  request.setStatus("user presence");
  assertEquals(await status(), [1]);
  fetched.resolve();
  assertEquals(await status(), [2]);
  resolve(Uint8Array.of(0));
  await host.answer(channel);
  assertEquals(host.messages, []);
});

Deno.test("a host that fetches nothing makes no heap of packets, and can go on", async () => {
  const sent: number[] = [];
  const fetched = Promise.withResolvers<void>();
  using device = connectCtap({
    keepAliveMs: 1,
    onMessage: () => new Promise(() => {}),
    pickChannel: () => 9,
    send: (packet) => {
      sent.push(packet[4] - 0x80);
      return sent.length === 2 ? fetched.promise : Promise.resolve();
    },
  });
  const { transport } = device;
  transport.receive(packetsOf(BROADCAST, INIT, new Uint8Array(8))[0]);
  await until(() => sent.length === 1, "the channel is there");
  transport.receive(packetsOf(9, CBOR, Uint8Array.of(1))[0]);
  await until(() => sent.length === 2, "a keep-alive is being sent");
  assert(await staysPending(fetched.promise));
  for (let n = 0; n < 1000; n++) {
    transport.receive(packetsOf(9, PING, new Uint8Array(0))[0]);
  }
  transport.receive(packetsOf(9, INIT, new Uint8Array(8))[0]);
  fetched.resolve();
  await until(() => sent.length === 3, "the rest is sent");
  // INIT has dropped the errors.
  assertEquals(sent, [INIT, KEEPALIVE, INIT]);
  for (let n = 0; n < 1000; n++) {
    transport.receive(packetsOf(8, PING, new Uint8Array(0))[0]);
  }
  await until(() => sent.length > 4, "the errors are sent");
  // One was being sent, and 64 have waited.
  assertEquals(sent.slice(3), Array(65).fill(ERROR));
});

Deno.test("what a handler throws or returns by mistake is an error for the host, and is reported", async () => {
  const mine = new SyntaxError("mine");
  const results: (() => unknown)[] = [
    () => Promise.reject(mine),
    () => {
      throw mine;
    },
    () => "text",
    () => undefined,
    () => new Uint8Array(0),
    () => new Uint8Array(7610),
  ];
  using device = connectCtap({
    onMessage: () => results.shift()?.() as Uint8Array,
    onU2f: () => new Uint8Array(1),
    onWink: () => Promise.reject(mine),
  });
  const { host, errors } = device;
  const channel = await host.open();
  while (results.length > 0) {
    assertEquals(await host.failure(channel, CBOR, pattern(1)), OTHER);
  }
  assertEquals(await host.failure(channel, MSG, pattern(4)), OTHER);
  assertEquals(await host.failure(channel, WINK), OTHER);
  const limits = (handler: string, least: number) =>
    `RangeError: Cannot answer the host: what "${handler}" returns must have from ${least} to 7609 bytes, has`;
  const action = 'TypeError: Cannot answer the host: what "onMessage" returns';
  assertEquals(errors.map(String), [
    "SyntaxError: mine",
    "SyntaxError: mine",
    `${action} must be a Uint8Array, is "text": give new TextEncoder().encode(it)`,
    `${action} must be a Uint8Array, is undefined`,
    `${limits("onMessage", 1)} 0`,
    `${limits("onMessage", 1)} 7610`,
    `${limits("onU2f", 2)} 1`,
    "SyntaxError: mine",
  ]);
  assertEquals((await host.ask(channel, PING)).command, PING);
});

Deno.test("a failure to send is reported, and ends the transaction", async () => {
  const mine = new Error("mine");
  let fails = false;
  using device = connectCtap({
    send: (packet) => {
      if (fails) return Promise.reject(mine);
      return Promise.resolve(device.host.take(packet));
    },
  });
  const { host, errors } = device;
  const channel = await host.open();
  fails = true;
  await host.send(channel, PING, pattern(300));
  await until(() => errors.length > 0, "the failure is reported");
  fails = false;
  assertEquals((await host.ask(channel, PING)).command, PING);
  assertEquals(errors, [mine]);
});

Deno.test("WINK calls its handler", async () => {
  let winks = 0;
  using device = connectCtap({ onWink: () => void winks++ });
  const { host } = device;
  const channel = await host.open();
  const answer = await host.ask(channel, WINK);
  assertEquals(answer, {
    channel,
    command: WINK,
    data: new Uint8Array(0),
  });
  assertEquals(winks, 1);
});

Deno.test("the end of a connection forgets channels, messages and requests", async () => {
  const handler = new WaitingHandler();
  using device = connectCtap({
    onMessage: handler.onMessage,
    packetTimeoutMs: 20,
  });
  const { host, transport } = device;
  const channel = await host.open();
  await host.send(channel, CBOR, Uint8Array.of(1));
  const { request, reject } = await handler.called(0);
  transport.reset();
  assert(request.signal.aborted);
  reject(request.signal.reason);
  assertEquals(await host.failure(channel, PING), INVALID_CHANNEL);
  const next = await host.open();
  const begin = (channel: number) =>
    host.write(packetsOf(channel, PING, pattern(300))[0]);
  await begin(next);
  transport.reset();
  const last = await host.open();
  await begin(last);
  // The earlier one would have timed out before.
  assertEquals(codeOf(await host.answer(last)), MSG_TIMEOUT);
  assertEquals((await host.ask(last, PING)).command, PING);
  assertEquals([host.messages, device.errors], [[], []]);
});

Deno.test("10,000 random packets do no harm", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  let calls = 0;
  // INIT cuts messages off, so the host does not check them at first.
  let take = (_packet: Uint8Array) => {};
  using device = connectCtap({
    packetTimeoutMs: 1,
    keepAliveMs: 1,
    maxChannels: 6,
    send: (packet) => Promise.resolve(take(packet)),
    onMessage: async (cbor, request) => {
      calls++;
      request.setStatus("user presence");
      if (random.chance(0.2)) throw new Error("a mistake");
      if (random.chance()) await Promise.resolve();
      return cbor;
    },
    onU2f: (apdu) => apdu,
    onWink: () => {},
    pickChannel: () => random.int(0, 12),
  });
  const { host, transport } = device;
  const commands = [PING, MSG, LOCK, INIT, INIT, WINK, CBOR, CBOR, CANCEL];
  for (let n = 0; n < 10_000; n++) {
    const size = random.chance(0.02) ? random.int(0, 70) : 64;
    const packet = Uint8Array.from(
      { length: size },
      () => random.int(0, 255),
    );
    if (random.chance(0.9)) {
      const channel = random.chance(0.2) ? BROADCAST : random.int(0, 12);
      const number = random.chance()
        ? random.int(0, 3)
        : 0x80 + random.pick(commands);
      const length = random.pick([0, 1, 8, 8, 57, 58, 300, 7609, 7610]);
      const { buffer } = startPacket(channel, 0, length, new Uint8Array(57));
      packet.set(new Uint8Array(buffer, 0, Math.min(size, 7)));
      if (size > 4) packet[4] = number;
    }
    transport.receive(packet);
    if (random.chance(0.3)) await Promise.resolve();
    // Time for messages to end that are incomplete
    if (random.chance(0.02)) await delay(2);
    if (random.chance(0.001)) transport.reset();
  }
  assert(calls > 10, `${calls} calls, seed ${seed}`);
  // After what is on its way
  await delay(0);
  take = (packet) => host.take(packet);
  const channel = await host.open();
  // A message may still be incomplete, and a handler at work.
  for (;;) {
    const { command, data } = await host.ask(channel, PING, pattern(300));
    if (command !== ERROR || data[0] !== CHANNEL_BUSY) {
      assertEquals([command, data], [PING, pattern(300)]);
      break;
    }
    await delay(1);
  }
});

Deno.test("CtapHid checks its options, and is named", () => {
  const onMessage = () => Uint8Array.of(1);
  const key = new CtapHid({ onMessage });
  const name: "fido" = key.name;
  assertEquals(name, "fido");
  const named: "token" = new CtapHid({ onMessage, name: "token" }).name;
  assertEquals(named, "token");
  const make = (options: unknown) => () => new CtapHid(options as never);
  const cannot = "Cannot make security key: ";
  for (
    const [options, message] of [
      [undefined, "the options must be an object, is undefined"],
      [{}, '"onMessage" must be a function, is undefined'],
      [
        { onMessage, onmessage: 1 },
        'there is no option "onmessage": did you mean "onMessage"?',
      ],
      [{ onMessage, onU2f: 1 }, '"onU2f" must be a function, is 1'],
      [
        { onMessage, deviceVersion: [1, 2] },
        '"deviceVersion" must be an array of 3 integers from 0 to 255, is an array',
      ],
      [
        { onMessage, deviceVersion: [1, 2, 256] },
        '"deviceVersion" must be an array of 3 integers from 0 to 255, is an array',
      ],
    ] as const
  ) {
    assertThrows(make(options), TypeError, cannot + message);
  }
});

Deno.test("CtapHid serves a session by its endpoints, and each with new channels", async () => {
  const requests: CtapRequest[] = [];
  const key = new CtapHid({
    onMessage: (cbor, request) => {
      requests.push(request);
      if (cbor[0] === 4) return Uint8Array.of(0, ...cbor);
      return new Promise((_, reject) => {
        const { signal } = request;
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    deviceVersion: [9, 8, 7],
  });
  let old: number | undefined;
  for (let round = 0; round < 2; round++) {
    using session = fakeSession(key, { speed: "high", timeout: 60_000 });
    const { input, output } = session.endpoints as unknown as {
      input: InEndpoint;
      output: OutEndpoint;
    };
    const serving = session.serve();
    const host = new CtapHost((packet) => session.host.write(output, packet));
    const ask = async (channel: number, command: number, data: Uint8Array) => {
      const answer = host.ask(channel, command, data);
      const { length } = packetsOf(0, command, data);
      for (let n = 0; n < length; n++) {
        host.take(await session.host.read(input, 64));
      }
      return await answer;
    };
    if (old !== undefined) {
      const answer = await ask(old, PING, new Uint8Array(0));
      assertEquals(codeOf(answer), INVALID_CHANNEL);
    }
    const { data } = await ask(BROADCAST, INIT, new Uint8Array(8));
    assertEquals([...data.slice(12)], [2, 9, 8, 7, 0x0c]);
    old = new DataView(data.buffer).getUint32(8);
    const ping = await ask(old, PING, pattern(7609, round));
    assertEquals(ping.data, pattern(7609, round));
    const info = await ask(old, CBOR, Uint8Array.of(4));
    assertEquals(info.data, Uint8Array.of(0, 4));
    // In the middle of a request, the host goes.
    await host.send(old, CBOR, Uint8Array.of(1));
    await until(() => requests.length === 2 * (round + 1), "the key works");
    session.end();
    await serving;
    assert(requests.at(-1)?.signal.aborted);
    assertEquals(session.reported, []);
  }
});
