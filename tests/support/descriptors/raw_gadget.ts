/**
 * A gadget whose function is given as bytes, for functions that the package's validation would refuse. The function
 * receives no control requests, and its endpoints are not served.
 *
 * @module
 */
import { listUdcs } from "@usb/gadget";
import { O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import {
  close,
  mkdir,
  open,
  rmdir,
  symlink,
  unlink,
  write,
  writeFile,
} from "../../../ffi/file.ts";
import { mount, unmount } from "../../../ffi/mount.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import {
  type DeviceMatch,
  waitForNoDevice,
} from "../../../src/testing/usbfs/find.ts";

/** bMS_VendorCode of the gadget. */
export const VENDOR_CODE = 0x20;

const ids = { vendorId: 0x1209, productId: 0x0001 };

let serial = 0;

/** A bound gadget, and how the host identifies it. */
export interface RawGadget extends AsyncDisposable {
  readonly match: DeviceMatch;
}

/** Runs a check with the host's view of a gadget built from two blocks. */
export async function withRawGadget(
  descriptors: Uint8Array<ArrayBuffer>,
  strings: Uint8Array<ArrayBuffer>,
  check: (device: UsbfsDevice) => Promise<void>,
): Promise<void> {
  await using gadget = startRawGadget(descriptors, strings);
  await using device = await UsbfsDevice.find(gadget.match);
  await check(device);
}

/**
 * Binds a gadget built from two blocks. The host may not be able to configure it.
 *
 * @throws {Error} EBUSY if it cannot be bound.
 */
export function startRawGadget(
  descriptors: Uint8Array<ArrayBuffer>,
  strings: Uint8Array<ArrayBuffer>,
): RawGadget {
  const name = `raw.${Deno.pid}.${++serial}`;
  const gadget = `/sys/kernel/config/usb_gadget/${name}`;
  const configuration = `${gadget}/configs/c.1`;
  const mountPoint = `/tmp/${name}`;
  const undo: (() => void)[] = [];
  const directory = (path: string) => {
    mkdir(path);
    undo.push(() => rmdir(path));
  };
  const link = (target: string, path: string) => {
    symlink(target, path);
    undo.push(() => unlink(path));
  };
  const remove = () => undo.splice(0).reverse().forEach((step) => step());
  try {
    directory(gadget);
    writeFile(`${gadget}/idVendor`, `${ids.vendorId}`);
    writeFile(`${gadget}/idProduct`, `${ids.productId}`);
    writeFile(`${gadget}/max_speed`, gadgetSpeed().maxSpeed);
    directory(`${gadget}/strings/0x409`);
    writeFile(`${gadget}/strings/0x409/serialnumber`, name);
    directory(configuration);
    directory(`${gadget}/functions/ffs.${name}`);
    link(`${gadget}/functions/ffs.${name}`, `${configuration}/ffs.${name}`);
    writeFile(`${gadget}/os_desc/use`, "1");
    writeFile(`${gadget}/os_desc/b_vendor_code`, `${VENDOR_CODE}`);
    writeFile(`${gadget}/os_desc/qw_sign`, "MSFT100");
    link(configuration, `${gadget}/os_desc/c.1`);
    directory(mountPoint);
    mount({ source: name, target: mountPoint, type: "functionfs" });
    undo.push(() => unmount(mountPoint));
    const ep0 = open(`${mountPoint}/ep0`, O_RDWR | O_NONBLOCK);
    undo.push(() => close(ep0));
    write(ep0, descriptors);
    write(ep0, strings);
    writeFile(`${gadget}/UDC`, freeUdc());
    undo.push(() => writeFile(`${gadget}/UDC`, "\n"));
  } catch (error) {
    remove();
    throw error;
  }
  const match = { ...ids, serialNumber: name };
  return {
    match,
    async [Symbol.asyncDispose]() {
      remove();
      await waitForNoDevice(match);
    },
  };
}

function freeUdc(): string {
  const udc = listUdcs().find(({ driver }) => driver === "");
  if (udc === undefined) throw new Error("Cannot find a free UDC");
  return udc.name;
}
