/**
 * A USB host that shares no code with this project: `npm:usb`, the WebUSB API
 * over the Rust library nusb.
 *
 * It works around these properties of version 3.1.0:
 * - `close()` keeps the claimed interfaces; only `releaseInterface()` frees them.
 * - `close()` throws while a transfer is pending.
 * - A second transfer on an endpoint fails while the first is pending.
 * - A transfer is cancelled after 1 s, which WebUSB does not specify.
 *
 * @module
 */
/// <reference types="npm:@types/w3c-web-usb@^1.0.14" />
import { usb } from "usb";
import {
  type DeviceMatch,
  waitForDevice,
  type WaitOptions,
} from "../../../src/testing/usbfs/find.ts";

/** Which device to open. */
export interface WebUsbOptions extends DeviceMatch, WaitOptions {
  /**
   * The interface to claim.
   * @default {0}
   */
  readonly interface?: number;
}

/** WebUSB's device with the extensions of `npm:usb`. */
export interface WebUsbDevice extends USBDevice {
  readonly bus: string;
  readonly address: number;
  transferIn(
    endpointNumber: number,
    length: number,
    timeout?: number,
  ): Promise<USBInTransferResult>;
  transferOut(
    endpointNumber: number,
    data: BufferSource,
    timeout?: number,
  ): Promise<USBOutTransferResult>;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** A device opened by {@linkcode openWebUsb}. */
export class WebUsbHost implements AsyncDisposable {
  /** The device itself, for operations without a method here. */
  readonly device: WebUsbDevice;
  readonly #interfaceNumber: number;
  /** The last transfer of each endpoint; they run one after another. */
  readonly #last = new Map<string, Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** Wraps an open device with a claimed interface. */
  constructor(device: WebUsbDevice, interfaceNumber: number) {
    this.device = device;
    this.#interfaceNumber = interfaceNumber;
  }

  /** The endpoints of the interface, from the device's descriptors. */
  get endpoints(): readonly USBEndpoint[] {
    const { configuration } = this.device;
    const found = configuration?.interfaces.find((each) =>
      each.interfaceNumber === this.#interfaceNumber
    );
    return found?.alternate.endpoints ?? [];
  }

  /**
   * Receives one transfer.
   *
   * @param endpointNumber Without the direction bit.
   * @param length The maximum number of bytes, in whole packets. The rest of a
   * longer packet is lost.
   * @param timeout The time in milliseconds after which it is cancelled.
   */
  async transferIn(
    endpointNumber: number,
    length: number,
    timeout = DEFAULT_TIMEOUT_MS,
  ): Promise<Uint8Array> {
    const { data } = await this.#inOrder(
      `in ${endpointNumber}`,
      () => this.device.transferIn(endpointNumber, length, timeout),
    );
    if (data === undefined) return new Uint8Array(0);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  /**
   * Sends one transfer.
   *
   * @param endpointNumber Without the direction bit.
   * @param timeout The time in milliseconds after which it is cancelled.
   * @returns The number of bytes that the device took.
   */
  async transferOut(
    endpointNumber: number,
    data: Uint8Array<ArrayBuffer>,
    timeout = DEFAULT_TIMEOUT_MS,
  ): Promise<number> {
    const { bytesWritten } = await this.#inOrder(
      `out ${endpointNumber}`,
      () => this.device.transferOut(endpointNumber, data, timeout),
    );
    return bytesWritten;
  }

  /** Sends bytes through an echo, and takes them back at the same time. */
  async roundTrip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const [input, output] = (["in", "out"] as const).map((direction) =>
      this.endpoints.find((each) => each.direction === direction)!
    );
    const back = new Uint8Array(bytes.byteLength);
    const take = async () => {
      for (let at = 0; at < back.byteLength;) {
        const left = Math.ceil((back.byteLength - at) / input.packetSize);
        const length = left * input.packetSize;
        const chunk = await this.transferIn(input.endpointNumber, length);
        back.set(chunk, at);
        at += chunk.byteLength;
      }
    };
    await Promise.all([this.transferOut(output.endpointNumber, bytes), take()]);
    return back;
  }

  /**
   * Releases the interface and closes the device when pending transfers have ended:
   * they cannot be cancelled. A second call returns the same promise.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Closes the device; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#last.values());
    try {
      await this.device.releaseInterface(this.#interfaceNumber);
    } finally {
      await this.device.close();
    }
  }

  #inOrder<T>(endpoint: string, run: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new Deno.errors.BadResource(
        "Cannot transfer: the device is closed",
      );
    }
    const result = (this.#last.get(endpoint) ?? Promise.resolve()).then(run);
    this.#last.set(endpoint, result.catch(() => {}));
    return result;
  }
}

/**
 * Waits until the host has found and configured a device, opens it and claims
 * an interface.
 *
 * @throws {Deno.errors.TimedOut} With a list of the devices found.
 */
export async function openWebUsb(options: WebUsbOptions): Promise<WebUsbHost> {
  const { interface: interfaceNumber = 0 } = options;
  // Its "connect" event is not used: that comes from udev, which the VM lacks.
  const info = await waitForDevice(options, options);
  const devices = await usb.getDevices() as WebUsbDevice[];
  const device = devices.find(({ bus, address }) =>
    Number(bus) === info.busNumber && address === info.address
  );
  if (device === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot open USB device at ${info.name}: it is gone`,
    );
  }
  await device.open();
  try {
    await device.claimInterface(interfaceNumber);
  } catch (error) {
    await device.close();
    throw error;
  }
  return new WebUsbHost(device, interfaceNumber);
}
