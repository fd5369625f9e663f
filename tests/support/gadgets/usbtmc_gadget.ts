/**
 * A gadget that is a test and measurement device, which this machine has.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import type { Usbtmc } from "@usb/gadget/usbtmc";
import { exists } from "../../../ffi/file.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../../src/testing/usbfs/find.ts";
import { Python } from "../programs/python.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";
import { occupiedFifo } from "./occupied_fifo.ts";

/** The device. */
export const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
} as const;

const FILE = "/dev/usbtmc0";

/** Opens it in Python, with a timeout that is long enough on a busy machine. */
export const OPEN_DRIVER = `
from usbtmc_driver import *
device = Driver()
device.set_timeout(120000)`;

/** Starts a gadget; at the end, nothing may have been reported. */
export async function startUsbtmc(device: Usbtmc) {
  const occupation = occupiedFifo();
  const gadget = await Gadget.start({
    ...IDS,
    manufacturer: "Example",
    product: "Instrument",
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [device, occupation.fifo],
  });
  const errors: unknown[] = [];
  const collected = (async () => {
    for await (const event of gadget.functions[device.name].events) {
      if (event.type === "error") errors.push(event.error);
    }
  })();
  const configured = async (session: number) => {
    await occupation.occupied(session);
    await waitForDevice(IDS);
  };
  const ready = async (session: number) => {
    await configured(session);
    await until(() => exists(FILE), "the driver has the device");
  };
  await ready(1);
  return {
    gadget,
    /** Opens the driver's file. */
    driver: () => Python.start(OPEN_DRIVER),
    /** Pulls the cable, and waits until the host has seen that. */
    async unplug() {
      await gadget.unbind();
      await waitForNoDevice(IDS);
    },
    /** Plugs it in again. */
    async plug() {
      const next = occupation.sessions + 1;
      await gadget.bind();
      await ready(next);
    },
    /** Something that ends the session, and begins another one. */
    async reconnect(how: () => Promise<unknown>) {
      const next = occupation.sessions + 1;
      await how();
      await configured(next);
    },
    async [Symbol.asyncDispose]() {
      await gadget.stop();
      await waitForNoDevice(IDS);
      await collected;
      assertEquals(errors, []);
    },
  };
}
