/**
 * The USB devices of this host, from sysfs.
 *
 * Reading some of these files waits for the device's lock, which the kernel's host
 * side holds while a class driver reads a new device's descriptors. If that device
 * is a gadget of this process, its event loop must run to answer. Therefore this
 * file uses Deno's asynchronous file API instead of ffi/.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

const SYSFS_DEVICES = "/sys/bus/usb/devices";
const POLL_MS = 10;

/** A USB device connected to this machine. */
export interface UsbDeviceInfo {
  /** Its name in sysfs, such as `"1-1"`. */
  readonly name: string;
  /** Its directory in sysfs. */
  readonly sysfsPath: string;
  /** Its file in usbfs, such as `/dev/bus/usb/001/002`. */
  readonly path: string;
  readonly busNumber: number;
  /** The address that the host assigned to it. */
  readonly address: number;
  readonly vendorId: number;
  readonly productId: number;
  /** Undefined if the device has none. */
  readonly serialNumber?: string;
  /** Mbit/s as in sysfs: `"12"`, `"480"`, `"5000"`. */
  readonly speed: string;
  /** Whether the host has set a configuration. */
  readonly configured: boolean;
}

/** Selects a device. */
export interface DeviceMatch {
  readonly vendorId: number;
  readonly productId: number;
  /** Any serial number matches if it is undefined. */
  readonly serialNumber?: string;
}

/** The limits of a wait. */
export interface WaitOptions {
  /**
   * Milliseconds. The default is long because programs start slowly on a busy
   * machine.
   * @default {180000}
   */
  readonly timeout?: number;
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Lists the devices of all buses, root hubs included. */
export async function listUsbDevices(): Promise<UsbDeviceInfo[]> {
  const devices: UsbDeviceInfo[] = [];
  for await (const { name } of Deno.readDir(SYSFS_DEVICES)) {
    // "1-1:1.0" is an interface.
    if (name.includes(":")) continue;
    const device = await readDevice(name);
    if (device !== undefined) devices.push(device);
  }
  return devices;
}

/**
 * Waits until the host has found and configured a device.
 *
 * @throws {Deno.errors.TimedOut} With a list of the devices found.
 */
export async function waitForDevice(
  match: DeviceMatch,
  options: WaitOptions = {},
): Promise<UsbDeviceInfo> {
  let seen: UsbDeviceInfo[] = [];
  const device = await poll(options, async () => {
    seen = await listUsbDevices();
    return seen.find((each) => each.configured && matches(each, match));
  });
  if (device !== undefined) return device;
  throw new Deno.errors.TimedOut(
    `Cannot find USB device ${describe(match)}: there is ${
      seen.map(describe).join(", ") || "none at all"
    }`,
  );
}

/**
 * Waits until the host has noticed that a device is gone, a moment after the gadget
 * was unbound from its UDC.
 */
export async function waitForNoDevice(
  match: DeviceMatch,
  options: WaitOptions = {},
): Promise<void> {
  const gone = await poll(options, async () => {
    const devices = await listUsbDevices();
    return devices.some((each) => matches(each, match)) ? undefined : true;
  });
  if (gone) return;
  throw new Deno.errors.TimedOut(
    `Timed out waiting for USB device ${describe(match)} to disappear`,
  );
}

async function poll<T>(
  { timeout = 180_000, signal }: WaitOptions,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = performance.now() + timeout;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined || performance.now() > end) return found;
    await delay(POLL_MS);
  }
}

function matches(device: UsbDeviceInfo, match: DeviceMatch): boolean {
  return device.vendorId === match.vendorId &&
    device.productId === match.productId &&
    (match.serialNumber === undefined ||
      device.serialNumber === match.serialNumber);
}

function describe(device: DeviceMatch & Partial<UsbDeviceInfo>): string {
  const ids = [device.vendorId, device.productId]
    .map((id) => id.toString(16).padStart(4, "0")).join(":");
  const words = [ids];
  if (device.serialNumber !== undefined) words.push(`"${device.serialNumber}"`);
  if (device.name !== undefined) words.push(`at ${device.name}`);
  if (device.configured === false) words.push("(not configured)");
  return words.join(" ");
}

async function readDevice(name: string): Promise<UsbDeviceInfo | undefined> {
  const sysfsPath = `${SYSFS_DEVICES}/${name}`;
  const read = async (file: string) =>
    (await Deno.readTextFile(`${sysfsPath}/${file}`)).trim();
  try {
    const [vendor, product, bus, address, speed, configuration] = await Promise
      .all([
        read("idVendor"),
        read("idProduct"),
        read("busnum"),
        read("devnum"),
        read("speed"),
        read("bConfigurationValue"),
      ]);
    return {
      name,
      sysfsPath,
      path: `/dev/bus/usb/${bus.padStart(3, "0")}/${address.padStart(3, "0")}`,
      busNumber: Number(bus),
      address: Number(address),
      vendorId: parseInt(vendor, 16),
      productId: parseInt(product, 16),
      serialNumber: await read("serial").catch(ifGone(undefined)),
      speed,
      configured: configuration !== "" && configuration !== "0",
    };
  } catch (error) {
    return ifGone(undefined)(error);
  }
}

/** A device can disappear while its files are read: ENOENT, and ENODEV from open files. */
function ifGone<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Error && /os error 19\b/.test(error.message)
    ) return value;
    throw error;
  };
}
