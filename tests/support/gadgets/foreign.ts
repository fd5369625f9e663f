/**
 * A gadget that resembles one of this package but does not belong to it: bound to
 * its own controller, with a host and a FunctionFS mount.
 *
 * @module
 */
import { shell } from "../machine/shell.ts";
import { waitForDevice } from "../../../src/testing/usbfs/find.ts";

const GADGET = "/sys/kernel/config/usb_gadget/usb-gadget.1.0";
const MOUNT = "/run/foreign";
const ids = { vendorId: 0x1209, productId: 0x0f0f };

/** The foreign gadget. */
export interface ForeignGadget extends AsyncDisposable {
  /** Everything visible of it, byte by byte. */
  look(): Promise<string[]>;
}

/** Creates the gadget on a controller. */
export async function makeForeignGadget(udc: string): Promise<ForeignGadget> {
  await shell(`
    mkdir ${GADGET} ${GADGET}/strings/0x409 ${GADGET}/configs/c.1
    mkdir ${GADGET}/functions/ffs.foreign ${GADGET}/functions/Loopback.0
    echo 0x1209 >${GADGET}/idVendor
    echo 0x0f0f >${GADGET}/idProduct
    echo Foreign >${GADGET}/strings/0x409/product
    ln -s ${GADGET}/functions/Loopback.0 ${GADGET}/configs/c.1/
    mkdir ${MOUNT}
    mount -t functionfs foreign ${MOUNT}
    echo ${udc} >${GADGET}/UDC`);
  await waitForDevice(ids);
  return {
    async look() {
      const { address, path } = await waitForDevice(ids);
      const mounts = (await Deno.readTextFile("/proc/self/mounts"))
        .split("\n").filter((line) => line.includes(MOUNT));
      return [
        `${path}: ${address}`,
        ...mounts,
        ...await lookInto(GADGET),
        ...await lookInto(MOUNT),
      ];
    },
    async [Symbol.asyncDispose]() {
      await shell(`
        echo >${GADGET}/UDC
        umount ${MOUNT}
        rmdir ${MOUNT}
        rm ${GADGET}/configs/c.1/Loopback.0
        rmdir ${GADGET}/functions/* ${GADGET}/configs/c.1 ${GADGET}/strings/0x409 ${GADGET}`);
    },
  };
}

/** Lists each file with its bytes, each link with its target, each directory. */
async function lookInto(path: string): Promise<string[]> {
  const seen: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    const inner = `${path}/${name}`;
    if (isSymlink) seen.push(`${inner} -> ${await Deno.readLink(inner)}`);
    else if (isDirectory) seen.push(inner, ...await lookInto(inner));
    else seen.push(`${inner}: ${await readBytes(inner)}`);
  }
  return seen.sort();
}

async function readBytes(path: string): Promise<string> {
  try {
    return (await Deno.readFile(path)).toHex();
  } catch (error) {
    // Some files are write-only, and ep0 has nothing to read.
    return error instanceof Error ? error.name : String(error);
  }
}
