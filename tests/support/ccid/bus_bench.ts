/**
 * A card reader on the bus.
 *
 * @module
 */
import { Gadget } from "@usb/gadget";
import { CardReader, type CardReaderOptions } from "@usb/gadget/ccid";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../../src/testing/usbfs/find.ts";
import { occupiedFifo } from "../gadgets/occupied_fifo.ts";
import { CcidHost } from "../host/ccid_host.ts";
import { gadgetSpeed } from "../run/speed.ts";

const MATCH = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };

/** Starts a gadget with a reader. */
export async function startReader(options: CardReaderOptions<"ccid"> = {}) {
  const reader = new CardReader(options);
  const occupation = occupiedFifo();
  const gadget = await Gadget.start({
    ...MATCH,
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [reader, occupation.fifo],
  });
  const errors: unknown[] = [];
  const collected = (async () => {
    for await (const event of gadget.functions.ccid.events) {
      if (event.type === "error") errors.push(event.error);
    }
  })();
  const ready = async (session: number) => {
    await occupation.occupied(session);
    await waitForDevice(MATCH);
  };
  await ready(1);
  return {
    reader,
    slot: reader.slots[0],
    /** What the function has reported. */
    errors,
    /** Claims the reader for a host of this process. */
    async open() {
      const device = await UsbfsDevice.find(MATCH);
      const host = await CcidHost.claim(device, options.maxMessageLength);
      return {
        device,
        host,
        [Symbol.asyncDispose]: () => device.close(),
      };
    },
    /** Resets the port. */
    async resetPort() {
      const next = occupation.sessions + 1;
      const device = await UsbfsDevice.find(MATCH);
      await device.reset();
      await device.close();
      await ready(next);
    },
    /** Pulls the cable, and plugs it in again. */
    async replug() {
      const next = occupation.sessions + 1;
      await gadget.unbind();
      await waitForNoDevice(MATCH);
      await gadget.bind();
      await ready(next);
    },
    async [Symbol.asyncDispose]() {
      await gadget.stop();
      await waitForNoDevice(MATCH);
      await collected;
    },
  };
}
