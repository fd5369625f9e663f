/**
 * A disk's host that locks the medium.
 *
 * @module
 */
import { bulkEndpoints } from "./echo.ts";
import { UsbfsDevice } from "../usbfs/device.ts";
import type { DeviceMatch } from "../usbfs/find.ts";

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
