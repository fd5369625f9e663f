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
import { reportedErrors } from "../gadgets/reported_errors.ts";
import { CcidHost } from "../host/ccid_host.ts";
import { gadgetSpeed } from "../run/speed.ts";

/** After that of the FIFO. */
const INTERFACE = 1;
const MATCH = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };

/** Starts a gadget with a reader. */
export async function startReader(options: CardReaderOptions<"ccid"> = {}) {
  const reader = new CardReader(options);
  const occupation = occupiedFifo();
  const gadget = await Gadget.start({
    ...MATCH,
    maxSpeed: gadgetSpeed().maxSpeed,
    // In this order: the first message about slots would take the FIFO.
    functions: [occupation.fifo, reader],
  });
  const { errors, ended } = reportedErrors(gadget.functions.ccid.events);
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
      const { maxMessageLength } = options;
      const host = await CcidHost.claim(device, INTERFACE, maxMessageLength);
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
      await ended;
    },
  };
}
