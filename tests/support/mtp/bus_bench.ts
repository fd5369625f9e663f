/**
 * MTP on the bus and its host, without a program of others between.
 *
 * @module
 */
import { Gadget } from "@usb/gadget";
import { Mtp, type ObjectStore } from "@usb/gadget/mtp";
import {
  ALL,
  ObjectFormat,
  OperationCode,
} from "../../../src/classes/mtp/protocol/codes.ts";
import { DatasetReader } from "../../../src/classes/mtp/protocol/dataset.ts";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../../src/testing/usbfs/find.ts";
import { occupiedFifo } from "../gadgets/occupied_fifo.ts";
import { reportedErrors } from "../gadgets/reported_errors.ts";
import { MtpHost, type OperationResult } from "../host/mtp_host.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { announcement } from "./announcement.ts";

const MATCH = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };
/** The first storage of a device. */
const STORAGE = 0x10001;

type Bytes = Uint8Array<ArrayBuffer>;

/** Starts a gadget with one storage, and claims it. */
export async function startMtp(store: ObjectStore) {
  const mtp = new Mtp({ storages: [store] });
  const occupation = occupiedFifo();
  const gadget = await Gadget.start({
    ...MATCH,
    maxSpeed: gadgetSpeed().maxSpeed,
    microsoftOs: true,
    functions: [mtp, occupation.fifo],
  });
  const { errors, ended } = reportedErrors(gadget.functions.mtp.events);
  let device: UsbfsDevice;
  const open = async (session: number) => {
    await occupation.occupied(session);
    device = await UsbfsDevice.find(MATCH);
    const host = await MtpHost.claim(device);
    await host.pass(OperationCode.OpenSession, [1]);
    return host;
  };
  let host = await open(1);
  return {
    gadget,
    /** What the function has reported. */
    errors,
    get host() {
      return host;
    },
    /** Resets the port, and opens a session again. */
    async resetPort() {
      const next = occupation.sessions + 1;
      await device.reset();
      await device.close();
      host = await open(next);
    },
    /** Pulls the cable, and plugs it in again. */
    async replug() {
      const next = occupation.sessions + 1;
      await gadget.unbind();
      await device.close();
      await waitForNoDevice(MATCH);
      await gadget.bind();
      host = await open(next);
    },
    async [Symbol.asyncDispose]() {
      await device.close();
      await gadget.stop();
      await waitForNoDevice(MATCH);
      await ended;
    },
  };
}

/** The handles of everything in the storage. */
export async function handlesOf(host: MtpHost): Promise<number[]> {
  const data = await host.pass(OperationCode.GetObjectHandles, [STORAGE, 0, 0]);
  return new DatasetReader(data).array32();
}

/** Announces a file in the root folder. */
export function announce(
  host: MtpHost,
  name: string,
  size: number,
  format: number = ObjectFormat.Undefined,
): Promise<OperationResult> {
  return host.run(OperationCode.SendObjectInfo, [STORAGE, ALL], {
    send: announcement({ name, size, format }).data,
  });
}

/** Sends a file into the root folder; returns its handle. */
export async function sendFile(
  host: MtpHost,
  name: string,
  bytes: Bytes,
): Promise<number> {
  const { response, parameters } = await announce(host, name, bytes.length);
  if (response !== "OK") throw new Error(`${name} is refused: ${response}`);
  await host.pass(OperationCode.SendObject, [], { send: bytes });
  return parameters[2];
}
