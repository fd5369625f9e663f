/**
 * A host that sees a device but does not configure it.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { list, readTextFile, writeFile } from "../../../ffi/file.ts";
import {
  type DeviceMatch,
  listUsbDevices,
} from "../../../src/testing/usbfs/find.ts";
import { unlessGone } from "../../../src/testing/usbfs/sysfs.ts";

const DEVICES = "/sys/bus/usb/devices";
const POLL_MS = 10;
const TIMEOUT_MS = 60_000;

/**
 * Makes the host ignore new devices until the result is disposed or
 * {@linkcode HostAbsence.end} is called.
 */
export function keepHostAway(): HostAbsence {
  return new HostAbsence();
}

/** A period in which the host ignores new devices. */
export class HostAbsence implements Disposable {
  readonly #hubs = list(DEVICES).map(({ name }) => name)
    .filter((name) => /^usb\d+$/.test(name));

  /** Starts the period. */
  constructor() {
    this.#setDefault("0");
  }

  /**
   * Waits until the host has seen and ignored a device. If a device disappears
   * while the host examines it, the host ignores the next one instead.
   */
  async seen(match: DeviceMatch): Promise<void> {
    const end = performance.now() + TIMEOUT_MS;
    while (!(await this.#ignores(match))) {
      if (performance.now() > end) {
        throw new Error(`The host has not seen the device in ${TIMEOUT_MS} ms`);
      }
      await delay(POLL_MS);
    }
  }

  /** The host does not read the serial number of a device that it ignores. */
  async #ignores({ vendorId, productId }: DeviceMatch): Promise<boolean> {
    const devices = (await listUsbDevices()).filter((device) =>
      device.vendorId === vendorId && device.productId === productId
    );
    return devices.some(({ sysfsPath }) =>
      unlessGone(() => readTextFile(`${sysfsPath}/authorized`)) === "0"
    );
  }

  /**
   * Ends the period. All {@linkcode seen} devices are configured when this
   * returns. A device that is just being attached stays ignored.
   */
  end(): void {
    this.#setDefault("1");
    for (const { name } of list(DEVICES)) {
      const file = `${DEVICES}/${name}/authorized`;
      unlessGone(() => {
        if (readTextFile(file) === "0") writeFile(file, "1");
      });
    }
  }

  /** Ends the period. */
  [Symbol.dispose](): void {
    this.end();
  }

  #setDefault(value: string): void {
    for (const name of this.#hubs) {
      writeFile(`${DEVICES}/${name}/authorized_default`, value);
    }
  }
}
