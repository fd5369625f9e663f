/**
 * examples/devices/hackrf.ts without a kernel: settings, modes, samples in time.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fakeSession } from "@usb/gadget/testing";
import { type Air, carrier, HackRf } from "../../examples/devices/hackrf.ts";
import { outcomeOf } from "../support/gadgets/run_setup.ts";

const OFF = 0;
const RECEIVE = 1;
const TRANSMIT = 2;

const set = (
  radio: HackRf,
  request: number,
  value: number,
  data?: number[],
  index = 0,
) =>
  outcomeOf(radio.control, {
    type: "vendor",
    recipient: "device",
    direction: "out",
    request,
    value,
    index,
  }, data);

const setMode = (radio: HackRf, mode: number) => set(radio, 1, mode);

/** The data of a request that sets a frequency, or a rate. */
const words = (...values: number[]) => [
  ...new Uint8Array(Uint32Array.from(values).buffer),
];

/** Air in which each block has its number. */
const blocks: Air = {
  *receive() {
    for (let number = 0;; number++) {
      yield new Uint8Array(1024).fill(number);
    }
  },
};

Deno.test("a HackRF has the settings that the host makes", async () => {
  const radio = new HackRf(blocks);
  await set(radio, 6, 0, words(20_000_000, 2));
  await set(radio, 7, 1_750_000 & 0xffff, undefined, 1_750_000 >> 16);
  await set(radio, 16, 0, words(2450, 500_000));
  await set(radio, 17, 1);
  assertEquals(radio.tuning, {
    frequency: 2_450_500_000,
    sampleRate: 10_000_000,
    bandwidth: 1_750_000,
    amplifier: true,
    antennaPower: false,
    lnaGain: 0,
    vgaGain: 0,
    txVgaGain: 0,
  });
  for (const [request, index] of [[19, 24], [20, 30], [21, 40]]) {
    const outcome = await outcomeOf(radio.control, {
      type: "vendor",
      recipient: "device",
      direction: "in",
      request,
      index,
      length: 1,
    });
    assertEquals(outcome, { sent: [1] });
  }
  const { lnaGain, vgaGain, txVgaGain } = radio.tuning;
  assertEquals([lnaGain, vgaGain, txVgaGain], [24, 30, 40]);
  assertEquals(await set(radio, 26, 0), "stall");
});

Deno.test("each time a host receives, a HackRF begins with new samples", async () => {
  const radio = new HackRf(blocks);
  using session = fakeSession(radio);
  await session.serve();
  const { link } = session.endpoints;
  for (let round = 0; round < 5; round++) {
    await setMode(radio, RECEIVE);
    for (let number = 0; number < 3; number++) {
      const block = await session.host.read(link, 1024);
      assertEquals([block[0], block[1023]], [number, number]);
    }
    // A host that was killed makes no such request.
    if (round % 2 === 0) await setMode(radio, OFF);
  }
  assertEquals(session.reported, []);
});

Deno.test("a HackRF takes samples from its air at their rate", async () => {
  let count = 0;
  const closed = Promise.withResolvers<void>();
  const radio = new HackRf({
    *receive() {
      try {
        for (;; count++) yield new Uint8Array(1024);
      } finally {
        closed.resolve();
      }
    },
  });
  using session = fakeSession(radio);
  await session.serve();
  // 512 samples in 100 ms
  await set(radio, 6, 0, words(5120, 1));
  await setMode(radio, RECEIVE);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(count, 0);
  await session.host.read(session.endpoints.link, 1024);
  assertEquals(count, 1);
  await setMode(radio, OFF);
  await closed.promise;
});

Deno.test("a HackRF passes on what the host transmits, or refuses the mode", async () => {
  const got: number[] = [];
  const radio = new HackRf({
    ...blocks,
    async transmit(samples) {
      for await (const each of samples) got.push(...each);
    },
  });
  using session = fakeSession(radio);
  await session.serve();
  const { link } = session.endpoints;
  await setMode(radio, TRANSMIT);
  await session.host.write(link, Uint8Array.of(1, 2, 3));
  await setMode(radio, OFF);
  assertEquals(got, [1, 2, 3]);
  assertEquals(session.reported, []);

  const receiver = new HackRf(blocks);
  using other = fakeSession(receiver);
  await other.serve();
  assertEquals(await setMode(receiver, TRANSMIT), "stall");
});

Deno.test("a HackRF reports what its air throws, and goes on", async () => {
  let count = 0;
  const radio = new HackRf({
    // deno-lint-ignore require-yield
    *receive() {
      throw new Error(`interference ${++count}`);
    },
  });
  using session = fakeSession(radio);
  await session.serve();
  await setMode(radio, RECEIVE);
  await setMode(radio, RECEIVE);
  await setMode(radio, OFF);
  assertEquals(
    session.reported.map((error) => (error as Error).message),
    ["interference 1", "interference 2"],
  );
});

Deno.test("a carrier turns as fast as it is away from the center", () => {
  const tuning = { ...new HackRf(blocks).tuning, sampleRate: 8_000_000 };
  const turns = (frequency: number) => {
    tuning.frequency = frequency;
    const [block] = carrier(100_000_000).receive(tuning) as Iterable<
      Uint8Array<ArrayBuffer>
    >;
    return [...new Int8Array(block.buffer, 0, 8)];
  };
  assertEquals(turns(98_000_000), [100, 0, 0, 100, -100, 0, 0, -100]);
  assertEquals(turns(102_000_000), [100, 0, 0, -100, -100, 0, 0, 100]);
  assertEquals(turns(100_000_000), [100, 0, 100, 0, 100, 0, 100, 0]);
  assertEquals(turns(95_000_000), [0, 0, 0, 0, 0, 0, 0, 0]);
});
