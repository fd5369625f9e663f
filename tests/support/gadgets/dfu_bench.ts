/**
 * A gadget in DFU mode, and dfu-util as its host.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { Dfu, type DfuModeOptions } from "@usb/gadget/dfu";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../../src/testing/usbfs/find.ts";
import { runDfuUtil } from "../host/dfu_util.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { type ImageFolder, makeImageFolder } from "./storage_bench.ts";

const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
} as const;

type Bytes = Uint8Array<ArrayBuffer>;

/** Memory as an area, which grows with what is written. */
export class MemoryArea {
  readonly name: string;
  /** What was manifested, and is uploaded. */
  firmware: Bytes = new Uint8Array(0);
  /** How many blocks were written. */
  blocks = 0;
  #parts: Bytes[] = [];
  #length = 0;

  constructor(name = "memory") {
    this.name = name;
  }

  read(offset: number, length: number): Uint8Array {
    return this.firmware.subarray(offset, offset + length);
  }

  write(offset: number, data: Bytes): void | Promise<void> {
    if (offset === 0) {
      this.#parts = [];
      this.#length = 0;
    }
    assertEquals(offset, this.#length);
    this.#parts.push(data);
    this.#length += data.length;
    this.blocks++;
  }

  async manifest(length: number): Promise<void> {
    assertEquals(length, this.#length);
    this.firmware = await new Blob(this.#parts).bytes();
  }
}

/** A running gadget that this machine has as a device. */
export class DfuBench implements AsyncDisposable {
  readonly gadget: Gadget;
  readonly dfu: Dfu<string>;
  /** What the function has reported. */
  readonly errors: unknown[] = [];
  readonly #folder: ImageFolder;

  /** Starts a gadget, and waits until the host has it. */
  static async start(
    options: DfuModeOptions<string>,
  ): Promise<DfuBench> {
    const folder = await makeImageFolder();
    const dfu = new Dfu<string>(options);
    const gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      functions: [dfu],
    });
    await waitForDevice(IDS);
    return new DfuBench(folder, dfu, gadget);
  }

  /** Use {@linkcode start}. */
  private constructor(folder: ImageFolder, dfu: Dfu<string>, gadget: Gadget) {
    this.#folder = folder;
    this.dfu = dfu;
    this.gadget = gadget;
    this.#watch();
  }

  /** The path of a file of the host. */
  file(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  /** Downloads bytes to an area; fails if dfu-util does. Returns its output. */
  async download(data: Bytes, ...args: string[]): Promise<string> {
    await Deno.writeFile(this.file("sent"), data);
    return await runDfuUtil("-D", this.file("sent"), ...args);
  }

  /** Uploads an area; fails if dfu-util does. */
  async upload(...args: string[]): Promise<Bytes> {
    const path = this.file("got");
    await Deno.remove(path).catch(() => {});
    await runDfuUtil("-U", path, ...args);
    return await Deno.readFile(path);
  }

  /** Pulls the cable, and plugs it in again. */
  async replug(): Promise<void> {
    this.gadget.unbind();
    await waitForNoDevice(IDS);
    await this.gadget.bind();
    await waitForDevice(IDS);
  }

  /** Resets the port, as a host would. */
  async resetPort(): Promise<void> {
    const device = await UsbfsDevice.find(IDS);
    try {
      await device.reset();
    } finally {
      await device.close();
    }
    await waitForDevice(IDS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gadget.stop();
    await waitForNoDevice(IDS);
    await this.#folder[Symbol.asyncDispose]();
  }

  async #watch(): Promise<void> {
    for await (const event of this.gadget.functions[this.dfu.name].events) {
      if (event.type === "error") this.errors.push(event.error);
    }
  }
}
