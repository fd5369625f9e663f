/**
 * Finds out whether the guest's processor can be the machine's own. That
 * `/dev/kvm` exists proves little: in a virtual machine it may be there and
 * fail, so a kernel is booted once and the outcome is remembered.
 *
 * @module
 */

import { withLock, writeAtomically } from "../cache.ts";
import type { Job } from "../progress.ts";
import type { Accelerator } from "./qemu.ts";

/** What a person can ask for. */
export const ACCELERATORS = ["auto", "kvm", "tcg"] as const;

/**
 * Chooses an accelerator.
 *
 * @param subject what the answer depends on besides the machine: kernel, QEMU
 * @param boots boots a guest with KVM and returns whether it did
 */
export async function chooseAccelerator(
  subject: readonly string[],
  cache: string,
  job: Job,
  boots: () => Promise<boolean>,
): Promise<Accelerator> {
  if (!await canOpenKvm()) return "tcg";
  const key = [...await machineIdentity(), ...subject].join(" ");
  const file = `${cache}/kvm.json`;
  const known = (await readAnswers(file))[key];
  if (known !== undefined) return known ? "kvm" : "tcg";
  job.progress.step("trying KVM");
  return await withLock(cache, "kvm", () => {}, async () => {
    const answers = await readAnswers(file);
    if (answers[key] === undefined) {
      answers[key] = await boots();
      await writeAtomically(file, JSON.stringify(answers, null, 2));
    }
    return answers[key] ? "kvm" : "tcg";
  }, job.signal);
}

async function canOpenKvm(): Promise<boolean> {
  try {
    using _file = await Deno.open("/dev/kvm", { read: true, write: true });
    return true;
  } catch {
    return false;
  }
}

/** Changes with the machine, and when it starts anew. */
async function machineIdentity(): Promise<string[]> {
  const boot = await Deno.readTextFile("/proc/sys/kernel/random/boot_id").catch(
    () => "",
  );
  return [boot.trim(), Deno.hostname()];
}

async function readAnswers(file: string): Promise<Record<string, boolean>> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch {
    return {};
  }
}
