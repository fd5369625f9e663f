/**
 * Fetches kernels from Debian's archive, with apt's own download and signature
 * checks, but in folders of our own: nothing is installed and the system's
 * package lists stay as they are.
 *
 * @module
 */

import type { Architecture } from "./architectures.ts";
import { VmError } from "./errors.ts";
import { findProgram, run, runText } from "./process.ts";
import type { Job } from "./progress.ts";
import { ensureKeyring } from "./tools.ts";
import {
  chooseKernelPackages,
  kernelNotFound,
  type KernelPackages,
  type PackageVersion,
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
      "Cannot fetch a kernel without apt: give one with --vmlinuz FILE --modules-dir DIR",
    );
  }
  const keyring = await ensureKeyring(job);
  const site = mirror ?? await findMirror(job);
  for (const suite of suites) {
    job.progress.step(`fetching the package list of ${suite}`);
    const apt = new PrivateApt(
      `${folder}/apt-${suite}`,
      architecture.debian,
      job,
    );
    await apt.update(
      `[target=Packages lang=none signed-by=${keyring}] ${site} ${suite} main`,
    );
    const chosen = chooseKernelPackages(
      kernel,
      architecture.debian,
      await apt.kernels(kernel),
    );
    if (chosen === undefined) continue;
    const root = `${folder}/root`;
    await apt.unpack(chosen, root);
    return { ...chosen, root };
  }
  throw kernelNotFound(kernel, suites);
}

/** apt with a configuration, lists and cache of its own. */
class PrivateApt {
  constructor(
    readonly folder: string,
    readonly architecture: string,
    readonly job: Job,
  ) {}

  /** Fetches the package list of one source, written as in sources.list. */
  async update(source: string): Promise<void> {
    const { folder } = this;
    await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
    await Deno.mkdir(`${folder}/cache/archives/partial`, { recursive: true });
    await Deno.writeTextFile(`${folder}/sources.list`, `deb ${source}\n`);
    await Deno.writeTextFile(`${folder}/status`, "");
    await Deno.writeTextFile(`${folder}/apt.conf`, this.#configuration());
    // Without --error-on, a list that could not be fetched is only a warning.
    const output = await this.#apt(
      "apt-get",
      ["update", "--error-on=any"],
      "fetch the package list",
    )
      .catch((error) => {
        throw explain(error);
      });
    void output;
  }

  /** All packages of a kernel series. */
  async kernels(kernel: string): Promise<PackageVersion[]> {
    const pattern = `^linux-(image|modules|base|binary).*-${
      kernel.replaceAll(".", "[.]")
    }[.]`;
    const found = await this.#apt("apt-cache", [
      "search",
      "--names-only",
      pattern,
    ]);
    const names = found.split("\n").filter((line) => line !== "")
      .map((line) => line.split(" ")[0]);
    if (names.length === 0) return [];
    return parsePackages(
      await this.#apt("apt-cache", ["show", "--no-all-versions", ...names]),
    );
  }

  /** Downloads packages and unpacks them below `root`. */
  async unpack(
    { release, packages }: KernelPackages,
    root: string,
  ): Promise<void> {
    const { progress, signal } = this.job;
    const total = packages.reduce((sum, { size }) => sum + size, 0);
    const folder = `${this.folder}/packages`;
    await Deno.mkdir(folder);
    progress.step(
      `fetching Linux ${release} (${megabytes(total)})`,
      "long",
    );
    const timer = setInterval(async () => {
      progress.detail(
        `${Math.floor(100 * await folderSize(folder) / total)} %`,
      );
    }, 500);
    try {
      const names = packages.map(({ name, version }) => `${name}=${version}`);
      await this.#apt(
        "apt-get",
        ["download", ...names],
        "fetch the kernel",
        folder,
      );
    } catch (error) {
      throw explain(error);
    } finally {
      clearInterval(timer);
    }
    progress.step("unpacking the kernel");
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".deb")) continue;
      await run("dpkg", ["-x", `${folder}/${name}`, root], { signal });
      await Deno.remove(`${folder}/${name}`);
    }
  }

  #apt(
    program: string,
    args: string[],
    action?: string,
    cwd?: string,
  ): Promise<string> {
    return runText(program, ["-q", "-c", `${this.folder}/apt.conf`, ...args], {
      action,
      cwd,
    });
  }

  #configuration(): string {
    const { folder } = this;
    return `
APT::Architecture "${this.architecture}";
// Our folders are not open to the user that apt would change to.
APT::Sandbox::User "";
Dir::Etc::SourceList "${folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "${folder}";
Dir::State::Lists "${folder}/lists";
Dir::State::Status "${folder}/status";
Dir::Cache "${folder}/cache";
Acquire::Languages "none";
Acquire::Retries "2";
// A frozen mirror serves lists whose time is over; signatures still count.
Acquire::Check-Valid-Until "false";
// What the system does after its own updates has nothing to do with ours.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
`;
  }
}

/** The Debian mirror that this machine's apt uses. */
async function findMirror({ progress, signal }: Job): Promise<string> {
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

/** Adds what to do to apt's own words. */
function explain(error: unknown): unknown {
  if (!(error instanceof VmError)) return error;
  const { message } = error;
  const advice =
    /NO_PUBKEY|not signed|signatures couldn't be verified/i.test(message)
      ? '; the archive keys may be too old: update package "debian-archive-keyring"'
      : /Could not resolve|Could not connect|Unable to connect|Failed to fetch|Temporary failure/i
          .test(message)
      ? "; the kernel is not in the cache: connect to the network, or give one with --vmlinuz FILE --modules-dir DIR"
      : "";
  return new VmError(firstLine(message) + advice, { cause: error });
}

function firstLine(message: string): string {
  return message.split("\n")[0].replace(/(?<=: )[EW]: /, "").replace(
    / {2,}/g,
    ": ",
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

async function folderSize(folder: string): Promise<number> {
  let size = 0;
  for await (const entry of Deno.readDir(folder)) {
    const info = await Deno.stat(`${folder}/${entry.name}`).catch(() =>
      undefined
    );
    if (info?.isFile) size += info.size;
  }
  return size;
}
