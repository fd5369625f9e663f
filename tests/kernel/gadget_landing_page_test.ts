// VM: any speed, newest kernel
/**
 * A landing page on a controller without super speed.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { withDummyHcd } from "../support/machine/controllers.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const kernel = testKernel();
const hasWebUsb = kernel.major > 6 || kernel.minor >= 3;
const link = usbFunction({
  name: "link",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

/** `bcdUSB` of the device descriptor that the host reads, and what was printed meanwhile. */
async function enumerate(webUsb?: { landingPage: string }) {
  const printed: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => printed.push(text);
  try {
    await using gadget = await Gadget.start({
      ...ids,
      usbVersion: 0x0210,
      functions: [link],
      webUsb,
    });
    await gadget.functions.link.enabled();
    await gadget.rebind();
    await gadget.functions.link.enabled();
    await using host = await UsbfsDevice.find(ids);
    const bytes = host.descriptors();
    return { printed, name: gadget.udc.name, usb: bytes[2] | bytes[3] << 8 };
  } finally {
    console.warn = warn;
    await waitForNoDevice(ids);
  }
}

Deno.test("a landing page causes one warning where Linux reports USB 2.01", () =>
  withDummyHcd("is_super_speed=0", async () => {
    const without = await enumerate();
    assertEquals([without.printed, without.usb < 0x0210], [[], true]);
    if (!hasWebUsb) return;
    const { printed, usb, name } = await enumerate({
      landingPage: "https://example.com",
    });
    assertEquals(usb, 0x0201);
    assertEquals(printed.length, 1);
    assertStringIncludes(
      printed[0],
      `Chromium ignores the landing page on UDC "${name}" (high-speed)`,
    );
  }));
