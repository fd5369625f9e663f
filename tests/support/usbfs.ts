/**
 * The host's side of USB over usbfs, for tests that need what WebUSB lacks:
 * raw control requests, discarded and short transfers, resets, descriptors.
 *
 * Transfers never block the event loop, so that the device may be a gadget of
 * the same process.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { O_NONBLOCK, O_RDONLY, O_RDWR } from "../../ffi/abi.ts";
import { Errno, isSystemError, systemError } from "../../ffi/errno.ts";
import { close, ioctl, open, read } from "../../ffi/file.ts";
import { testLibc } from "./libc.ts";
import {
  decodeDriverName,
  encodeDisconnectClaim,
  encodeGetDriver,
  encodeUints,
  USBDEVFS_CLAIMINTERFACE,
  USBDEVFS_CLEAR_HALT,
  USBDEVFS_DISCONNECT_CLAIM,
  USBDEVFS_GETDRIVER,
  USBDEVFS_RELEASEINTERFACE,
  USBDEVFS_RESET,
  USBDEVFS_SETCONFIGURATION,
  USBDEVFS_SETINTERFACE,
} from "./usbfs_abi.ts";
import {
  type DeviceMatch,
  type UsbDeviceInfo,
  waitForDevice,
  type WaitOptions,
} from "./usbfs_find.ts";
import { hex, UsbfsEndpoints } from "./usbfs_endpoints.ts";
import { UrbQueue } from "./usbfs_urbs.ts";

/** A USB device, open for a test. */
export class UsbfsDevice extends UsbfsEndpoints implements AsyncDisposable {
  /** What sysfs told about it when it was found: bus, address, speed, paths. */
  readonly info: UsbDeviceInfo;
  readonly #fd: number;
  readonly #claimed = new Set<number>();
  #closed: Promise<void> | undefined;

  private constructor(info: UsbDeviceInfo, fd: number) {
    super(new UrbQueue(fd), info.path);
    this.info = info;
    this.#fd = fd;
  }

  /**
   * Waits until the host has found and configured a device, and opens it.
   *
   * After one gadget was stopped and the next one with the same IDs started,
   * the old one can still be listed for a moment: wait until the new one is
   * enabled before, or give each a serial number of its own.
   *
   * @throws {Deno.errors.TimedOut} With a list of what is there instead.
   */
  static async find(
    options: DeviceMatch & WaitOptions,
  ): Promise<UsbfsDevice> {
    const { timeout = 60_000, signal } = options;
    const end = performance.now() + timeout;
    for (;;) {
      const left = end - performance.now();
      const info = await waitForDevice(options, { timeout: left, signal });
      try {
        return UsbfsDevice.open(info);
      } catch (error) {
        // It has left between the two, and may come back; or the file is not
        // there yet, since another part of the kernel makes it.
        const early = isSystemError(error, "ENOENT", "ENODEV");
        if (!early || performance.now() > end) throw error;
        await delay(10);
      }
    }
  }

  /** Opens a device that is known. */
  static open(info: UsbDeviceInfo): UsbfsDevice {
    const fd = open(info.path, O_RDWR | O_NONBLOCK, {
      action: "open USB device",
    });
    return new UsbfsDevice(info, fd);
  }

  /** The device descriptor and all configurations, as the host has read them. */
  descriptors(): Uint8Array<ArrayBuffer> {
    // A file of its own: the position of the device's one would be shared.
    const fd = open(this.path, O_RDONLY, { action: "open USB device" });
    try {
      const call = { action: "read descriptors", path: this.path };
      const parts: number[] = [];
      const part = new Uint8Array(4096);
      for (let count; (count = read(fd, part, call)) > 0;) {
        parts.push(...part.subarray(0, count));
      }
      return new Uint8Array(parts);
    } finally {
      close(fd);
    }
  }

  /** Takes an interface, from a kernel driver if one has it. */
  claimInterface(interfaceNumber: number): Promise<void> {
    return this.urbs.exclusive(() => this.#claim(interfaceNumber));
  }

  /** Gives an interface back; its transfers end with ESHUTDOWN. */
  releaseInterface(interfaceNumber: number): Promise<void> {
    return this.urbs.exclusive(() => this.#release(interfaceNumber));
  }

  /** Selects a configuration. Interfaces must be released before. */
  setConfiguration(configurationValue: number): Promise<void> {
    return this.#control(
      `select configuration ${configurationValue}`,
      USBDEVFS_SETCONFIGURATION,
      encodeUints(configurationValue),
    );
  }

  /** Selects an alternate setting; transfers of the interface end with ENOENT. */
  setInterface(
    interfaceNumber: number,
    alternateSetting: number,
  ): Promise<void> {
    return this.#control(
      `select setting ${alternateSetting} of interface ${interfaceNumber}`,
      USBDEVFS_SETINTERFACE,
      encodeUints(interfaceNumber, alternateSetting),
    );
  }

  /** Ends the halt of an endpoint. */
  clearHalt(endpoint: number): Promise<void> {
    return this.#control(
      `clear the halt of ${hex(endpoint)}`,
      USBDEVFS_CLEAR_HALT,
      encodeUints(endpoint),
    );
  }

  /**
   * Resets the port. Transfers end with ESHUTDOWN. What was claimed is claimed
   * again afterwards.
   */
  reset(): Promise<void> {
    return this.urbs.exclusive(async () => {
      // Otherwise the kernel would take the interfaces away from this file,
      // and offer them to its own drivers after the reset.
      const claimed = [...this.#claimed];
      for (const each of claimed) this.#release(each);
      await this.#ioctl("reset the device", USBDEVFS_RESET, null);
      for (const each of claimed) await this.#claim(each);
    });
  }

  /**
   * Discards all transfers, releases the interfaces and closes the file. A
   * second call returns the same promise.
   *
   * An interface that has another setting than 0 is put back by the kernel.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Closes the device; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.urbs.close();
    // Releases the interfaces too.
    close(this.#fd);
  }

  async #claim(interfaceNumber: number): Promise<void> {
    const action = `claim interface ${interfaceNumber}`;
    try {
      ioctl(
        this.#fd,
        USBDEVFS_CLAIMINTERFACE,
        encodeUints(interfaceNumber),
        { action, path: this.path },
      );
    } catch (error) {
      if (!isSystemError(error, "EBUSY")) throw error;
      const driver = this.#driver(interfaceNumber);
      // A driver that leaves may want to say goodbye to its device.
      const result = await testLibc.ioctl_blocking(
        this.#fd,
        BigInt(USBDEVFS_DISCONNECT_CLAIM),
        encodeDisconnectClaim(interfaceNumber, "usbfs"),
      );
      if (result < 0) {
        throw systemError(Errno.EBUSY, {
          action,
          syscall: "ioctl",
          path: this.path,
          hint: `driver "${driver}" has it`,
        });
      }
    }
    this.#claimed.add(interfaceNumber);
  }

  #release(interfaceNumber: number): void {
    this.#claimed.delete(interfaceNumber);
    ioctl(
      this.#fd,
      USBDEVFS_RELEASEINTERFACE,
      encodeUints(interfaceNumber),
      { action: `release interface ${interfaceNumber}`, path: this.path },
    );
  }

  #driver(interfaceNumber: number): string {
    const name = encodeGetDriver(interfaceNumber);
    ioctl(this.#fd, USBDEVFS_GETDRIVER, name, {
      action: "look up driver",
      path: this.path,
    });
    return decodeDriverName(name);
  }

  #control(
    action: string,
    request: number,
    argument: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    return this.urbs.exclusive(() => this.#ioctl(action, request, argument));
  }

  async #ioctl(
    action: string,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
  ): Promise<void> {
    const result = await testLibc.ioctl_blocking(
      this.#fd,
      BigInt(request),
      argument,
    );
    if (result < 0) {
      // Its errno stays on the thread that made the call.
      throw new Error(`Cannot ${action}: the kernel refused it: ${this.path}`);
    }
  }
}
