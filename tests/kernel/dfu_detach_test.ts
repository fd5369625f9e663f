// VM: a class of device
/**
 * From an application to DFU mode and back, under dfu-util.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { Dfu, DfuRuntime } from "@usb/gadget/dfu";
import { Keyboard } from "@usb/gadget/hid";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";
import { pattern } from "../support/data/pattern.ts";
import { MemoryArea } from "../support/gadgets/dfu_bench.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import {
  failDfuUtil,
  outputOf,
  runDfuUtil,
  startDfuUtil,
} from "../support/host/dfu_util.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const ids = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
  maxSpeed: gadgetSpeed().maxSpeed,
} as const;

for (const willDetach of [true, false]) {
  const how = willDetach
    ? "detaches by itself"
    : "is reset by the host to detach";
  Deno.test(`a keyboard that ${how} gets firmware from dfu-util, and is a keyboard again`, async () => {
    await using folder = await makeImageFolder();
    const file = `${folder.path}/firmware`;
    const area = new MemoryArea();
    const keyboard = new Keyboard();
    const runtime = new DfuRuntime({ willDetach, canUpload: true });
    const bootloader = new Dfu({ areas: [area], willDetach });
    for (let round = 0; round < soak(3, 1); round++) {
      let detach: Deno.ChildProcess;
      {
        await using _ = await Gadget.start({
          ...ids,
          functions: [keyboard, runtime],
        });
        await waitForDevice(ids);
        assertStringIncludes(await runDfuUtil("-l"), "Found Runtime");
        const detached = runtime.detached();
        await Deno.writeFile(file, pattern(20_000, round));
        // Only with udevd, which the VM does not have, would the same process find
        // the device that comes.
        detach = startDfuUtil("-e");
        await detached;
      }
      await waitForNoDevice(ids);
      {
        await using _ = await Gadget.start({ ...ids, functions: [bootloader] });
        const left = bootloader.left();
        await waitForDevice(ids);
        const { code, text } = await outputOf(detach);
        assertEquals(code, 0, text);
        await runDfuUtil("-D", file, "-R");
        assertEquals(area.firmware, pattern(20_000, round));
        await left;
      }
      await waitForNoDevice(ids);
    }
  });
}

Deno.test("a device that is not reset in time goes on with its application", async () => {
  await using folder = await makeImageFolder();
  const file = `${folder.path}/firmware`;
  await Deno.writeFile(file, pattern(100));
  const runtime = new DfuRuntime({ detachTimeoutMs: 0 });
  let isDetached = false;
  runtime.detached().then(() => isDetached = true);
  {
    await using _ = await Gadget.start({
      ...ids,
      functions: [new Keyboard(), runtime],
    });
    await waitForDevice(ids);
    const text = await failDfuUtil("-E", "1", "-D", file);
    assertStringIncludes(text, "send DFU detach request");
    await waitForDevice(ids);
    assertStringIncludes(await runDfuUtil("-l"), "Found Runtime");
    assertEquals(isDetached, false);
  }
  await waitForNoDevice(ids);
});
