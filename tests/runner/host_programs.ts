/**
 * Sees to it that the programs are there that kernel tests run as the host of
 * a device. The VM sees this machine's files.
 *
 * @module
 */
import { findProgram } from "../vm/process.ts";
import type { Job } from "../vm/progress.ts";
import { install } from "../vm/tools.ts";

/** Installs lsusb where it is missing. */
export async function ensureHostPrograms(job: Job): Promise<void> {
  if (await findProgram("lsusb") !== undefined) return;
  await install(["usbutils"], job);
}
