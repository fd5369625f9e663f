import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { compileFunction } from "@usb/gadget/inspect";
import { isochronousOut, usbFunction } from "@usb/gadget";
import type { CompiledEndpoint } from "../../src/compile/compile.ts";
import { PacketSizes } from "../../src/functionfs/endpoint/packet_sizes.ts";

Deno.test("requests are whole packets at every speed, and stay in their memory", () => {
  const sizes = (full: number, high: number, superSpeed: number) =>
    new PacketSizes({
      name: "rx",
      direction: "out",
      index: 1,
      file: "ep1",
      address: 1,
      transferType: "bulk",
      maxPacketSize: { full, high, super: superSpeed },
      bytesPerInterval: { full, high, super: superSpeed },
      interfaceNumber: 0,
      alternateSetting: 0,
    });
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
      const length = PacketSizes.request(size, packet, 1 << 20, room);
      assertEquals(length % packet, 0);
      assertEquals(length >= size && length <= room, true);
    }
  }
  assertEquals(PacketSizes.request(3 << 20, 100, 1 << 20, 4 << 20), 1_048_500);
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
  const sizes = new PacketSizes(endpoints[0]);
  assertEquals([sizes.largest, sizes.room(1), sizes.roundUp(1)], [
    3072,
    3072,
    3072,
  ]);
  assertEquals([3071, 3072, 5000].map((size) => sizes.areWhole(size)), [
    false,
    true,
    true,
  ]);
});

Deno.test("large transfers are cut into whole packets", () => {
  const sizes = (full: number, high: number, superSpeed: number) =>
    new PacketSizes({
      maxPacketSize: { full, high, super: superSpeed },
      transferType: "interrupt",
    } as unknown as CompiledEndpoint);
  const limit = 1 << 20;
  assertEquals(sizes(64, 64, 1024).wholeUpTo(limit, 64), limit);
  const odd = sizes(48, 48, 100).wholeUpTo(limit, 48);
  assertEquals([odd % 48, odd % 100, limit - odd < 1200], [0, 0, true]);
  // No size is whole at all of these speeds: it is at the present one.
  const prime = sizes(61, 1021, 1019).wholeUpTo(limit, 1021);
  assertEquals([prime % 1021, limit - prime < 1021], [0, true]);
});
