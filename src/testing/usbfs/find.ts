/**
 * The USB devices of this host, from sysfs.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { list, readTextFile } from "../../../ffi/file.ts";
import { pause, readAttribute, unlessGone } from "./sysfs.ts";

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
  /** bConfigurationValue of the selected configuration, 0 for none. */
  readonly configuration: number;
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

/**
 * Lists the devices of all buses, root hubs included.
 *
 * @param ids Lists only devices with these.
 */
export async function listUsbDevices(
  ids?: Ids,
): Promise<UsbDeviceInfo[]> {
  const names = unlessGone(() => list(SYSFS_DEVICES)) ?? [];
  const devices = await Promise.all(
    // "1-1:1.0" is an interface.
    names.filter(({ name }) => !name.includes(":"))
      .map(({ name }) => readDevice(name, ids)),
  );
  return devices.filter((each) => each !== undefined);
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
  throw timedOut(
    `Cannot find USB device ${describeDevice(match)}: there is ${
      seen.map(describeDevice).join(", ") || "none at all"
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
  throw timedOut(
    `Timed out waiting for USB device ${describeDevice(match)} to disappear`,
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
    await pause(POLL_MS);
  }
}

/** Whether a device is the one that is looked for. */
export function matches(device: UsbDeviceInfo, match: DeviceMatch): boolean {
  return hasIds(device, match) &&
    (match.serialNumber === undefined ||
      device.serialNumber === match.serialNumber);
}

type Ids = Pick<DeviceMatch, "vendorId" | "productId">;

function hasIds(device: Ids, { vendorId, productId }: Ids): boolean {
  return device.vendorId === vendorId && device.productId === productId;
}

/** Its IDs, its serial number and its place. */
export function describeDevice(
  device: DeviceMatch & Partial<UsbDeviceInfo>,
): string {
  const ids = [device.vendorId, device.productId]
    .map((id) => id.toString(16).padStart(4, "0")).join(":");
  const words = [ids];
  if (device.serialNumber !== undefined) words.push(`"${device.serialNumber}"`);
  if (device.name !== undefined) words.push(`at ${device.name}`);
  if (device.configured === false) words.push("(not configured)");
  return words.join(" ");
}

async function readDevice(
  name: string,
  ids: Ids | undefined,
): Promise<UsbDeviceInfo | undefined> {
  const sysfsPath = `${SYSFS_DEVICES}/${name}`;
  const read = (file: string) => readTextFile(`${sysfsPath}/${file}`);
  const known = unlessGone(() => ({
    busNumber: Number(read("busnum")),
    address: Number(read("devnum")),
    vendorId: parseInt(read("idVendor"), 16),
    productId: parseInt(read("idProduct"), 16),
    speed: read("speed"),
  }));
  if (known === undefined) return undefined;
  if (ids !== undefined && !hasIds(known, ids)) return undefined;
  // These two wait for the device's lock.
  const configuration = await readAttribute(`${sysfsPath}/bConfigurationValue`);
  if (configuration === undefined) return undefined;
  const serialNumber = await readAttribute(`${sysfsPath}/serial`);
  const place = [known.busNumber, known.address]
    .map((number) => `${number}`.padStart(3, "0")).join("/");
  return {
    ...known,
    name,
    sysfsPath,
    path: `/dev/bus/usb/${place}`,
    serialNumber,
    configuration: Number(configuration),
    configured: Number(configuration) > 0,
  };
}

/** The error of a wait that took too long. */
export function timedOut(message: string): Error {
  return errorOf(Errno.ETIMEDOUT, message, { syscall: "read" });
}
