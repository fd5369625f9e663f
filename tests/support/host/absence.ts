/**
 * A host that stays away: it sees the device, and does not configure it.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { isSystemError } from "../../../ffi/errno.ts";
import { list, readTextFile, writeFile } from "../../../ffi/file.ts";
import { type DeviceMatch, listUsbDevices } from "../usbfs/find.ts";

const DEVICES = "/sys/bus/usb/devices";
const POLL_MS = 10;
const TIMEOUT_MS = 60_000;
/** What the host says of a device that leaves, and of what is none. */
const GONE = ["ENOENT", "ENODEV", "EPROTO", "ESHUTDOWN"] as const;

/** Calls `look`, unless the device that it is about is gone or about to go. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, ...GONE)) return undefined;
    throw error;
  }
}

/**
 * Makes the host ignore devices that come from now on, until the result is
 * disposed of or {@linkcode HostAbsence.end} is called.
 */
export function keepHostAway(): HostAbsence {
  return new HostAbsence();
}

/** The time during which the host ignores new devices. */
export class HostAbsence implements Disposable {
  readonly #hubs = list(DEVICES).map(({ name }) => name)
    .filter((name) => /^usb\d+$/.test(name));

  /** Begins. */
  constructor() {
    this.#setDefault("0");
  }

  /**
   * Waits until the host has seen a device, and ignores it. When a device that
   * it is still looking at is gone, it ignores the next one that comes instead.
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

  /** It has not asked for the serial number of what it ignores. */
  async #ignores({ vendorId, productId }: DeviceMatch): Promise<boolean> {
    const devices = (await listUsbDevices()).filter((device) =>
      device.vendorId === vendorId && device.productId === productId
    );
    return devices.some(({ sysfsPath }) =>
      unlessGone(() => readTextFile(`${sysfsPath}/authorized`)) === "0"
    );
  }

  /**
   * The host turns up: all devices that it has {@linkcode seen} are configured
   * when this returns. One that is just coming stays ignored.
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

  /** Ends it. */
  [Symbol.dispose](): void {
    this.end();
  }

  #setDefault(value: string): void {
    for (const name of this.#hubs) {
      writeFile(`${DEVICES}/${name}/authorized_default`, value);
    }
  }
}
