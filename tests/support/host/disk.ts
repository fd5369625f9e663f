/**
 * A disk's host: the kernel's own, or one that locks the medium.
 *
 * @module
 */
import { bulkEndpoints } from "./echo.ts";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { DeviceMatch } from "../../../src/testing/usbfs/find.ts";

/** The name of the kernel's USB disk of some bytes, once it knows the size. */
export function findDisk(size: number): string | undefined {
  return [...Deno.readDirSync("/sys/block")].map(({ name }) => name)
    .find((name) => {
      const path = `/sys/block/${name}`;
      try {
        return Deno.realPathSync(path).includes("/usb") &&
          Number(Deno.readTextFileSync(`${path}/size`)) * 512 === size;
      } catch (error) {
        // It has gone in the meantime.
        const { code } = error as { code?: string };
        if (code === "ENOENT" || code === "ENODEV") return false;
        throw error;
      }
    });
}

/** PREVENT ALLOW MEDIUM REMOVAL in a Command Block Wrapper without data. */
const LOCK = Uint8Array.fromHex(
  "55534243" + "01000000" + "00000000" + "00" + "00" + "06" +
    "1e0000000100" + "00".repeat(10),
);
/** bCSWStatus in a Command Status Wrapper. */
const STATUS = 12;

/** Locks the medium of a disk's first drive, and takes the disk from its kernel driver. */
export async function lockMedium(match: DeviceMatch): Promise<UsbfsDevice> {
  const device = await UsbfsDevice.find(match);
  await device.claimInterface(0);
  const { input, output, packetSize } = bulkEndpoints(device);
  // The first commands may fail: a drive reports each change once.
  for (let tries = 0; tries < 5; tries++) {
    await device.bulkOut(output, LOCK);
    const status = await device.bulkIn(input, packetSize);
    if (status[STATUS] === 0) return device;
  }
  throw new Error("Cannot lock the medium: the disk refuses it");
}
