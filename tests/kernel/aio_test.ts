/**
 * Transfers with libaio and with raw system calls, whose numbers depend on the
 * architecture.
 *
 * @module
 */
// VM: any architecture
import { aioLibraries } from "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed, bulkPacketSize: PACKET } = gadgetSpeed();

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

for (const library of aioLibraries) {
  Deno.test(`transfers complete, are aborted and survive a reset with ${library}`, async () => {
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed,
      functions: [echo],
    }, { libaio: library });
    const { link } = gadget.functions.echo.endpoints;
    await using host = await TestHost.open(gadget);

    const controller = new AbortController();
    const read = link.read(1000, { signal: controller.signal });
    const written = link.write(pattern(1), { signal: controller.signal });
    controller.abort();
    await Promise.all([
      assertRejects(() => read),
      assertRejects(() => written),
    ]);

    const pending = link.read(1000);
    await host.reset();
    await host.write(link, pattern(700));
    assertEquals(await pending, pattern(700));

    const echoing = link.readable.pipeTo(link.writable);
    for (const length of [1, PACKET, 300_000]) {
      const bytes = pattern(length, length);
      const [back] = await Promise.all([
        host.read(link, Math.ceil(length / PACKET) * PACKET),
        host.write(link, bytes),
      ]);
      assertEquals(firstDifference(bytes, back), -1, `${length} bytes`);
    }
    await gadget.stop();
    await echoing.catch(() => {});
  });
}
