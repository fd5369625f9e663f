/**
 * Installs the programs that kernel tests run as the host of a device. The VM
 * sees this machine's files; one of another architecture has its own, see
 * tests/vm/guest_root.ts.
 *
 * @module
 */
import { type Architecture, isNative } from "../vm/architectures.ts";
import { findProgram } from "../vm/process.ts";
import type { Job } from "../vm/progress.ts";
import { install } from "../vm/tools.ts";

/** Installs lsusb where it is missing. */
export async function ensureHostPrograms(
  architecture: Architecture,
  job: Job,
): Promise<void> {
  if (!isNative(architecture)) return;
  if (await findProgram("lsusb") !== undefined) return;
  await install(["usbutils"], job);
}
