/**
 * Fetches kernels from Debian's archive.
 *
 * @module
 */

import { PrivateApt } from "./apt.ts";
import type { Architecture } from "../architectures.ts";
import { VmError } from "../errors.ts";
import { findProgram } from "../process.ts";
import type { Job } from "../progress.ts";
import {
  chooseKernelPackages,
  kernelNotFound,
  type KernelPackages,
  parsePackages,
  suitesOf,
} from "./versions.ts";

/**
 * Downloads the newest kernel of a series and unpacks it.
 *
 * @param folder where to; the files lie below `root`
 * @param mirror the address of a Debian archive, else the machine's own
 */
export async function fetchKernel(
  kernel: string,
  architecture: Architecture,
  folder: string,
  job: Job,
  mirror?: string,
): Promise<KernelPackages & { root: string }> {
  const suites = suitesOf(kernel);
  if (await findProgram("apt-get") === undefined) {
    throw new VmError(
      "Cannot fetch a kernel without apt: use one of your own with --vmlinuz FILE --modules-dir DIR",
    );
  }
  for (const suite of suites) {
    const apt = new PrivateApt({
      folder: `${folder}/apt-${suite}`,
      architecture: architecture.debian,
      suite,
      mirror,
      job,
    });
    await apt.update();
    const chosen = chooseKernelPackages(
      kernel,
      architecture.debian,
      parsePackages(
        await apt.show(
          `^linux-(image|modules|base|binary).*-${
            kernel.replaceAll(".", "[.]")
          }[.]`,
        ),
      ),
    );
    if (chosen === undefined) continue;
    const root = `${folder}/root`;
    await apt.unpack(
      chosen.packages.map(({ name, version }) => `${name}=${version}`),
      root,
      `Linux ${chosen.release}`,
    );
    return { ...chosen, root };
  }
  throw kernelNotFound(kernel, suites);
}
