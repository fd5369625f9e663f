/**
 * The SCSI units of a USB disk, as Linux has found them.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, list, readTextFile } from "../../../ffi/file.ts";
import {
  type DeviceMatch,
  listUsbDevices,
  matches,
} from "../../../src/testing/usbfs/find.ts";
import { until } from "../waiting/until.ts";

/** A logical unit that a driver of Linux has taken: sd or sr. */
export interface ScsiUnit {
  readonly lun: number;
  /** Its folder in sysfs. */
  readonly path: string;
  /** The peripheral device type: 0 for a disk, 5 for a CD drive. */
  readonly type: number;
  /** The name of its block device, such as `sda` or `sr0`. */
  readonly name: string;
  /** The node of its block device. */
  readonly node: string;
}

/** Lists the units of a device that have a block device, in the order of their LUNs. */
async function scsiUnits(match: DeviceMatch): Promise<ScsiUnit[]> {
  const devices = (await listUsbDevices(match)).filter((device) =>
    matches(device, match)
  );
  const entries = (folder: string, pattern: RegExp) =>
    list(folder).map(({ name }) => name).filter((name) => pattern.test(name))
      .map((name) => `${folder}/${name}`);
  try {
    return devices.flatMap(({ sysfsPath }) => entries(sysfsPath, /:\d+\.\d+$/))
      .flatMap((path) => entries(path, /^host\d+$/))
      .flatMap((path) => entries(path, /^target/))
      .flatMap((path) => entries(path, /^\d+:\d+:\d+:\d+$/))
      .filter((path) => exists(`${path}/block`))
      .flatMap((path) =>
        list(`${path}/block`).map(({ name }) => ({
          lun: Number(path.slice(path.lastIndexOf(":") + 1)),
          path,
          type: Number(readTextFile(`${path}/type`)),
          name,
          node: `/dev/${name}`,
        }))
      )
      .filter(({ node }) => exists(node))
      .sort((a, b) => a.lun - b.lun);
  } catch (error) {
    // The device is just disappearing.
    if (isSystemError(error, "ENOENT", "ENODEV")) return [];
    throw error;
  }
}

/**
 * Whether a unit's block device can be opened: for a moment after its node is made,
 * it cannot. Another process opens it, as the gadget in this one has to answer.
 */
async function isLive({ node }: ScsiUnit): Promise<boolean> {
  const { stderr } = await new Deno.Command("sh", {
    args: ["-c", `: <${node}`],
  }).output();
  const ENXIO = "No such device or address";
  return !new TextDecoder().decode(stderr).includes(ENXIO);
}

/** Waits until Linux has so many units of a device, and opens their nodes. */
export async function waitForUnits(
  match: DeviceMatch,
  count: number,
): Promise<ScsiUnit[]> {
  const end = performance.now() + 60_000;
  for (;;) {
    const units = await scsiUnits(match);
    if (units.length === count) {
      const live = await Promise.all(units.map(isLive));
      if (live.every((it) => it)) return units;
    }
    if (performance.now() > end) {
      throw new Error(
        `Timed out waiting for ${count} units: Linux has ${
          units.map(({ lun, name }) => `${lun}: ${name}`).join(", ") || "none"
        }`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until the block device of a unit has so many bytes. */
export function waitForSize({ name }: ScsiUnit, bytes: number): Promise<void> {
  const size = () => Number(readTextFile(`/sys/block/${name}/size`)) * 512;
  return until(() => size() === bytes, `${name} has ${bytes} bytes`, 60_000);
}
