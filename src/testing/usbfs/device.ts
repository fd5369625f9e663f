/**
 * The host's side of USB over usbfs: an open device.
 *
 * Transfers never block the event loop, so the device may be a gadget of the same
 * process.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import {
  Errno,
  errorOf,
  isSystemError,
  systemError,
} from "../../../ffi/errno.ts";
import { close, exists, ioctl, open, readFile } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { allocate, copyIn, free } from "../../../ffi/native_memory.ts";
import {
  decodeDriverName,
  encodeDisconnectClaim,
  encodeGetDriver,
  encodeUints,
  USBDEVFS_ALLOW_SUSPEND,
  USBDEVFS_CLAIMINTERFACE,
  USBDEVFS_CLEAR_HALT,
  USBDEVFS_DISCONNECT_CLAIM,
  USBDEVFS_FORBID_SUSPEND,
  USBDEVFS_GETDRIVER,
  USBDEVFS_RELEASEINTERFACE,
  USBDEVFS_RESET,
  USBDEVFS_SETCONFIGURATION,
  USBDEVFS_SETINTERFACE,
} from "./abi.ts";
import {
  type DeviceMatch,
  type UsbDeviceInfo,
  waitForDevice,
  type WaitOptions,
} from "./find.ts";
import { hex, UsbfsEndpoints } from "./endpoints.ts";
import { UrbQueue } from "./urbs.ts";
import { pause } from "./sysfs.ts";

/** An open USB device. */
export class UsbfsDevice extends UsbfsEndpoints implements AsyncDisposable {
  /** What sysfs reported when it was found: bus, address, speed, paths. */
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
   * If a gadget is stopped and another one with the same IDs is started, the old
   * device can still be listed for a moment. Wait until the new gadget is enabled,
   * or give each a different serial number.
   *
   * @throws {Deno.errors.TimedOut} With a list of the devices found.
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
        // It disappeared in between, and may come back; or the file does not exist
        // yet, since another part of the kernel creates it.
        const early = isSystemError(error, "ENOENT", "ENODEV");
        if (!early || performance.now() > end) throw error;
        await pause(10);
      }
    }
  }

  /** Opens a known device. */
  static open(info: UsbDeviceInfo): UsbfsDevice {
    const fd = open(info.path, O_RDWR | O_NONBLOCK, {
      action: "open USB device",
      hint: libc().geteuid() === 0
        ? undefined
        : "the host side of a test needs root",
    });
    return new UsbfsDevice(info, fd);
  }

  /** The device descriptor and all configurations, as read by the host. */
  descriptors(): Uint8Array<ArrayBuffer> {
    // Not from usbfs, which takes the device's lock.
    return readFile(`${this.info.sysfsPath}/descriptors`, {
      action: "read descriptors",
    });
  }

  /** The interfaces that are claimed. */
  get claimed(): ReadonlySet<number> {
    return this.#claimed;
  }

  /** Claims an interface, and disconnects its kernel driver if it has one. */
  claimInterface(interfaceNumber: number): Promise<void> {
    return this.urbs.exclusive(() => this.#claim(interfaceNumber));
  }

  /** Releases an interface; its transfers end with ESHUTDOWN. */
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

  /** Clears the halt of an endpoint. */
  clearHalt(endpoint: number): Promise<void> {
    return this.#control(
      `clear the halt of ${hex(endpoint)}`,
      USBDEVFS_CLEAR_HALT,
      encodeUints(endpoint),
    );
  }

  /**
   * Resets the port. Transfers end with ESHUTDOWN. Claimed interfaces are claimed
   * again afterwards.
   */
  reset(): Promise<void> {
    return this.urbs.exclusive(async () => {
      // Otherwise the kernel would take the interfaces from this file, and offer
      // them to its drivers after the reset.
      const claimed = [...this.#claimed];
      for (const each of claimed) this.#release(each);
      await this.#ioctl("reset the device", USBDEVFS_RESET, null);
      for (const each of claimed) await this.#claim(each);
    });
  }

  /** Whether the device may be suspended while it is open. */
  allowSuspend(allow: boolean): Promise<void> {
    return this.urbs.exclusive(() =>
      this.#ioctl(
        allow ? "allow the device to suspend" : "wake the device",
        allow ? USBDEVFS_ALLOW_SUSPEND : USBDEVFS_FORBID_SUSPEND,
        null,
      )
    );
  }

  /**
   * Discards all transfers, releases the interfaces and closes the file. A
   * second call returns the same promise.
   *
   * The kernel selects setting 0 again for interfaces with another setting.
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
      const taken = await ioctlOnThread(
        this.#fd,
        USBDEVFS_DISCONNECT_CLAIM,
        encodeDisconnectClaim(interfaceNumber, "usbfs"),
      );
      if (!taken) {
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
    if (await ioctlOnThread(this.#fd, request, argument)) return;
    // The errno is on the thread that made the call, and unreadable here.
    const gone = !exists(this.path);
    throw errorOf(
      gone ? Errno.ENODEV : Errno.EPROTO,
      `Cannot ${action}: ${
        gone
          ? "the device is gone"
          : "the device stalls the request or does not answer, or the kernel refuses it; its log (dmesg) says more"
      }: ${this.path}`,
      { syscall: "ioctl", path: this.path },
    );
  }
}

/** Makes an ioctl that may wait for the device; returns whether it succeeded. */
async function ioctlOnThread(
  fd: number,
  request: number,
  argument: Uint8Array<ArrayBuffer> | null,
): Promise<boolean> {
  // The thread can outlive the isolate.
  const memory = argument === null ? 0n : allocate(argument.byteLength);
  if (argument !== null) copyIn(memory, argument);
  const result = await libc().ioctl_blocking(fd, BigInt(request), memory);
  if (argument !== null) free(memory);
  return result >= 0;
}
