/**
 * Suspending a device from its host.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import type { Patience } from "./options.ts";
import { timedOut, type UsbDeviceInfo } from "./usbfs/find.ts";
import { pause, readAttribute, writeAttribute } from "./usbfs/sysfs.ts";

const POLL_MS = 5;

/** Throws if the host cannot suspend the device. */
export function assertSuspends({ speed }: UsbDeviceInfo, udc: string): void {
  if (!udc.startsWith("dummy_udc") || Number(speed) < 5000) return;
  throw errorOf(
    Errno.EOPNOTSUPP,
    'Cannot suspend the device: dummy_hcd has no suspend at super speed; start the gadget with `maxSpeed: "high-speed"`',
    { syscall: "write" },
  );
}

/** Lets the host suspend an idle device at once, or keeps it awake. */
export async function allowSleep(
  { sysfsPath }: UsbDeviceInfo,
  allow: boolean,
): Promise<void> {
  const power = `${sysfsPath}/power`;
  if (allow) await writeAttribute(`${power}/autosuspend_delay_ms`, "0");
  await writeAttribute(`${power}/control`, allow ? "auto" : "on");
}

/** Waits until the host has suspended or resumed the device, and functions know. */
export async function waitForSleep(
  { sysfsPath }: UsbDeviceInfo,
  functions: readonly FunctionFs[],
  asleep: boolean,
  { timeout, signal }: Patience,
): Promise<void> {
  const end = performance.now() + timeout;
  const wanted = asleep ? "suspended" : "active";
  for (;;) {
    signal?.throwIfAborted();
    const status = await readAttribute(`${sysfsPath}/power/runtime_status`);
    const late = functions.find((each) =>
      each.state === "enabled" && each.suspended !== asleep
    );
    if (status === wanted && late === undefined) return;
    if (performance.now() > end) {
      throw timedOut(
        `Timed out after ${timeout} ms waiting for the device to be ${wanted}: ${
          status === wanted
            ? `the host has done it, but function "${
              late!.name
            }" has not noticed`
            : `for the host it is "${status}"; a kernel driver of one of its interfaces may keep it so`
        }`,
      );
    }
    await pause(POLL_MS);
  }
}
