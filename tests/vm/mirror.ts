/**
 * Finds Debian's archive.
 *
 * @module
 */

import { VmError } from "./errors.ts";
import { run, runText } from "./process.ts";
import type { Job } from "./progress.ts";

/** The Debian mirror that this machine's apt uses. */
export async function findMirror({ progress, signal }: Job): Promise<string> {
  const targets = () =>
    runText("apt-get", [
      "indextargets",
      "--format",
      "$(ORIGIN)|$(LABEL)|$(SITE)",
      "Created-By: Packages",
    ]);
  let mirror = parseMirror(await targets());
  if (mirror === undefined && Deno.uid() === 0) {
    // Without package lists, apt does not know who its sources are.
    progress.step("updating the package lists");
    await run("apt-get", ["-qq", "update"], {
      action: "update the package lists",
      signal,
    });
    mirror = parseMirror(await targets());
  }
  if (mirror !== undefined) return mirror;
  throw new VmError(
    'Cannot find a Debian mirror among the sources of apt: run "sudo apt-get update", or name one with --mirror URL',
  );
}

/** Takes the first Debian archive out of lines of "ORIGIN|LABEL|SITE". */
export function parseMirror(targets: string): string | undefined {
  for (const line of targets.split("\n")) {
    const [origin, label, site] = line.split("|");
    if (origin === "Debian" && label === "Debian") return site;
  }
  return undefined;
}
