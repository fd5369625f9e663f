// VM: --udc sg
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { startExample } from "../support/programs/example.ts";
import { bulkEndpoints } from "../support/host/echo.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { soak } from "../support/run/soak.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const SIZE = 1 << 20;
const COUNT = soak(1024, 24);

Deno.test("examples/dmabuf_source.ts streams its buffers in order, also after a reset", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("dmabuf_source.ts");
    await using device = await UsbfsDevice.find({
      vendorId: 0x1209,
      productId: 0x0001,
    });
    await device.claimInterface(0);
    const { input } = bulkEndpoints(device);
    const number = async () => {
      const bytes = await device.bulkIn(input, SIZE);
      assertEquals(bytes.byteLength, SIZE);
      return new DataView(bytes.buffer).getBigUint64(0, true);
    };
    for (let expected = 0n; expected < COUNT; expected++) {
      assertEquals(await number(), expected);
    }
    await device.reset();
    // What was with the controller is lost, and everything else follows.
    let last = await number();
    for (let n = 0; n < 4; n++) assertEquals(await number(), ++last);
    assertEquals((await program.end("SIGINT")).text, "");
  }
  assertEquals(gadgetTraces(), before);
});
