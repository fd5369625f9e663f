/**
 * Builds the kernel that is a program, User Mode Linux, from the source of
 * Debian's kernel, and keeps it in the cache of the VMs.
 *
 * @module
 */
import { cachedFolder, openCache, removeFolder } from "../../src/vm/cache.ts";
import { PrivateApt } from "../../src/vm/debian/apt.ts";
import { findMirror, MIRROR_VARIABLE } from "../../src/vm/debian/mirror.ts";
import { suitesOf } from "../../src/vm/debian/versions.ts";
import { list, UsageError, VmError } from "../../src/vm/errors.ts";
import { findProgram, run } from "../../src/vm/process.ts";
import type { Job } from "../../src/vm/progress.ts";
import { install } from "../../src/vm/tools.ts";
import { kernelConfig, unmetOptions } from "./kernel_config.ts";
import { EDITS } from "./source_edits.ts";

/** The series of Debian's kernel. */
const SERIES = "7.3";

/** What the build needs, and the Debian packages that have it. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  gcc: ["gcc", "libc6-dev"],
  make: ["make"],
  flex: ["flex"],
  bison: ["bison"],
  bc: ["bc"],
  xz: ["xz-utils"],
};

/** A kernel that was built. */
export interface UmlKernel {
  /** The program. */
  readonly program: string;
  /** The release, as `uname -r` prints it. */
  readonly release: string;
}

/**
 * Returns the kernel: from the cache, built at its first use.
 *
 * @param mirror the address of a Debian archive, else this machine's own
 * @throws {VmError} if it cannot be built here; the message says what is missing
 */
export async function umlKernel(
  job: Job,
  mirror?: string,
): Promise<UmlKernel> {
  checkMachine(Deno.build);
  const cache = await openCache();
  const name = `uml-${SERIES}-${await recipe()}`;
  const folder = await cachedFolder(cache, name, job, async (work) => {
    await ensureBuildTools(job);
    const start = performance.now();
    await build(work, job, mirror);
    const seconds = Math.round((performance.now() - start) / 1000);
    job.progress.done(`built User Mode Linux in ${seconds} s`);
  });
  const release = await Deno.readTextFile(`${folder}/release`);
  return { program: `${folder}/linux`, release: release.trim() };
}

/**
 * Refuses a machine that User Mode Linux does not run on.
 *
 * @throws {UsageError} for any but x86_64 with Linux
 */
export function checkMachine(
  { os, arch }: Pick<typeof Deno.build, "os" | "arch">,
): void {
  if (os === "linux" && arch === "x86_64") return;
  throw new UsageError(
    `Cannot use bed "uml" on ${os} with architecture "${arch}": User Mode Linux needs linux with "x86_64"; use --bed qemu`,
  );
}

/** Identifies the recipe, so that another one builds another kernel. */
async function recipe(): Promise<string> {
  const edits = await Deno.readTextFile(
    new URL("source_edits.ts", import.meta.url),
  );
  const bytes = new TextEncoder().encode(kernelConfig() + edits);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 12);
}

/** The message that asks for what the build needs. */
export function missingToolsMessage(
  programs: readonly string[],
  reason: "not root" | "no apt",
): string {
  const what = "Cannot build User Mode Linux without";
  if (reason === "no apt") {
    return `${what} ${
      list([...programs, "apt-get"])
    }, which fetches the kernel's source: use a Debian or Ubuntu system, or --bed qemu`;
  }
  const packages = programs.flatMap((program) => NEEDS[program]);
  return `${what} ${
    list(programs)
  }: run "sudo apt-get install --no-install-recommends ${packages.join(" ")}"`;
}

/** Installs missing programs where that is possible. */
async function ensureBuildTools(job: Job): Promise<void> {
  const missing: string[] = [];
  for (const program of Object.keys(NEEDS)) {
    if (await findProgram(program) === undefined) missing.push(program);
  }
  if (await findProgram("apt-get") === undefined) {
    throw new VmError(missingToolsMessage(missing, "no apt"));
  }
  if (missing.length === 0) return;
  if (Deno.uid() !== 0) {
    throw new VmError(missingToolsMessage(missing, "not root"));
  }
  await install(missing.flatMap((program) => NEEDS[program]), job);
}

async function build(work: string, job: Job, mirror?: string): Promise<void> {
  const source = await fetchSource(work, job, mirror);
  for (const { file, apply } of EDITS) {
    const path = `${source}/${file}`;
    await Deno.writeTextFile(path, apply(await Deno.readTextFile(path)));
  }
  const output = `${work}/build`;
  await Deno.mkdir(output);
  const make = (...args: string[]) =>
    run("make", ["-s", "-C", source, "ARCH=um", `O=${output}`, ...args], {
      action: "build User Mode Linux",
      signal: job.signal,
    });
  job.progress.step("configuring User Mode Linux");
  const wanted = `${work}/wanted.config`;
  await Deno.writeTextFile(wanted, kernelConfig());
  await make(`KCONFIG_ALLCONFIG=${wanted}`, "allnoconfig");
  const unmet = unmetOptions(
    kernelConfig(),
    await Deno.readTextFile(`${output}/.config`),
  );
  if (unmet.length > 0) {
    throw new VmError(
      `Cannot configure User Mode Linux: the kernel does not accept ${
        list(unmet)
      }; this kernel needs another recipe`,
    );
  }
  job.progress.step("building User Mode Linux, some minutes", "long");
  await make(`-j${navigator.hardwareConcurrency}`, "linux");
  await run("strip", ["-g", `${output}/linux`, "-o", `${work}/linux`]);
  await Deno.rename(
    `${output}/include/config/kernel.release`,
    `${work}/release`,
  );
  await Promise.all([source, output].map(removeFolder));
}

/** Fetches the source of Debian's kernel and returns its folder. */
async function fetchSource(
  work: string,
  job: Job,
  mirror?: string,
): Promise<string> {
  const name = `linux-source-${SERIES}`;
  const archive = await findMirror(job, mirror).catch((cause) => {
    if (!(cause instanceof VmError) || cause instanceof UsageError) throw cause;
    throw new VmError(
      `Cannot build User Mode Linux without a Debian archive that has the kernel's source: name one with --mirror URL or the variable ${MIRROR_VARIABLE}`,
      { cause },
    );
  });
  for (const suite of suitesOf(SERIES)) {
    const apt = new PrivateApt({
      folder: `${work}/apt`,
      architecture: "amd64",
      suite,
      mirror: archive,
      job,
    });
    await apt.update();
    if (await apt.show(`^${name.replace(".", "[.]")}$`) === "") continue;
    await apt.unpack([name], work, `the source of Linux ${SERIES}`);
    job.progress.step(`unpacking the source of Linux ${SERIES}`);
    await run("tar", ["-xJf", `${work}/usr/src/${name}.tar.xz`, "-C", work], {
      signal: job.signal,
    });
    await Promise.all(
      ["usr", "apt"].map((rest) => removeFolder(`${work}/${rest}`)),
    );
    return `${work}/${name}`;
  }
  throw new VmError(
    `Cannot build User Mode Linux: the Debian archive has no package "${name}"; name another with --mirror`,
  );
}
