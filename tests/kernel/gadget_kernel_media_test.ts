// VM: --modules usbip-vudc,vhci-hcd,usb-storage,sd_mod, any speed, newest kernel, since Linux 7.3
/**
 * Sound cards and cameras that the kernel serves. They need isochronous endpoints,
 * which the controllers for USB/IP have and dummy_hcd has not.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Gadget, kernelFunction } from "@usb/gadget";
import { setUpUsbIp } from "../support/host/usbip.ts";

await setUpUsbIp();

/** What ALSA calls a card. */
function cardId(card: number): string {
  return Deno.readTextFileSync(`/sys/class/sound/card${card}/id`).trim();
}

Deno.test("sound cards and cameras are found, again after the gadget is bound anew", async () => {
  await using gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    functions: [
      kernelFunction("uac2", {}, { name: "speaker" }),
      kernelFunction("uac1", {}, { name: "microphone" }),
      kernelFunction("uvc", {
        "control/header/h/bcdUVC": 0x0110,
        "streaming/uncompressed/u/360p/wWidth": 640,
      }, {
        name: "camera",
        links: {
          "control/class/fs/h": "control/header/h",
          "control/class/ss/h": "control/header/h",
          "streaming/header/h/u": "streaming/uncompressed/u",
          "streaming/class/fs/h": "streaming/header/h",
          "streaming/class/hs/h": "streaming/header/h",
          "streaming/class/ss/h": "streaming/header/h",
        },
      }),
    ],
  }, { udc: "usbip-vudc.0" });
  const { speaker, microphone, camera } = gadget.kernel;
  for (let round = 0; round < 2; round++) {
    assertEquals(cardId(speaker.card), "UAC2Gadget");
    assertEquals(cardId(microphone.card), "UAC1Gadget");
    const name = camera.node.slice("/dev/".length);
    assertEquals(Deno.statSync(camera.node).isCharDevice, true);
    assertStringIncludes(
      Deno.readTextFileSync(`/sys/class/video4linux/${name}/function_name`),
      "uvc.camera",
    );
    await gadget.rebind();
  }
});
