// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { bulkEndpoints } from "../support/host/echo.ts";
import { startExample } from "../support/programs/example.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const [GET, PUT] = [0, 1];

/** A command for the store. */
function command(
  operation: number,
  key: string,
  value = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(key);
  const bytes = new Uint8Array(8 + name.length + value.length);
  bytes.set([operation, name.length]);
  new DataView(bytes.buffer).setUint32(4, value.length, true);
  bytes.set(name, 8);
  bytes.set(value, 8 + name.length);
  return bytes;
}

Deno.test("examples/store.ts answers commands in any division, and forgets those that a host abandons", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("store.ts");
    await using device = await UsbfsDevice.find({
      vendorId: 0x1209,
      productId: 0x0001,
    });
    await device.claimInterface(0);
    const { input, output } = bulkEndpoints(device);
    const send = (bytes: Uint8Array<ArrayBuffer>) =>
      device.bulkOut(output, bytes);
    /** Returns status and value. */
    const answer = async () => {
      const bytes = await device.bulkIn(input, 65_536);
      const length = new DataView(bytes.buffer).getUint32(4, true);
      assertEquals(bytes.length, 8 + length);
      return [bytes[0], bytes.subarray(8)];
    };
    const nothing = new Uint8Array(0);
    await send(command(GET, "key"));
    assertEquals(await answer(), [1, nothing]);
    for (const size of [0, 5, 1016, 1024, 50_000]) {
      await send(command(PUT, "key", pattern(size)));
      assertEquals(await answer(), [0, nothing]);
      await send(command(GET, "key"));
      assertEquals(await answer(), [0, pattern(size)], `${size}`);
    }
    for (const byte of command(GET, "key")) await send(Uint8Array.of(byte));
    assertEquals(await answer(), [0, pattern(50_000)]);
    const put = command(PUT, "key", pattern(3000, 1));
    for (const part of [1, 8, 11, 2000]) {
      await send(put.slice(0, part));
      if (part === 8) await device.reset();
      else await device.controlOut({ requestType: 0x41, request: 1 });
      await send(command(GET, "key"));
      assertEquals(await answer(), [0, pattern(50_000)], `${part}`);
    }
    // An answer that the host does not fetch.
    await send(command(GET, "key"));
    await device.controlOut({ requestType: 0x41, request: 1 });
    await send(command(GET, "none"));
    assertEquals(await answer(), [1, nothing]);
    assertEquals((await program.end("SIGINT")).text, "");
  }
  assertEquals(gadgetTraces(), before);
});
