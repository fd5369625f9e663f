/**
 * A disk on the bus and its host, without a kernel driver between.
 *
 * @module
 */
import { Gadget } from "@usb/gadget";
import { MassStorage, type MassStorageOptions } from "@usb/gadget/mass-storage";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import { occupiedFifo } from "../gadgets/occupied_fifo.ts";
import { reportedErrors } from "../gadgets/reported_errors.ts";
import { BulkOnlyHost } from "../host/bulk_only_host.ts";
import { gadgetSpeed } from "../run/speed.ts";

let started = 0;

/** A disk and its host. */
export type DiskBench = Awaited<ReturnType<typeof startDisk>>;

/** Starts a gadget with a disk, and claims it. */
export async function startDisk(options: MassStorageOptions) {
  const storage = new MassStorage(options);
  const occupation = occupiedFifo();
  const serialNumber = `0000000000${++started}`;
  const match = { vendorId: 0x1209, productId: 0x0001, serialNumber };
  const gadget = await Gadget.start({
    ...match,
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [storage, occupation.fifo],
  });
  const { errors, ended } = reportedErrors(gadget.functions.disk.events);
  const open = async (session: number) => {
    await occupation.occupied(session);
    return await BulkOnlyHost.claim(await UsbfsDevice.find(match));
  };
  let host = await open(1);
  return {
    storage,
    gadget,
    /** What the function has reported. */
    errors,
    get host() {
      return host;
    },
    /** Resets the port; the host goes on with the next session. */
    async resetPort() {
      const next = occupation.sessions + 1;
      await host.device.reset();
      await occupation.occupied(next);
    },
    /** Pulls the cable, and plugs it in again. */
    async replug(whileUnplugged: () => unknown = () => {}) {
      const next = occupation.sessions + 1;
      await gadget.unbind();
      await host.device.close();
      await whileUnplugged();
      await gadget.bind();
      host = await open(next);
    },
    async [Symbol.asyncDispose]() {
      await host.device.close();
      await gadget.stop();
      await ended;
    },
  };
}
