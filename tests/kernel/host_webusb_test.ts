/**
 * A host that shares no code with this package: WebUSB, by `npm:usb`.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { bulkPair, type EndpointPair, type Session } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { openWebUsb } from "../support/host/webusb.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const SIZES = [1, 511, 512, 1024, 65_536, 1 << 20];

/** Starts a gadget that sends back what it receives. */
function startEcho() {
  return startEndpoints({ link: bulkPair() }, {
    async serve({ endpoints }: Session) {
      const { readable, writable } = endpoints.link as EndpointPair;
      await readable.pipeTo(writable);
    },
  });
}

Deno.test("WebUSB: bytes of all sizes come back", async () => {
  await using echo = await startEcho();
  await using host = await openWebUsb(echo.gadget.definition);
  for (const size of SIZES) {
    const sent = pattern(size, size);
    const back = await host.roundTrip(sent);
    assertEquals(firstDifference(sent, back), -1, `${size} bytes`);
  }
});

Deno.test("WebUSB: a device can be opened again, and by the other host", async () => {
  await using echo = await startEcho();
  for (let round = 0; round < 2; round++) {
    await using host = await openWebUsb(echo.gadget.definition);
    assertEquals(await host.roundTrip(pattern(100)), pattern(100));
    await host.close();
    const { gadget, endpoints: { link } } = echo;
    await using other = await TestHost.open(gadget);
    await other.write(link, pattern(100));
    assertEquals(await other.read(link, PACKET), pattern(100));
  }
});

Deno.test("WebUSB: an unanswered transfer is cancelled", async () => {
  await using pair = await startEndpoints({ link: bulkPair() });
  await using host = await openWebUsb(pair.gadget.definition);
  await assertRejects(() => host.transferIn(1, PACKET, 50), Error, "Cancelled");
});

Deno.test("WebUSB: all transfers end when the gadget goes", async () => {
  await using pair = await startEndpoints({ link: bulkPair() });
  await using host = await openWebUsb(pair.gadget.definition);
  const pending = Promise.all([
    assertRejects(() => host.transferIn(1, PACKET)),
    assertRejects(() => host.transferOut(2, pattern(1 << 20))),
  ]);
  await pair.gadget.stop();
  await pending;
});
