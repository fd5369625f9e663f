/**
 * A gadget with MTP, and folders in memory for both sides.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { directoryStore, Mtp, type MtpOptions } from "@usb/gadget/mtp";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../../src/testing/usbfs/find.ts";
import { shell } from "../machine/shell.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { occupiedFifo } from "./occupied_fifo.ts";
import { reportedErrors } from "./reported_errors.ts";
import { type ImageFolder, makeImageFolder } from "./storage_bench.ts";

const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
} as const;

/** A running gadget that this machine has as a device. */
export class MtpBench implements AsyncDisposable {
  /** What the device offers, by default. */
  readonly device: string;
  /** The host's files; its programs run here. */
  readonly host: string;
  readonly mtp: Mtp<string>;
  readonly #folder: ImageFolder;
  readonly #gadget: Gadget;
  readonly #errors: readonly unknown[];

  /** Starts a gadget, and waits until the host has it. */
  static async start(options: Partial<MtpOptions> = {}): Promise<MtpBench> {
    const folder = await makeImageFolder();
    const device = await folder.folder("device");
    const host = await folder.folder("host");
    const mtp: Mtp<string> = new Mtp({
      manufacturer: "Example",
      model: "Phone",
      storages: [{ name: "Files", store: directoryStore(device) }],
      ...options,
    });
    const { fifo, occupied } = occupiedFifo();
    const gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      microsoftOs: true,
      functions: [mtp, fifo],
    });
    await waitForDevice(IDS);
    await occupied(1);
    return new MtpBench(folder, device, host, mtp, gadget);
  }

  /** Use {@linkcode start}. */
  private constructor(
    folder: ImageFolder,
    device: string,
    host: string,
    mtp: Mtp<string>,
    gadget: Gadget,
  ) {
    this.#folder = folder;
    this.device = device;
    this.host = host;
    this.mtp = mtp;
    this.#gadget = gadget;
    this.#errors = reportedErrors(gadget.functions[mtp.name].events).errors;
  }

  /** Runs a script of the host in its folder, in UTF-8. */
  async run(script: string): Promise<string> {
    return await shell(`cd ${this.host}; export LC_ALL=C.UTF-8 LANG=C.UTF-8
${script}`);
  }

  /** Expects both folders to have the same files with the same contents. */
  async expectSame(one = this.device, other = this.host): Promise<void> {
    await shell(`diff -r ${one} ${other}`);
  }

  /** @throws {Error} If the gadget has reported errors. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gadget.stop();
    await waitForNoDevice(IDS);
    await this.#folder[Symbol.asyncDispose]();
    assertEquals(this.#errors, []);
  }
}
