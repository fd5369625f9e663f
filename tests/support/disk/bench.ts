/**
 * A disk on the bus and its host, without a kernel driver between.
 *
 * @module
 */
import { bulkIn, Gadget, usbFunction } from "@usb/gadget";
import { MassStorage, type MassStorageOptions } from "@usb/gadget/mass-storage";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import { BulkOnlyHost } from "../host/bulk_only_host.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";

let started = 0;

/** A disk and its host. */
export type DiskBench = Awaited<ReturnType<typeof startDisk>>;

/**
 * Starts a gadget with a disk, and claims it.
 *
 * dummy_hcd takes a write of up to 64 bytes into an emulated FIFO before the host
 * asks for it. No UDC call empties it, so a status that a host has abandoned would
 * reach it later, which real controllers prevent. All IN endpoints share that
 * FIFO, and it has room for one write: that of a second function, which the host
 * never reads.
 */
export async function startDisk(options: MassStorageOptions) {
  const storage = new MassStorage(options);
  let occupied = 0;
  const fifo = usbFunction({
    name: "fifo",
    interfaces: [{ class: 0xff, endpoints: { link: bulkIn() } }],
    async serve({ endpoints: { link } }) {
      await link.write(new Uint8Array(1));
      occupied++;
    },
  });
  const serialNumber = `0000000000${++started}`;
  const match = { vendorId: 0x1209, productId: 0x0001, serialNumber };
  const gadget = await Gadget.start({
    ...match,
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [storage, fifo],
  });
  const errors: unknown[] = [];
  const collected = (async () => {
    for await (const event of gadget.functions.disk.events) {
      if (event.type === "error") errors.push(event.error);
    }
  })();
  const open = async (session: number) => {
    await until(() => occupied >= session, "the FIFO is occupied");
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
      const next = occupied + 1;
      await host.device.reset();
      await until(() => occupied >= next, "the FIFO is occupied");
    },
    /** Pulls the cable, and plugs it in again. */
    async replug(whileUnplugged: () => unknown = () => {}) {
      const next = occupied + 1;
      await gadget.unbind();
      await host.device.close();
      await whileUnplugged();
      await gadget.bind();
      host = await open(next);
    },
    async [Symbol.asyncDispose]() {
      await host.device.close();
      await gadget.stop();
      await collected;
    },
  };
}
