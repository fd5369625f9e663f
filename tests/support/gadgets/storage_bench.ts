/**
 * A gadget with logical units, and this machine's Linux as their host.
 *
 * @module
 */
import { Gadget } from "@usb/gadget";
import type { MassStorage } from "@usb/gadget/mass-storage";
import { exists, writeFile } from "../../../ffi/file.ts";
import { KernelLog } from "../../../src/remedies/kernel_log.ts";
import { waitForNoDevice } from "../../../src/testing/usbfs/find.ts";
import { type ScsiUnit, waitForUnits } from "../host/scsi.ts";
import { shell } from "../machine/shell.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";

const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "0123456789AB",
} as const;

/** A running gadget whose units Linux has. */
export class StorageBench implements AsyncDisposable {
  readonly gadget: Gadget;
  readonly #storage: MassStorage;
  #units: readonly ScsiUnit[] = [];
  #configurations = 0;

  /** Starts a gadget, and waits until Linux has all of its units. */
  static async start(storage: MassStorage): Promise<StorageBench> {
    // Linux waits for a second before it asks a new disk anything.
    writeFile("/sys/module/usb_storage/parameters/delay_use", "0");
    using log = new KernelLog();
    const gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      functions: [storage],
    });
    const bench = new StorageBench(storage, gadget);
    try {
      await bench.#findUnits(log);
    } catch (error) {
      await gadget.stop();
      throw error;
    }
    return bench;
  }

  private constructor(storage: MassStorage, gadget: Gadget) {
    this.#storage = storage;
    this.gadget = gadget;
    this.#countConfigurations();
  }

  /** The units, in the order of their LUNs. */
  get units(): readonly ScsiUnit[] {
    return this.#units;
  }

  /** The node of the first unit's block device. */
  get node(): string {
    return this.#units[0].node;
  }

  /** How often the host has configured the device: once more after each reset. */
  get configurations(): number {
    return this.#configurations;
  }

  /** Unplugs the device, and waits until Linux has no unit any more. */
  async unplug(): Promise<void> {
    this.gadget.unbind();
    await this.#untilGone();
  }

  /** Plugs the device in again, and waits for its units. */
  async plug(): Promise<void> {
    using log = new KernelLog();
    await this.gadget.bind();
    await this.#findUnits(log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gadget.stop();
    await this.#untilGone();
  }

  /** Waits until Linux has the units, and has looked for partitions. */
  async #findUnits(log: KernelLog): Promise<void> {
    this.#units = await waitForUnits(IDS, this.#storage.luns.length);
    const left = new Set(this.#units.map(({ name }) => name));
    const isReady = () => {
      for (const line of log.lines()) {
        // "sd 0:0:0:0: [sda] Attached SCSI disk"
        if (!line.includes("Attached")) continue;
        for (const name of left) if (line.includes(name)) left.delete(name);
      }
      return left.size === 0;
    };
    await until(isReady, "Linux has looked for partitions");
  }

  async #untilGone(): Promise<void> {
    await waitForNoDevice(IDS);
    for (const { node } of this.#units) {
      await until(() => !exists(node), `${node} is gone`);
    }
  }

  async #countConfigurations(): Promise<void> {
    const { events } = this.gadget.functions[this.#storage.name];
    for await (const { type } of events) {
      if (type === "enable") this.#configurations++;
    }
  }
}

/** A folder with room for images, in memory. */
export interface ImageFolder extends AsyncDisposable {
  readonly path: string;
  /** Makes an empty folder in it, and returns its path. */
  folder(name: string): Promise<string>;
}

/** Makes such a folder. */
export async function makeImageFolder(): Promise<ImageFolder> {
  const path = await Deno.makeTempDir();
  await shell(`mount -t tmpfs -o size=1536M images ${path}`);
  return {
    path,
    async folder(name) {
      await Deno.mkdir(`${path}/${name}`);
      return `${path}/${name}`;
    },
    async [Symbol.asyncDispose]() {
      await shell(`umount ${path}; rmdir ${path}`);
    },
  };
}
