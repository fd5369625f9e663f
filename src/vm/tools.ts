/**
 * Finds the programs that a VM needs, and installs them where that is possible.
 *
 * @module
 */

import { type Architecture, isNative } from "./architectures.ts";
import { list, VmError } from "./errors.ts";
import { findProgram, run } from "./process.ts";
import type { Job } from "./progress.ts";

/** The programs, by what they are for. */
export interface Tools {
  qemu: string;
  /**
   * Linked statically, because it runs before there are any libraries. Absent
   * if the guest could not run it, see guest_root.ts.
   */
  busybox?: string;
}

/** A program, the Debian package that has it, and how to see that it will do. */
interface Need {
  program: string;
  package: string;
  accepts?: (file: string) => Promise<boolean>;
}

/** Finds what every run needs; as root on a Debian system, installs what is missing. */
export async function ensureTools(
  architecture: Architecture,
  job: Job,
): Promise<Tools> {
  const [qemu, , , busybox] = await ensurePrograms([
    { program: architecture.qemu, package: architecture.qemuPackage },
    { program: "modprobe", package: "kmod" },
    { program: "xz", package: "xz-utils" },
    ...(isNative(architecture)
      ? [{ program: "busybox", package: "busybox-static", accepts: isStatic }]
      : []),
  ], job);
  return { qemu, busybox };
}

async function ensurePrograms(
  needs: readonly Need[],
  job: Job,
): Promise<string[]> {
  const find = (need: Need) => findAccepted(need);
  let files = await Promise.all(needs.map(find));
  const missing = needs.filter((_, index) => files[index] === undefined);
  if (missing.length > 0) {
    await install(missing.map((need) => need.package), job);
    files = await Promise.all(needs.map(find));
  }
  return files.map((file, index) => {
    if (file !== undefined) return file;
    const { program, package: name } = needs[index];
    throw new VmError(
      `Cannot find program "${program}" although package "${name}" is installed; is its folder in PATH`,
    );
  });
}

async function findAccepted(need: Need): Promise<string | undefined> {
  const file = await findProgram(need.program);
  if (file === undefined) return undefined;
  return await (need.accepts?.(file) ?? true) ? file : undefined;
}

/** The message that asks for packages to be installed by hand. */
export function missingPackagesMessage(
  packages: readonly string[],
  reason: "not root" | "no apt",
): string {
  const what = `Cannot start a VM without ${list(packages)}`;
  return reason === "not root"
    ? `${what}: run "sudo apt-get install --no-install-recommends ${
      packages.join(" ")
    }"`
    : `${what}: install what this system calls these Debian packages, and use a kernel of your own with --vmlinuz FILE --modules-dir DIR`;
}

/** Installs Debian packages; says what to do where that is not possible. */
export async function install(
  packages: string[],
  { progress, signal }: Job,
): Promise<void> {
  const apt = await findProgram("apt-get");
  if (apt === undefined) {
    throw new VmError(missingPackagesMessage(packages, "no apt"));
  }
  if (Deno.uid() !== 0) {
    throw new VmError(missingPackagesMessage(packages, "not root"));
  }
  const options = {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    action: `install ${list(packages)}`,
    signal,
  };
  const command = [
    "-qq",
    "-y",
    "--no-install-recommends",
    "install",
    ...packages,
  ];
  progress.step(`installing ${packages.join(", ")}`, "long");
  try {
    await run(apt, command, options);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    // The lists are missing or so old that the mirror has moved on.
    progress.step("updating the package lists");
    await run(apt, ["-qq", "update"], {
      ...options,
      action: "update the package lists",
    });
    progress.step(`installing ${packages.join(", ")}`);
    await run(apt, command, options);
  }
  progress.done(`installed ${packages.join(", ")}`);
}

/** Whether a program asks for no dynamic loader, from its ELF program headers. */
export async function isStatic(file: string): Promise<boolean> {
  using handle = await Deno.open(file);
  const bytes = new Uint8Array(4096);
  const length = await handle.read(bytes) ?? 0;
  const view = new DataView(bytes.buffer, 0, length);
  const ELF64 = 2;
  const PT_INTERP = 3;
  if (length < 64 || view.getUint32(0) !== 0x7f454c46) return false;
  if (view.getUint8(4) !== ELF64) return false;
  const offset = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const header = offset + index * size;
    if (header + 4 > length) return false;
    if (view.getUint32(header, true) === PT_INTERP) return false;
  }
  return true;
}
