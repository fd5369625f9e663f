/**
 * Makes a kernel ready to boot: the image itself, its modules, and the initial
 * file system.
 *
 * @module
 */

import type { Architecture } from "../architectures.ts";
import { removeFolder, withLock } from "../cache.ts";
import { VmError } from "../errors.ts";
import { buildInitramfs } from "./initramfs.ts";
import { fetchKernel } from "../debian/packages.ts";
import { run } from "../process.ts";
import type { Job } from "../progress.ts";

/** A kernel that can be booted. */
export interface KernelImage {
  /** The release, as `uname -r` gives it. */
  release: string;
  vmlinuz: string;
  initramfs: string;
  /** The folder that is `/lib/modules/RELEASE` in the guest. */
  modulesDir: string;
}

/** Returns a Debian kernel from the cache; fetches it at its first use. */
export async function debianKernel(
  kernel: string,
  architecture: Architecture,
  busybox: string,
  cache: string,
  job: Job,
  mirror?: string,
): Promise<KernelImage> {
  const name = `linux-${kernel}-${architecture.debian}`;
  const folder = `${cache}/${name}`;
  const ready = await readKernel(folder);
  if (ready !== undefined) return ready;
  const wait = () =>
    job.progress.step(`waiting for another run that fetches kernel ${kernel}`);
  return await withLock(cache, name, wait, async () => {
    const built = await readKernel(folder);
    if (built !== undefined) return built;
    const work = `${folder}.new`;
    // A run that was killed may have left something behind.
    await removeFolder(work);
    await Deno.mkdir(work);
    try {
      const start = performance.now();
      const { release, root } = await fetchKernel(
        kernel,
        architecture,
        work,
        job,
        mirror,
      );
      await assemble(release, root, `${work}/kernel`, busybox, job);
      await Deno.rename(`${work}/kernel`, folder);
      const seconds = Math.round((performance.now() - start) / 1000);
      job.progress.done(`fetched Linux ${release} in ${seconds} s`);
    } finally {
      await removeFolder(work);
    }
    return (await readKernel(folder))!;
  }, job.signal);
}

/** Takes a kernel from files that the caller names; keeps nothing in the cache. */
export async function givenKernel(
  vmlinuz: string,
  modulesDir: string,
  busybox: string,
  folder: string,
): Promise<KernelImage> {
  for (const file of [vmlinuz, modulesDir]) {
    await Deno.stat(file).catch((cause) => {
      throw new VmError(`Cannot find kernel file "${file}"`, { cause });
    });
  }
  const modules = await Deno.realPath(modulesDir);
  const initramfs = `${folder}/tools.cpio`;
  await Deno.writeFile(initramfs, await buildInitramfs(modules, busybox));
  return {
    release: modules.slice(modules.lastIndexOf("/") + 1),
    vmlinuz,
    initramfs,
    modulesDir: modules,
  };
}

/** Lays the unpacked packages out as the cache keeps them. */
async function assemble(
  release: string,
  root: string,
  folder: string,
  busybox: string,
  job: Job,
): Promise<void> {
  job.progress.step("preparing the kernel's modules");
  const unpacked = await firstOf([
    `${root}/usr/lib/modules/${release}`,
    `${root}/lib/modules/${release}`,
  ]);
  const modules = `${folder}/lib/modules/${release}`;
  await Deno.mkdir(`${folder}/lib/modules`, { recursive: true });
  await Deno.rename(unpacked, modules);
  await Deno.rename(
    await firstOf([
      `${root}/boot/vmlinuz-${release}`,
      `${modules}/vmlinuz`,
      `${modules}/vmlinuz.unsigned`,
    ]),
    `${folder}/vmlinuz`,
  );
  await run("depmod", ["-b", folder, release], {
    action: "index the kernel's modules",
    signal: job.signal,
    env: { PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin` },
  });
  await Deno.writeFile(
    `${folder}/tools.cpio`,
    await buildInitramfs(modules, busybox),
  );
}

/** A kernel in the cache, if it is there: the folder appears when it is complete. */
async function readKernel(folder: string): Promise<KernelImage | undefined> {
  try {
    for await (const { name } of Deno.readDir(`${folder}/lib/modules`)) {
      return {
        release: name,
        vmlinuz: `${folder}/vmlinuz`,
        initramfs: `${folder}/tools.cpio`,
        modulesDir: `${folder}/lib/modules/${name}`,
      };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return undefined;
}

async function firstOf(files: readonly string[]): Promise<string> {
  for (const file of files) {
    if (await Deno.stat(file).then(() => true, () => false)) return file;
  }
  throw new VmError(
    `Cannot find any of ${files.join(", ")} in the kernel's packages`,
  );
}
