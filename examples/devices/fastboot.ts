// A device in fastboot mode, as bootloaders of Android devices have it. Files are
// its partitions:
//
//   fastboot getvar all
//   fastboot flash boot boot.img
//   fastboot reboot               ends the program
//   fastboot reboot bootloader    comes back
//
//   sudo deno run --allow-ffi --allow-read --allow-write \
//     examples/devices/fastboot.ts boot=FILE...
//
// The protocol is that of system/core/fastboot/README.md of Android.
import { setTimeout as delay } from "node:timers/promises";
import {
  AbortedTransferError,
  bulkPair,
  Gadget,
  type Session,
  SessionEndedError,
  type UsbFunction,
  winUsb,
} from "@usb/gadget";
import { FastbootHost } from "./fastboot_host.ts";
import { piecesOf } from "./sparse_image.ts";

/** A part of the device's memory. */
export interface Partition {
  /** Bytes. */
  readonly size: number;
  /** Writes bytes that fit. */
  write(offset: number, data: Uint8Array<ArrayBuffer>): Promise<void>;
  erase(): Promise<void>;
}

/** What a device is. */
export interface FastbootOptions {
  readonly product: string;
  readonly serialNumber: string;
  readonly partitions: Readonly<Record<string, Partition>>;
  /** The most bytes of a download, which are held in memory. Default: 64 MiB. */
  readonly maxDownload?: number;
  /** Milliseconds after which a silent host counts as gone. Default: 5000. */
  readonly patience?: number;
}

const interfaces = [{
  class: 0xff,
  subclass: 0x42,
  protocol: 0x03,
  description: "fastboot",
  endpoints: { link: bulkPair() },
}] as const;

type FastbootFunction = UsbFunction<"fastboot", typeof interfaces>;

/** Commands that end this mode. */
const LEAVING = ["continue", "reboot", "reboot-bootloader"];

/** A function that obeys fastboot. */
export class Fastboot implements FastbootFunction {
  readonly name = "fastboot";
  readonly interfaces = interfaces;
  readonly microsoftOs = [winUsb()];
  readonly serve = (session: Session<FastbootFunction>) => this.#serve(session);
  readonly #partitions: FastbootOptions["partitions"];
  readonly #maxDownload: number;
  readonly #patience: number;
  readonly #variables: ReadonlyMap<string, string>;
  readonly #left = Promise.withResolvers<string>();

  constructor(
    {
      product,
      serialNumber,
      partitions,
      maxDownload = 64 << 20,
      patience = 5000,
    }: FastbootOptions,
  ) {
    this.#partitions = partitions;
    this.#maxDownload = maxDownload;
    this.#patience = patience;
    this.#variables = new Map([
      ["version", "0.4"],
      ["product", product],
      ["serialno", serialNumber],
      ["secure", "no"],
      ["unlocked", "yes"],
      ["is-userspace", "no"],
      ["slot-count", "0"],
      ["max-download-size", hex(maxDownload)],
      ...Object.entries(partitions).flatMap(([name, { size }]) => [
        [`partition-size:${name}`, hex(size)] as const,
        [`partition-type:${name}`, "raw"] as const,
        [`has-slot:${name}`, "no"] as const,
        [`is-logical:${name}`, "no"] as const,
      ]),
    ]);
  }

  /** Resolves when a host has ended this mode, to the command that did. */
  get left(): Promise<string> {
    return this.#left.promise;
  }

  async #serve({ endpoints }: Session<FastbootFunction>): Promise<void> {
    const host = new FastbootHost(endpoints.link, this.#patience);
    for (;;) {
      const command = await host.command();
      try {
        await this.#answer(command, host);
      } catch (error) {
        if (!(error instanceof AbortedTransferError)) throw error;
        // That host is gone. The next one has its own command.
      }
    }
  }

  async #answer(command: string, host: FastbootHost) {
    let value: string;
    try {
      value = await this.#obey(command, host);
    } catch (error) {
      const isOver = error instanceof AbortedTransferError ||
        error instanceof SessionEndedError;
      if (isOver) throw error;
      return await host.say("FAIL", (error as Error).message);
    }
    await host.say("OKAY", value);
    if (!LEAVING.includes(command)) return;
    // Some controllers still hold what the host is about to take.
    await delay(200);
    this.#left.resolve(command);
  }

  /**
   * Executes a command, and returns the text of its OKAY.
   *
   * @throws {Error} With the text of its FAIL.
   */
  async #obey(command: string, host: FastbootHost) {
    const colon = command.indexOf(":");
    const verb = colon < 0 ? command : command.slice(0, colon);
    const argument = colon < 0 ? "" : command.slice(colon + 1);
    switch (verb) {
      case "getvar": {
        if (argument === "all") {
          for (const [name, value] of this.#variables) {
            await host.say("INFO", `${name}:${value}`);
          }
          return "";
        }
        const value = this.#variables.get(argument);
        if (value === undefined) throw new Error("unknown variable");
        return value;
      }
      case "download": {
        const size = parseInt(argument, 16);
        if (!(size > 0)) throw new Error("the download has no size");
        if (size > this.#maxDownload) throw new Error("download too large");
        await host.download(size);
        return "";
      }
      case "flash": {
        const partition = this.#partition(argument);
        const { image } = host;
        if (image === undefined) throw new Error("nothing was downloaded");
        for (const { offset, data } of piecesOf(image, partition.size)) {
          await partition.write(offset, data);
        }
        return "";
      }
      case "erase":
        await this.#partition(argument).erase();
        return "";
    }
    if (LEAVING.includes(command)) return "";
    throw new Error("unknown command");
  }

  #partition(name: string): Partition {
    if (!Object.hasOwn(this.#partitions, name)) {
      throw new Error(`no partition ${name}`);
    }
    return this.#partitions[name];
  }
}

/** A file as a partition of its size. */
export async function filePartition(path: string): Promise<Partition> {
  const { size } = await Deno.stat(path);
  return {
    size,
    async write(offset, data) {
      using file = await Deno.open(path, { write: true });
      await file.seek(offset, Deno.SeekMode.Start);
      for (let at = 0; at < data.length;) {
        at += await file.write(data.subarray(at));
      }
    },
    async erase() {
      await Deno.truncate(path);
      await Deno.truncate(path, size);
    },
  };
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

if (import.meta.main) {
  const partitions: Record<string, Partition> = {};
  for (const argument of Deno.args) {
    const [name, path = name] = argument.split("=");
    partitions[name] = await filePartition(path);
  }
  const serialNumber = "0001";
  let command: string;
  do {
    const fastboot = new Fastboot({
      product: "example",
      serialNumber,
      partitions,
    });
    await using _ = await Gadget.start({
      vendorId: 0x18d1,
      productId: 0x4ee0,
      manufacturer: "Example",
      product: "Fastboot",
      serialNumber,
      microsoftOs: true,
      functions: [fastboot],
    });
    command = await fastboot.left;
  } while (command === "reboot-bootloader");
  console.log(`Leaves fastboot mode: ${command}`);
}
