/**
 * The serial chips of examples/devices, without a kernel: settings, data, purges.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fakeSession } from "@usb/gadget/testing";
import { Cp2102 } from "../../examples/devices/cp2102.ts";
import { Ft232r } from "../../examples/devices/ft232r.ts";
import {
  loopBack,
  type SerialChip,
} from "../../examples/devices/serial_chip.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { outcomeOf } from "../support/gadgets/run_setup.ts";
import { until } from "../support/waiting/until.ts";

const set = (
  chip: SerialChip,
  request: number,
  value: number,
  data?: number[],
  index = 0,
) =>
  outcomeOf(chip.control, {
    type: "vendor",
    recipient: "interface",
    direction: "out",
    request,
    value,
    index,
  }, data);

const get = async (
  chip: SerialChip,
  request: number,
  length: number,
  value = 0,
) => {
  const outcome = await outcomeOf(chip.control, {
    type: "vendor",
    recipient: "interface",
    direction: "in",
    request,
    value,
    length,
  });
  return (outcome as { sent: number[] }).sent;
};

Deno.test("a CP2102 has the settings that the host makes, and shows them", async () => {
  const chip = new Cp2102(loopBack);
  await set(chip, 0x1e, 0, [0x00, 0x10, 0x0e, 0x00]);
  await set(chip, 0x03, 0x0722);
  await set(chip, 0x07, 0x0303);
  await set(chip, 0x05, 1);
  assertEquals(chip.settings, {
    baudRate: 921_600,
    dataBits: 7,
    parity: "even",
    stopBits: 2,
    breaks: true,
    dtr: true,
    rts: true,
  });
  assertEquals(await get(chip, 0x1d, 4), [0x00, 0x10, 0x0e, 0x00]);
  assertEquals(await get(chip, 0x04, 2), [0x22, 0x07]);
  assertEquals(await get(chip, 0x08, 1), [0xb3]);
  await set(chip, 0x07, 0x0200);
  assertEquals(await get(chip, 0x08, 1), [0xa1]);
  await set(chip, 0x13, 0, [...pattern(16)]);
  assertEquals(await get(chip, 0x14, 16), [...pattern(16)]);
  assertEquals(await get(chip, 0xff, 1, 0x370b), [2]);
  assertEquals(await set(chip, 0x77, 0), "stall");
});

Deno.test("an FT232R has the settings that the host makes, and the rate of each divisor", async () => {
  const chip = new Ft232r(loopBack);
  // Rates with the divisors that FTDI documents for them (AN232B-05)
  const rates = [[300, 0x2710], [9600, 0x4138], [115_200, 0x001a]];
  for (
    const [baudRate, divisor] of [...rates, [3_000_000, 0], [2_000_000, 1]]
  ) {
    await set(chip, 3, divisor);
    const { baudRate: actual } = chip.settings;
    assertEquals(Math.abs(actual / baudRate - 1) < 0.005, true, `${actual}`);
  }
  await set(chip, 4, 0x0007 | 2 << 8 | 2 << 11 | 1 << 14);
  await set(chip, 1, 0x0303);
  const { dataBits, parity, stopBits, breaks } = chip.settings;
  assertEquals([dataBits, parity, stopBits, breaks], [7, "even", 2, true]);
  assertEquals(await get(chip, 5, 2), [0xb1, 0x60]);
  await set(chip, 9, 1);
  assertEquals(await get(chip, 10, 1), [1]);
});

Deno.test("a CP2102 sends back what it receives", async () => {
  using session = fakeSession(new Cp2102(loopBack));
  const served = session.serve();
  const { link } = session.endpoints;
  for (const size of [1, 63, 64, 65, 5000]) {
    const sent = pattern(size, size);
    await session.host.write(link, sent);
    const back = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const part = await session.host.read(link, 8192);
      back.set(part, at);
      at += part.length;
    }
    assertEquals(firstDifference(back, sent), -1);
  }
  session.end();
  await served;
});

Deno.test("an FT232R puts two bytes of status before the data of each packet", async () => {
  const chip = new Ft232r(loopBack);
  using session = fakeSession(chip);
  const served = session.serve();
  const { link } = session.endpoints;
  const sent = pattern(1000);
  await session.host.write(link, sent);
  const back: number[] = [];
  while (back.length < sent.length) {
    const packets = await session.host.read(link, 8192);
    for (let at = 0; at < packets.length; at += 64) {
      const packet = packets.subarray(at, at + 64);
      assertEquals(packet[0], 0x01);
      back.push(...packet.subarray(2));
    }
  }
  assertEquals(firstDifference(new Uint8Array(back), sent), -1);
  session.end();
  await served;
});

for (
  const [name, Chip, request, value] of [
    ["CP2102", Cp2102, 0x12, 0xf],
    ["FT232R", Ft232r, 0, 0],
  ] as const
) {
  Deno.test(`a purge of a ${name} drops what is queued, and the next bytes come back`, async () => {
    const chip = new Chip(loopBack);
    using session = fakeSession(chip);
    const served = session.serve();
    const { link } = session.endpoints;
    for (let round = 0; round < 5; round++) {
      await session.host.write(link, pattern(700));
      await until(() => chip.unsent > 0, "the data is on its way back");
      await set(chip, request, value);
      await session.host.write(link, Uint8Array.of(1, 2, 3));
      const packet = await session.host.read(link, 64);
      assertEquals([...packet.slice(-3)], [1, 2, 3]);
    }
    session.end();
    await served;
    assertEquals(session.reported, []);
  });
}
