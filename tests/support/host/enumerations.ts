/**
 * Enumerations of a device.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type DeviceMatch,
  type UsbDeviceInfo,
  waitForDevice,
} from "../../../src/testing/usbfs/find.ts";

/**
 * Waits for each enumeration of a device. After a gadget was bound again, the host
 * has the old device for a moment, with another address.
 */
export class Enumerations {
  readonly #match: DeviceMatch;
  readonly #seen = new Set<number>();

  /** @param match Matches only one device at a time. */
  constructor(match: DeviceMatch) {
    this.#match = match;
  }

  /** Waits until the host has configured the device under a new address. */
  async next(): Promise<UsbDeviceInfo> {
    for (;;) {
      const device = await waitForDevice(this.#match);
      if (!this.#seen.has(device.address)) {
        this.#seen.add(device.address);
        return device;
      }
      await delay(10);
    }
  }
}
