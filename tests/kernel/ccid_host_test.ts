// VM: a class of device
/**
 * A host that does what pcscd does not: aborts, messages of wrong lengths, and
 * messages with anything in them.
 *
 * GADGET_SEED=N sends the same as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CommandType, HEADER_SIZE } from "../../src/classes/ccid/messages.ts";
import { startReader } from "../support/ccid/bus_bench.ts";
import { hangingCard, mirrorCard, mirrored } from "../support/ccid/cards.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import type { CcidHost } from "../support/host/ccid_host.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const { XFR_BLOCK, GET_SLOT_STATUS, ABORT } = CommandType;
const APDU = new Uint8Array(4);
const ABORTED = 0xff;
const PATIENCE = { timeout: 50 };

type Bytes = Uint8Array<ArrayBuffer>;

Deno.test("lsusb reads the descriptors, and the host the class requests", async () => {
  await using bench = await startReader({ slots: 2 });
  const text = (await shell("lsusb -v -d 1209:0001")).replace(/ +/g, " ");
  for (
    const line of [
      "bInterfaceClass 11",
      "bLength 54",
      "nMaxSlotIndex 1",
      "dwProtocols 3 T=0 T=1",
      "dwMaxCCIDMsgLen 65554",
      "bMaxCCIDBusySlots 2",
    ]
  ) {
    assertStringIncludes(text, line);
  }
  await using open = await bench.open();
  assertEquals(await open.host.words(2), [4000]);
  assert((await open.host.words(3)).length > 10);
});

Deno.test("APDUs of all sizes arrive whole, with and without zero-length packets", async () => {
  for (const [maxMessageLength, longest] of [[271, 2000], [65_554, 65_000]]) {
    await using bench = await startReader({ maxMessageLength });
    await using open = await bench.open();
    const { host } = open;
    bench.slot.insert(mirrorCard());
    await host.powerOn();
    const { packetSize } = host.pipe;
    const borders = [packetSize, 2 * packetSize].flatMap((
      it,
    ) => [it - 1, it, it + 1]);
    for (const length of [HEADER_SIZE + 4, ...borders, longest]) {
      const apdu = pattern(length - HEADER_SIZE, length);
      for (const zlp of [true, false]) {
        const answer = await host.transmit(apdu, { zlp });
        const wanted = mirrored(apdu);
        assertEquals(firstDifference(answer, wanted), -1, `${length}`);
      }
    }
    assertEquals(bench.errors, []);
  }
});

Deno.test("a host aborts commands, by request and message in either order", async () => {
  await using bench = await startReader({ slots: 2 });
  await using open = await bench.open();
  const { host } = open;
  const { card, signals } = hangingCard();
  bench.slot.insert(card);
  bench.reader.slots[1].insert(mirrorCard());
  await host.powerOn(0);
  await host.powerOn(1);
  const random = new Random(testSeed());
  for (let round = 0; round < soak(500, 20); round++) {
    const command = await host.send(XFR_BLOCK, { data: APDU });
    // Else the abort may come before the command.
    const isSeen = random.chance();
    if (isSeen) await until(() => signals.length > 0, "the card has it");
    const seq = host.seq++ & 0xff;
    const requestFirst = random.chance();
    if (requestFirst) await host.abortRequest(seq);
    else await host.send(ABORT, { seq });
    assertEquals((await host.response(command)).error, ABORTED);
    assertEquals(await host.failure(GET_SLOT_STATUS), ABORTED);
    assertEquals(await host.status(1), 0);
    if (requestFirst) await host.send(ABORT, { seq });
    else await host.abortRequest(seq);
    assertEquals((await host.response(seq)).commandStatus, 0);
    assertEquals(signals.every((it) => it.aborted), true);
    signals.length = 0;
    assertEquals(await host.status(), 0);
  }
  assertEquals(bench.errors, []);
});

Deno.test("a second command finds the slot busy, and one that was not received is gone", async () => {
  await using bench = await startReader();
  await using open = await bench.open();
  const { host } = open;
  const answer = Promise.withResolvers<Uint8Array>();
  bench.slot.insert({ onApdu: () => answer.promise });
  await host.powerOn();
  const first = await host.send(XFR_BLOCK, { data: APDU });
  assertEquals(await host.failure(GET_SLOT_STATUS), 0xe0);
  const long = new Uint8Array(60_000);
  answer.resolve(long);
  // The host takes one packet of the response, and goes away.
  const packet = await host.pipe.receive(host.pipe.packetSize);
  assertEquals([packet.byteLength, packet[6]], [host.pipe.packetSize, first]);
  // A host that is faster than the reader gets the rest before it is withdrawn.
  const next = await host.send(GET_SLOT_STATUS);
  const receive = () => host.pipe.receive(64 * 1024);
  let response = await receive();
  if (response.byteLength > 10) response = await receive();
  assertEquals([response.byteLength, response[6], response[7]], [10, next, 0]);
  assertEquals(firstDifference(await host.transmit(APDU), long), -1);
});

Deno.test("the newest state of slots waits for a host that does not poll", async () => {
  await using bench = await startReader({ slots: 2 });
  const { reader: { slots: [first, second] } } = bench;
  first.insert(mirrorCard());
  await using open = await bench.open();
  for (let round = 0; round < 20; round++) {
    second.insert(mirrorCard());
    assertEquals(await open.host.status(1), 1);
    second.remove();
  }
  first.remove();
  const { pipe } = open.host;
  assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x0a));
  second.insert(mirrorCard());
  assertEquals(await pipe.poll(8), Uint8Array.of(0x50, 0x0c));
});

/** A message in which anything can be wrong. */
function randomMessage(random: Random): Bytes {
  const size = random.pick([
    random.int(0, 9),
    10,
    random.int(11, 40),
    random.pick([64, 128, 271, 272, 512, 1024, 2048]),
    random.int(11, 3000),
  ]);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = random.int(0, 255);
  if (size < HEADER_SIZE) return bytes;
  bytes[0] = random.pick([
    ...Object.values(CommandType).filter((it) => it !== ABORT),
    random.int(0, 255),
  ]);
  const data = size - HEADER_SIZE;
  const length = random.pick([
    ...[data, data, data, data],
    ...[data + 1, Math.max(0, data - 1), 0, 2048, 0xffff_ffff],
  ]);
  new DataView(bytes.buffer).setUint32(1, length, true);
  bytes[5] = random.pick([0, 0, 1, 2, 255]);
  bytes.set([random.pick([0, 1, 2, 3, 16, 255]), 0], 8);
  return bytes;
}

/** Takes whatever the device sends, until it sends nothing. */
async function drain(host: CcidHost): Promise<void> {
  for (;;) {
    try {
      await host.pipe.receive(1 << 17, PATIENCE);
    } catch (error) {
      assertEquals((error as { code?: unknown }).code, "ETIMEDOUT");
      return;
    }
  }
}

Deno.test("a reader survives messages with anything in them", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using bench = await startReader({
    slots: 2,
    maxMessageLength: 1034,
    onEscape: (data) => data,
  });
  for (const slot of bench.reader.slots) slot.insert(mirrorCard());
  for (let round = 0; round < soak(20, 4); round++) {
    await using open = await bench.open();
    const { host } = open;
    for (let count = 0; count < soak(1000, 60); count++) {
      await host.pipe.send(randomMessage(random), random.chance());
      if (random.chance(0.2)) {
        const seq = random.int(0, 255);
        await host.abortRequest(seq, random.int(0, 1));
        if (random.chance()) await host.send(ABORT, { seq });
      }
      if (random.chance(0.2)) await drain(host);
    }
    // A short packet ends whatever was begun, and an abort the rest.
    await host.pipe.send(new Uint8Array(1), false);
    await drain(host);
    for (const slot of [0, 1]) {
      await host.abortRequest(1, slot);
      await host.send(ABORT, { slot, seq: 1 });
      await drain(host);
      await host.powerOn(slot);
      const apdu = pattern(random.int(4, 5000), round);
      const wanted = mirrored(apdu);
      const answer = await host.transmit(apdu, { slot });
      const where = `seed ${seed}, round ${round}`;
      assertEquals(firstDifference(answer, wanted), -1, where);
    }
  }
  assertEquals(bench.errors, []);
});
