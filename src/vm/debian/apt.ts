/**
 * Fetches packages from Debian's archive, with apt's own download and signature
 * checks, but in folders of our own: nothing is installed and the system's
 * package lists stay as they are. The packages may be another architecture's.
 *
 * @module
 */

import { VmError } from "../errors.ts";
import { removeFolder } from "../cache.ts";
import { debianKeys, findKeyring } from "./keyring.ts";
import { findMirror } from "./mirror.ts";
import { run, runText } from "../process.ts";
import type { Job } from "../progress.ts";
import { baseSuite } from "./versions.ts";

/** What a {@linkcode PrivateApt} serves. */
export interface PrivateAptOptions {
  /** A folder of its own, which {@linkcode PrivateApt.update} makes. */
  folder: string;
  /** Debian's name of the architecture. */
  architecture: string;
  /** The suite, such as "trixie". */
  suite: string;
  /** Another one, with what packages of the first need. */
  besides?: string;
  /** The address of a Debian archive, else the machine's own. */
  mirror?: string;
  /** For Debian's keys themselves: what is fetched is not verified. */
  unverified?: boolean;
  /** For tests: below which folder this machine's keys lie. */
  machine?: string;
  job: Job;
}

/** apt with a configuration, lists and cache of its own. */
export class PrivateApt {
  readonly #options: PrivateAptOptions;

  constructor(options: PrivateAptOptions) {
    this.#options = options;
  }

  /** Fetches the suite's list of packages. Must come first. */
  async update(): Promise<void> {
    const { folder, suite, besides, unverified, machine, job } = this.#options;
    const mirror = await findMirror(job, this.#options.mirror);
    const trust = unverified
      ? "trusted=yes"
      : `signed-by=${
        await findKeyring(machine) ?? await this.#fetchKeyring(mirror)
      }`;
    job.progress.step(`fetching the package list of ${suite}`);
    await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
    await Deno.mkdir(`${folder}/cache/archives/partial`, { recursive: true });
    const suites = besides === undefined ? [suite] : [suite, besides];
    await Deno.writeTextFile(
      `${folder}/sources.list`,
      suites.map((each) =>
        `deb [target=Packages lang=none ${trust}] ${mirror} ${each} main\n`
      ).join(""),
    );
    await Deno.writeTextFile(`${folder}/status`, "");
    await Deno.writeTextFile(`${folder}/apt.conf`, this.#configuration());
    // Without --error-on, a list that could not be fetched is only a warning.
    await this.#fetch(
      ["update", "--error-on=any"],
      "fetch the package list",
    );
  }

  /** What apt-cache shows of the newest packages whose names match. */
  async show(pattern: string): Promise<string> {
    const found = await this.#run("apt-cache", [
      "search",
      "--names-only",
      pattern,
    ]);
    const names = found.split("\n").filter((line) => line !== "")
      .map((line) => line.split(" ")[0]);
    if (names.length === 0) return "";
    return await this.#run("apt-cache", [
      "show",
      "--no-all-versions",
      ...names,
    ]);
  }

  /**
   * Downloads packages and unpacks them below `root`.
   *
   * @param packages names, or `NAME=VERSION`
   * @param what what they are, for messages
   * @param dependencies whether to take what they need, too
   */
  async unpack(
    packages: readonly string[],
    root: string,
    what: string,
    { dependencies = false } = {},
  ): Promise<void> {
    const { folder, job: { progress, signal } } = this.#options;
    const debs = `${folder}/packages`;
    await Deno.mkdir(`${debs}/partial`, { recursive: true });
    const install = [
      "-y",
      "--no-install-recommends",
      "-o",
      `Dir::Cache::archives=${debs}`,
      "install",
      ...packages,
    ];
    const total = dependencies
      ? downloadSize(await this.#run("apt-get", ["--print-uris", ...install]))
      : sizes(await this.#run("apt-cache", ["show", ...packages]));
    progress.step(`fetching ${what} (${megabytes(total)})`, "long");
    const timer = setInterval(async () => {
      const size = await folderSize(debs) + await folderSize(`${debs}/partial`);
      progress.detail(`${Math.floor(100 * size / total)} %`);
    }, 500);
    try {
      await this.#fetch(
        dependencies
          ? ["--download-only", ...install]
          : ["download", ...packages],
        `fetch ${what}`,
        debs,
      );
    } finally {
      clearInterval(timer);
    }
    progress.step(`unpacking ${what}`);
    for await (const { name } of Deno.readDir(debs)) {
      if (!name.endsWith(".deb")) continue;
      await run("dpkg", ["-x", `${debs}/${name}`, root], { signal });
      await Deno.remove(`${debs}/${name}`);
    }
  }

  /**
   * Debian's keys from the archive itself, for a machine that does not have
   * them: those whose fingerprints this package knows.
   */
  async #fetchKeyring(mirror: string): Promise<string> {
    const { folder, suite, architecture, job } = this.#options;
    const work = `${folder}/keyring`;
    const apt = new PrivateApt({
      folder: work,
      architecture,
      // Backports may be without the package.
      suite: baseSuite(suite) ?? suite,
      mirror,
      unverified: true,
      job,
    });
    await apt.update();
    const root = `${work}/root`;
    await apt.unpack(["debian-archive-keyring"], root, "Debian's archive keys");
    const found = await findKeyring(root);
    const keys = found === undefined
      ? new Uint8Array()
      : await debianKeys(await Deno.readFile(found));
    if (keys.length === 0) {
      throw new VmError(
        `Cannot trust the archive "${mirror}": its keys are not Debian's; name another with --mirror, or install package "debian-archive-keyring" or its keys`,
      );
    }
    await removeFolder(work);
    const file = `${folder}/debian-keys.gpg`;
    await Deno.writeFile(file, keys);
    return file;
  }

  /** Runs apt-get for something from the network. */
  async #fetch(args: string[], action: string, cwd?: string): Promise<void> {
    try {
      await this.#run("apt-get", args, action, cwd);
    } catch (error) {
      throw explain(error);
    }
  }

  #run(
    program: string,
    args: string[],
    action?: string,
    cwd?: string,
  ): Promise<string> {
    const { folder, job: { signal } } = this.#options;
    return runText(program, ["-q", "-c", `${folder}/apt.conf`, ...args], {
      action,
      cwd,
      signal,
    });
  }

  #configuration(): string {
    const { folder, architecture } = this.#options;
    return `
APT::Architecture "${architecture}";
APT::Architectures "${architecture}";
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

/** Adds up the sizes of packages that apt-cache shows. */
function sizes(text: string): number {
  return [...text.matchAll(/^Size: (\d+)$/gm)]
    .reduce((sum, [, size]) => sum + Number(size), 0);
}

/** Adds up the sizes in lines of "'ADDRESS' FILE SIZE HASH". */
function downloadSize(text: string): number {
  return [...text.matchAll(/^'\S+' \S+ (\d+)/gm)]
    .reduce((sum, [, size]) => sum + Number(size), 0);
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
      ? "; it is not in the cache: connect to the network"
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
