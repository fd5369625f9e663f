/**
 * The files of a guest whose architecture is not this machine's: it cannot run
 * this machine's programs, so it gets a small Debian of its own, and a Deno.
 * Both are kept in the cache.
 *
 * @module
 */

import { PrivateApt } from "./apt.ts";
import type { Architecture } from "../architectures.ts";
import { cachedFolder, removeFolder } from "../cache.ts";
import { VmError } from "../errors.ts";
import { findProgram, run } from "../process.ts";
import type { Job } from "../progress.ts";

/** What a guest of another architecture boots into. */
export interface GuestRoot {
  /** The folder that is `/` in the guest. */
  folder: string;
  /** BusyBox for the initial file system, linked statically. */
  busybox: string;
  /** The folder of the program `deno`. */
  denoFolder: string;
}

/** The suite: its libaio has the name that Debian gives it since 2024. */
const SUITE = "trixie";

/** What tests use, besides what Deno itself needs. */
const PACKAGES = [
  "libc6",
  "libgcc-s1",
  "busybox-static",
  "bash",
  "dash",
  "coreutils",
  "grep",
  "sed",
  "libaio1t64",
  "usbutils",
  "kmod",
  "util-linux",
  "mount",
  "iproute2",
];

/** Returns a guest's files from the cache; fetches them at their first use. */
export async function guestRoot(
  architecture: Architecture,
  cache: string,
  job: Job,
  mirror?: string,
): Promise<GuestRoot> {
  const root = await cachedFolder(
    cache,
    `root-${architecture.debian}-${await listHash()}`,
    job,
    (folder) => fetchRoot(architecture, folder, job, mirror),
  );
  const denoFolder = await denoFor(architecture, cache, job);
  return { folder: root, busybox: `${root}/usr/bin/busybox`, denoFolder };
}

/** Returns the folder of a `deno` for another architecture; like guestRoot(). */
export async function denoFor(
  architecture: Architecture,
  cache: string,
  job: Job,
): Promise<string> {
  return await cachedFolder(
    cache,
    `deno-${Deno.version.deno}-${architecture.debian}`,
    job,
    (folder) => fetchDeno(architecture, folder, job),
  );
}

/** Identifies a list of packages. */
async function listHash(): Promise<string> {
  const list = new TextEncoder().encode([SUITE, ...PACKAGES].join(" "));
  const digest = await crypto.subtle.digest("SHA-256", list);
  return new Uint8Array(digest).toHex().slice(0, 8);
}

async function fetchRoot(
  architecture: Architecture,
  folder: string,
  job: Job,
  mirror?: string,
): Promise<void> {
  if (await findProgram("apt-get") === undefined) {
    throw new VmError(
      `Cannot fetch programs for ${architecture.name} without apt`,
    );
  }
  const start = performance.now();
  // Below the folder, whose name says that it is not complete.
  const apt = new PrivateApt({
    folder: `${folder}/apt`,
    architecture: architecture.debian,
    suite: SUITE,
    mirror,
    job,
  });
  await apt.update();
  // Debian's packages rely on these links, and none of them brings them.
  for (const name of ["bin", "sbin", "lib"]) {
    await Deno.mkdir(`${folder}/usr/${name}`, { recursive: true });
    await Deno.symlink(`usr/${name}`, `${folder}/${name}`);
  }
  await apt.unpack(PACKAGES, folder, `programs for ${architecture.name}`, {
    dependencies: true,
  });
  await removeFolder(`${folder}/apt`);
  // Packages leave these to their installation.
  await Deno.writeTextFile(
    `${folder}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  );
  await Deno.writeTextFile(
    `${folder}/etc/group`,
    "root:x:0:\nnogroup:x:65534:\n",
  );
  const seconds = Math.round((performance.now() - start) / 1000);
  job.progress.done(
    `fetched programs for ${architecture.name} in ${seconds} s`,
  );
}

/** Fetches Deno from npm: of this Deno's version, or else the newest. */
async function fetchDeno(
  { denoPackage }: Architecture,
  folder: string,
  job: Job,
): Promise<void> {
  const { progress, signal } = job;
  const npm = await findProgram("npm");
  if (npm === undefined) {
    throw new VmError(
      `Cannot fetch "${denoPackage}" without npm: install Node.js`,
    );
  }
  const pack = async (version: string) => {
    progress.step(`fetching ${denoPackage} ${version}`, "long");
    await run(npm, ["pack", "--silent", `${denoPackage}@${version}`], {
      action: `fetch "${denoPackage}"`,
      cwd: folder,
      signal,
    });
  };
  try {
    await pack(Deno.version.deno);
  } catch (error) {
    if (!(error instanceof VmError) || signal?.aborted) throw error;
    // The packages of a release do not appear all at once.
    await pack("latest");
  }
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".tgz")) continue;
    await run("tar", ["-xzf", name, "--strip-components=1", "package/deno"], {
      cwd: folder,
      signal,
    });
    await Deno.remove(`${folder}/${name}`);
  }
  await Deno.chmod(`${folder}/deno`, 0o755);
}
