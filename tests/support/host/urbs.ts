/**
 * What a host does with a device, counted.
 *
 * @module
 */
import { readTextFile } from "../../../ffi/file.ts";
import {
  type DeviceMatch,
  waitForDevice,
} from "../../../src/testing/usbfs/find.ts";
import { until } from "../waiting/until.ts";

/** Waits until the host has begun so many transfers with a device, from now on. */
export async function waitForUrbs(
  match: DeviceMatch,
  count: number,
): Promise<void> {
  const { sysfsPath } = await waitForDevice(match);
  const begun = () => Number(readTextFile(`${sysfsPath}/urbnum`));
  const end = begun() + count;
  await until(() => begun() >= end, `the host has begun ${count} transfers`);
}
