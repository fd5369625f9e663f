import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { compileFunction } from "@usb/gadget/inspect";
import { isochronousOut, usbFunction } from "@usb/gadget";
import { PacketSizes } from "../../src/functionfs/transfer/packet_sizes.ts";

function sizes(full: number, high: number, superSpeed: number): PacketSizes {
  const maxPacketSize = { full, high, super: superSpeed };
  return new PacketSizes({
    transferType: "bulk",
    maxPacketSize,
    bytesPerInterval: maxPacketSize,
  });
}

Deno.test("requests are whole packets at every speed, and stay in their memory", () => {
  const bulk = sizes(64, 512, 1024);
  assertEquals([1, 512, 1024, 65_536].map((each) => bulk.areWhole(each)), [
    false,
    false,
    true,
    true,
  ]);
  assertEquals([1, 1024, 1025].map((each) => bulk.roundUp(each)), [
    1024,
    1024,
    2048,
  ]);
  const odd = sizes(48, 100, 1024);
  for (const size of [1, 48, 100, 1000, 5000]) {
    const room = odd.room(size);
    for (const packet of [48, 100, 1024]) {
      const length = PacketSizes.request(size, packet, room);
      assertEquals(length % packet, 0);
      assertEquals(length >= size && length <= room, true);
    }
  }
  assertEquals(PacketSizes.request(3 << 20, 100, 4 << 20), 1_048_500);
});

Deno.test("an isochronous request has room for all packets of an interval", () => {
  const { endpoints } = compileFunction(usbFunction({
    name: "samples",
    speeds: ["full", "high"],
    interfaces: [{
      class: 0xff,
      endpoints: {
        rx: isochronousOut({
          full: { maxPacketSize: 192 },
          high: { maxPacketSize: 1024, transactions: 3 },
        }),
      },
    }],
  }));
  const [{ bytesPerInterval }] = endpoints;
  assertEquals(bytesPerInterval, { full: 192, high: 3072 });
  const interval = new PacketSizes(endpoints[0]);
  assertEquals([interval.largest, interval.room(1), interval.roundUp(1)], [
    3072,
    3072,
    3072,
  ]);
  assertEquals([3071, 3072, 5000].map((size) => interval.areWhole(size)), [
    false,
    true,
    true,
  ]);
});

Deno.test("large transfers are cut into whole packets", () => {
  const limit = 1 << 20;
  assertEquals(sizes(64, 64, 1024).largestRequest(64), limit);
  const odd = sizes(48, 48, 100).largestRequest(48);
  assertEquals([odd % 48, odd % 100, limit - odd < 1200], [0, 0, true]);
  // No size is whole at all of these speeds: one is at the current speed.
  const prime = sizes(61, 1021, 1019).largestRequest(1021);
  assertEquals([prime % 1021, limit - prime < 1021], [0, true]);
});
