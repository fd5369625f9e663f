/**
 * The device of the kernel's FunctionFS page: files over MTP, a network and a
 * keyboard, in one process and in three.
 *
 * @module
 */
// VM: --modules cdc_ether,usbhid,hid-generic,evdev --processors 1, a class of device
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { exists } from "../../ffi/file.ts";
import { getFile, sendFile } from "../support/host/mtp_tools.ts";
import { Network } from "../support/host/network.ts";
import { TypedNumbers } from "../support/host/typed_numbers.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import {
  type RunningExample,
  startExample,
} from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";
import {
  type UsbDeviceInfo,
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0003 };
const ends = { gadget: "02:00:00:00:09:01", host: "02:00:00:00:09:02" };
const MIB = 1 << 20;

/** A folder in memory for the device's files, and one for the host's. */
class Files implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync();
  /** What the device offers. */
  readonly device = `${this.path}/device`;
  #count = 0;

  static async make(): Promise<Files> {
    const files = new Files();
    await shell(`
      mount -t tmpfs -o size=512M files ${files.path}
      mkdir ${files.device}`);
    return files;
  }

  /** Sends a file to the device by MTP, and gets it back. */
  async exchange(byteLength: number): Promise<void> {
    const name = `file${++this.#count}`;
    const [sent, kept, got] = [
      `${this.path}/${name}`,
      `${this.device}/${name}`,
      `${this.path}/got`,
    ];
    await shell(`head -c ${byteLength} /dev/urandom >${sent}`);
    const id = await sendFile(sent);
    await shell(`cmp ${sent} ${kept}`);
    await getFile(id, got);
    await shell(`cmp ${sent} ${got}; rm ${sent} ${kept} ${got}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await shell(`umount ${this.path}; rmdir ${this.path}`);
  }
}

/** What the host has of the device, from one enumeration to the next. */
class Host implements AsyncDisposable {
  readonly #files: Files;
  readonly #network: Network;
  readonly #numbers: TypedNumbers;

  /** Waits until the host has all functions. */
  static async open(files: Files): Promise<Host> {
    const network = await Network.open(ends);
    return new Host(files, network, await TypedNumbers.open(ids));
  }

  /** Use {@linkcode open}. */
  private constructor(files: Files, network: Network, numbers: TypedNumbers) {
    this.#files = files;
    this.#network = network;
    this.#numbers = numbers;
  }

  /** Uses functions at the same time. */
  async use(...functions: ("files" | "network" | "keyboard")[]) {
    const ways = {
      files: () => this.#files.exchange(soak(64, 1) * MIB),
      network: async () => {
        await this.#network.exchange(soak(8_000_000, 100_000));
        await this.#network.ping();
      },
      keyboard: () => this.#numbers.take(soak(20, 2)),
    };
    await Promise.all(functions.map((name) => ways[name]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
    await this.#numbers[Symbol.asyncDispose]();
  }
}

Deno.test("examples/composite.ts is files, a network and a keyboard, all in use at once", async () => {
  const before = gadgetTraces();
  await using files = await Files.make();
  await using composite = startExample("composite.ts", {
    args: [files.device],
  });
  {
    await using host = await Host.open(files);
    const end = performance.now() + soak(300_000, 0);
    do await host.use("files", "network", "keyboard"); while (
      performance.now() < end
    );
  }
  const { text } = await composite.end("SIGINT");
  assertMatch(text, /^Ethernet is usb\d+\n$/);
  await waitForNoDevice(ids);
  assertEquals(gadgetTraces(), before);
});

/** The programs of the device in three processes. */
class Programs implements AsyncDisposable {
  readonly #starts: Record<string, () => RunningExample>;
  readonly #running = new Map<string, RunningExample>();

  constructor(files: Files) {
    this.#starts = {
      gadget: () => startExample("composite_gadget.ts"),
      mtp: () => startExample("composite_mtp.ts", { args: [files.device] }),
      keyboard: () => startExample("composite_keyboard.ts"),
    };
  }

  start(name: string): void {
    this.#running.set(name, this.#starts[name]());
  }

  async end(name: string, signal: Deno.Signal = "SIGKILL") {
    const program = this.#running.get(name)!;
    this.#running.delete(name);
    return await program.end(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#running.keys()) {
      console.log(name, (await this.end(name)).text);
    }
  }
}

/** Waits until the host has found the device once more. */
async function enumeratedAgain(before: UsbDeviceInfo): Promise<UsbDeviceInfo> {
  for (;;) {
    const now = await waitForDevice(ids);
    if (now.address !== before.address) return now;
    await delay(500);
  }
}

Deno.test("examples/composite_*.ts are the same in three processes, of which each can be killed and started again", async () => {
  const before = gadgetTraces();
  await using files = await Files.make();
  await using programs = new Programs(files);
  programs.start("gadget");
  await until(() => exists("/dev/ffs-hid/ep0"), "there are mounts");
  programs.start("mtp");
  programs.start("keyboard");
  let first: UsbDeviceInfo;
  {
    await using host = await Host.open(files);
    first = await waitForDevice(ids);
    await host.use("files", "network", "keyboard");
    await programs.end("gadget");
    await host.use("files", "network", "keyboard");
    programs.start("gadget");
    await programs.end("mtp");
    await host.use("network", "keyboard");
  }
  // The host has not noticed anything so far.
  assertEquals((await waitForDevice(ids)).address, first.address);
  programs.start("mtp");
  const second = await enumeratedAgain(first);
  {
    await using host = await Host.open(files);
    await host.use("files", "network", "keyboard");
    await programs.end("keyboard");
    await host.use("files", "network");
  }
  programs.start("keyboard");
  await enumeratedAgain(second);
  {
    await using host = await Host.open(files);
    await host.use("files", "network", "keyboard");
  }

  const { status, text } = await programs.end("gadget", "SIGINT");
  assertStringIncludes(text, '"composite" is on ');
  assert(status.success, text);
  await waitForNoDevice(ids);
  await programs.end("mtp");
  await programs.end("keyboard");
  assertEquals(gadgetTraces(), before);
  assertEquals(exists("/dev/ffs-mtp"), false);
});
