/**
 * The device of a gadget as its host has it: plugged or not, configured, reset,
 * suspended.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import { exists } from "../../ffi/file.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import type { InEndpoint } from "../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../functionfs/endpoint/out_endpoint.ts";
import type { Gadget } from "../gadget/gadget.ts";
import { DescriptorType } from "../usb/descriptor_type.ts";
import { StandardRequest } from "../usb/request.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import { type HostStrings, readStrings } from "./descriptors.ts";
import { DeviceTransfers } from "./device_transfers.ts";
import {
  functionsOf,
  selectedFunctions,
  waitForAbsence,
  waitForGadget,
} from "./gadget_device.ts";
import { type HostOptions, type Patience, within } from "./options.ts";
import { allowSleep, assertSuspends, waitForSleep } from "./power.ts";
import { UsbfsDevice } from "./usbfs/device.ts";
import type { UsbDeviceInfo } from "./usbfs/find.ts";
import { pause } from "./usbfs/sysfs.ts";
import type { RecordedDevice } from "./usbmon/record.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const LARGEST_STRING = 255;
const POLL_MS = 10;

/** Mbit/s to the speed whose descriptors are used. */
const SPEEDS: Readonly<Record<string, FunctionSpeed>> = {
  "12": "full",
  "480": "high",
};

/** Opens a device that was found; undefined if it has left, or has no file yet. */
function openUnlessGone(
  info: UsbDeviceInfo,
  isLate: boolean,
): UsbfsDevice | undefined {
  try {
    return UsbfsDevice.open(info);
  } catch (error) {
    if (isLate || !isSystemError(error, "ENOENT", "ENODEV")) throw error;
    return undefined;
  }
}

/** The host of one gadget: its open device, while there is one. */
export class GadgetConnection {
  readonly #gadget: Gadget;
  readonly #timeout: number;
  /** Addresses of the device so far. */
  readonly #addresses = new Set<number>();
  /** The controller, from the first time on. */
  #udc = "";
  #transfers: DeviceTransfers | undefined;
  #configuration = 0;
  #asleep = false;
  #closing: Promise<void> | undefined;

  constructor(gadget: Gadget, timeout = DEFAULT_TIMEOUT_MS) {
    this.#gadget = gadget;
    this.#timeout = timeout;
  }

  /** Waits for the device, and opens it. */
  async open(options: HostOptions): Promise<void> {
    const { timeout, signal } = this.patience(options);
    const end = performance.now() + timeout;
    for (;;) {
      const left = Math.max(0, end - performance.now());
      if (await this.#tryToOpen({ timeout: left, signal })) return;
    }
  }

  /** Returns false if the device was one that is about to leave. */
  async #tryToOpen(patience: Patience): Promise<boolean> {
    const info = await waitForGadget(this.#gadget, patience);
    this.#udc = this.#gadget.udc.name;
    const device = openUnlessGone(info, patience.timeout === 0);
    if (device === undefined) {
      await pause(POLL_MS);
      return false;
    }
    this.#addresses.add(info.address);
    this.#asleep = false;
    this.#begin(device, info.configuration);
    await this.#findAll(patience);
    // Right after a bind, the functions may not have read that they were
    // disabled, and the host may still have the earlier device. But endpoints
    // are found only when the host has enabled them, and it has dropped that then.
    if (exists(info.path)) return true;
    this.#transfers = undefined;
    await device.close();
    return false;
  }

  get speed(): FunctionSpeed {
    const { device } = this.use("look up the speed");
    return SPEEDS[device.info.speed] ?? "super";
  }

  strings(
    language: number | undefined,
    options: HostOptions,
  ): Promise<HostStrings> {
    const transfers = this.use("read the strings");
    return readStrings(
      transfers.descriptors,
      language,
      (index, language) =>
        transfers.control(
          {
            request: StandardRequest.GET_DESCRIPTOR,
            value: DescriptorType.STRING << 8 | index,
            index: language,
          },
          "in",
          new Uint8Array(LARGEST_STRING),
          this.patience(options),
        ),
    );
  }

  async reset(options: HostOptions): Promise<void> {
    const action = "reset the device";
    const transfers = this.use(action);
    const call = () => transfers.device.reset();
    await transfers.run(call, action, this.patience(options));
  }

  async setConfiguration(value: number, options: HostOptions): Promise<void> {
    const action = `select configuration ${value}`;
    const transfers = this.use(action);
    const call = () => transfers.select(value);
    await transfers.run(call, action, this.patience(options));
    this.#begin(transfers.device, value);
    if (value === 0) return;
    await waitForGadget(this.#gadget, this.patience(options));
    await this.#findAll(options);
  }

  async setInterface(
    interfaceNumber: number,
    alternateSetting: number,
    options: HostOptions,
  ): Promise<void> {
    const action =
      `select setting ${alternateSetting} of interface ${interfaceNumber}`;
    const transfers = this.use(action);
    const patience = this.patience(options);
    await transfers.claim(interfaceNumber, action, patience);
    const call = () =>
      transfers.device.setInterface(interfaceNumber, alternateSetting);
    await transfers.run(call, action, patience);
  }

  async clearHalt(
    endpoint: InEndpoint | OutEndpoint,
    options: HostOptions,
  ): Promise<void> {
    const action = `clear the halt of endpoint "${endpoint.name}"`;
    const transfers = this.use(action);
    const patience = this.patience(options);
    const { address } = await transfers.claimed(action, endpoint, patience);
    const call = () => transfers.device.clearHalt(address);
    await transfers.run(call, action, patience);
  }

  async suspend(options: HostOptions): Promise<void> {
    const { device } = this.use("suspend the device");
    assertSuspends(device.info, this.#udc);
    this.#asleep = true;
    await this.#sleep(true, options, async () => {
      await device.allowSuspend(true);
      await allowSleep(device.info, true);
    });
  }

  async resume(options: HostOptions): Promise<void> {
    const { device } = this.use("resume the device");
    await this.#sleep(false, options, async () => {
      await allowSleep(device.info, false);
      await device.allowSuspend(false);
    });
    this.#asleep = false;
  }

  async unplug(options: HostOptions): Promise<void> {
    const { device } = this.use("unplug the device");
    this.#gadget.unbind();
    this.#transfers = undefined;
    await device.close();
    await waitForAbsence(this.#gadget, device.info, this.patience(options));
  }

  async plug(options: HostOptions): Promise<void> {
    this.#assertOpen("plug the device");
    const { signal } = options;
    if (!this.#gadget.bound) {
      await this.#gadget.bind({ udc: this.#udc, signal });
    }
    const earlier = this.#transfers?.device;
    this.#transfers = undefined;
    await earlier?.close();
    await this.open(options);
  }

  /** What a record of the bus needs to know. */
  async recorded(): Promise<RecordedDevice> {
    const { device, pipes } = this.use("record the bus");
    const all = await pipes.all(this.#selected());
    return {
      busNumber: device.info.busNumber,
      addresses: this.#addresses,
      names: new Map(all.map(({ address, name }) => [address, name])),
    };
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The options of a call, with their default. */
  patience({ timeout = this.#timeout, signal }: HostOptions): Patience {
    return { timeout, signal };
  }

  /** The open device. */
  use(action: string): DeviceTransfers {
    this.#assertOpen(action);
    if (this.#transfers !== undefined) return this.#transfers;
    throw errorOf(
      Errno.ENODEV,
      `Cannot ${action}: the device is unplugged: call plug()`,
      { syscall: "ioctl" },
    );
  }

  #assertOpen(action: string): void {
    if (this.#closing === undefined) return;
    throw errorOf(Errno.EBADF, `Cannot ${action}: the host is closed`, {
      syscall: "ioctl",
    });
  }

  async #close(): Promise<void> {
    const device = this.#transfers?.device;
    if (device === undefined) return;
    if (this.#asleep) await allowSleep(device.info, false).catch(() => {});
    await device.close();
  }

  /** The functions of the selected configuration. */
  #selected(): FunctionFs[] {
    return selectedFunctions(this.#gadget, this.#configuration);
  }

  /** Begins with another device, or another configuration. */
  #begin(device: UsbfsDevice, configuration: number): void {
    this.#configuration = configuration;
    const functions = functionsOf(this.#gadget);
    this.#transfers = new DeviceTransfers(device, functions, configuration);
  }

  /** Finds all endpoints, so that later calls keep their order. */
  async #findAll(options: HostOptions): Promise<void> {
    const { device, pipes } = this.#transfers!;
    try {
      const patience = this.patience(options);
      const action = "find the endpoints";
      const why = () => "a function has been disabled meanwhile";
      await within(pipes.all(this.#selected()), patience, action, why);
    } catch (error) {
      this.#transfers = undefined;
      await device.close();
      throw error;
    }
  }

  async #sleep(
    asleep: boolean,
    options: HostOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    const action = `${asleep ? "suspend" : "resume"} the device`;
    const transfers = this.use(action);
    const patience = this.patience(options);
    await transfers.run(work, action, patience);
    const functions = functionsOf(this.#gadget);
    await waitForSleep(transfers.device.info, functions, asleep, patience);
  }
}
