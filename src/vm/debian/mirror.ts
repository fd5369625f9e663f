/**
 * Finds Debian's archive: the caller's, or the one that this machine's apt uses.
 *
 * @module
 */

import { UsageError, VmError } from "../errors.ts";
import { run, runText } from "../process.ts";
import type { Job } from "../progress.ts";

/** The variable that names an archive, where no option does. */
export const MIRROR_VARIABLE = "USB_GADGET_VM_MIRROR";

/** What to do where there is no archive. */
const WAYS_OUT =
  `name one with --mirror URL or the variable ${MIRROR_VARIABLE}, or use a kernel of your own with --vmlinuz FILE --modules-dir DIR`;

/**
 * The archive that the caller names, by the option or else by the variable.
 * Without a slash at its end.
 */
export function givenMirror(
  option?: string,
  variable = Deno.env.get(MIRROR_VARIABLE),
): string | undefined {
  const mirror = option ?? (variable || undefined);
  // It becomes a word in a line of sources.list.
  if (mirror === undefined || /^[a-z+]+:\/[^\s[\]]+$/.test(mirror)) {
    return mirror?.replace(/\/+$/, "");
  }
  throw new UsageError(
    `Cannot use "${mirror}" as a Debian archive: expected an address such as "https://HOST/debian"`,
  );
}

/** The caller's archive, or else the one of this machine's apt. */
export async function findMirror(job: Job, option?: string): Promise<string> {
  const given = givenMirror(option);
  if (given !== undefined) return given;
  let targets = await readTargets();
  if (targets === "" && Deno.uid() === 0) {
    job.progress.step("updating the package lists");
    await run("apt-get", ["-qq", "update"], {
      action: "update the package lists",
      signal: job.signal,
    });
    targets = await readTargets();
  }
  return mirrorAmong(targets);
}

/**
 * What apt says of its sources, in lines of "ORIGIN|LABEL|ADDRESS". Those whose
 * package lists it has not fetched are left out.
 *
 * @param env for tests: `APT_CONFIG`, the file of another configuration
 */
export function readTargets(env?: Record<string, string>): Promise<string> {
  return runText("apt-get", [
    "indextargets",
    "--format",
    "$(ORIGIN)|$(LABEL)|$(REPO_URI)",
    "Created-By: Packages",
  ], { env });
}

/**
 * The first Debian archive in those lines.
 *
 * @throws {VmError} if there is none
 */
export function mirrorAmong(targets: string): string {
  for (const line of targets.split("\n")) {
    const [origin, label, address] = line.split("|");
    if (origin !== "Debian" || label !== "Debian") continue;
    // An installation medium has the kernel of one suite, if it is there at all.
    if (!address.startsWith("cdrom:")) return address.replace(/\/+$/, "");
  }
  throw new VmError(
    targets === ""
      ? `Cannot find a Debian archive, because apt has no package lists: run "sudo apt-get update", ${WAYS_OUT}`
      : `Cannot find a Debian archive among the sources of apt: ${WAYS_OUT}`,
  );
}
