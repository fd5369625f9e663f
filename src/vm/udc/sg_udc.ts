/**
 * Builds the device controller that can scatter-gather, for a kernel of
 * Debian's: the source of dummy_hcd from Debian's package of the kernel's
 * source, changed by sg_dummy_hcd.ts, and compiled with the compiler that has
 * compiled the kernel, in a folder that is a small Debian of its own.
 *
 * @module
 */

import { PrivateApt } from "../debian/apt.ts";
import { type Architecture, isNative } from "../architectures.ts";
import { cachedFolder, removeFolder } from "../cache.ts";
import { UsageError, VmError } from "../errors.ts";
import { run } from "../process.ts";
import type { Job } from "../progress.ts";
import { addScatterGather, COPY } from "./sg_dummy_hcd.ts";
import { SourceEdit } from "./source_edit.ts";
import { baseSuite, parseHeaders, suitesOf } from "../debian/versions.ts";

/** What the kernel's build asks for besides compiler and headers. */
const BUILD_TOOLS = (
  "base-files bash binutils coreutils dash findutils grep make mawk sed"
).split(" ");

/** The kernel to build for. */
export interface SgUdcOptions {
  /** The series, such as "7.3". */
  kernel: string;
  /** The release, as `uname -r` gives it. */
  release: string;
  architecture: Architecture;
  cache: string;
  /** The address of a Debian archive, else the machine's own. */
  mirror?: string;
  job: Job;
}

/** The module's file: from the cache, built at its first use. */
export async function sgUdc(options: SgUdcOptions): Promise<string> {
  const { release, architecture, cache, job } = options;
  if (!isNative(architecture)) {
    throw new UsageError(
      `Cannot build a UDC for architecture "${architecture.name}": its compiler does not run on this machine`,
    );
  }
  const name = `dummy_hcd-sg-${release}-${await recipe()}`;
  const folder = await cachedFolder(cache, name, job, async (work) => {
    const start = performance.now();
    await build(options, work);
    const seconds = Math.round((performance.now() - start) / 1000);
    job.progress.done(`built dummy_hcd with scatter-gather in ${seconds} s`);
  });
  return `${folder}/dummy_hcd.ko`;
}

/** Identifies the recipe, by its code: its files may lie on a server. */
async function recipe(): Promise<string> {
  const code = [addScatterGather, SourceEdit, build, extract, compile];
  const parts = [...code, COPY, BUILD_TOOLS, BUILD_SCRIPT];
  const bytes = new TextEncoder().encode(parts.map(String).join());
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 12);
}

async function build(options: SgUdcOptions, work: string): Promise<void> {
  const { kernel, release, architecture, mirror, job } = options;
  const root = `${work}/root`;
  for (const suite of suitesOf(kernel)) {
    const apt = new PrivateApt({
      folder: `${work}/apt-${suite}`,
      architecture: architecture.debian,
      suite,
      besides: baseSuite(suite),
      mirror,
      job,
    });
    await apt.update();
    const headers = parseHeaders(
      await apt.show(`^linux-headers-${release.replace(/[.+]/g, "[$&]")}$`),
    );
    if (headers === undefined) continue;
    // The headers' own dependencies would bring the kernel itself, too.
    await apt.unpack(headers.headers, root, `headers of Linux ${release}`);
    const tools = [...headers.tools, ...BUILD_TOOLS];
    await apt.unpack(tools, root, "their compiler", { dependencies: true });
    const source = `linux-source-${kernel}`;
    await apt.unpack([source], work, `the source of Linux ${kernel}`);
    const text = await extract(work, source, job);
    job.progress.step("compiling dummy_hcd with scatter-gather");
    await compile(root, release, addScatterGather(text), job);
    await Deno.rename(`${root}/build/dummy_hcd.ko`, `${work}/dummy_hcd.ko`);
    for (const rest of ["root", "usr", `apt-${suite}`]) {
      await removeFolder(`${work}/${rest}`);
    }
    return;
  }
  throw new VmError(
    `Cannot build a UDC with scatter-gather: the Debian mirror has no headers of Linux ${release} any more; remove the kernel from the cache to fetch a newer one`,
  );
}

/** Takes the one file out of the archive of the kernel's source. */
async function extract(
  work: string,
  source: string,
  { progress, signal }: Job,
): Promise<string> {
  progress.step("unpacking dummy_hcd.c");
  const bytes = await run("tar", [
    "-xJOf",
    `${work}/usr/src/${source}.tar.xz`,
    "--occurrence=1",
    `${source}/drivers/usb/gadget/udc/dummy_hcd.c`,
  ], { signal, action: "find the source of dummy_hcd" });
  return new TextDecoder().decode(bytes);
}

/** Runs in namespaces of its own, so that its mounts go with it. */
const BUILD_SCRIPT = `
mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
exec chroot "$1" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin sh -c '
  make -s -C "/usr/src/linux-headers-$1" M=/build modules &&
  strip -g /build/dummy_hcd.ko' sh "$2"
`;

async function compile(
  root: string,
  release: string,
  source: string,
  { signal }: Job,
): Promise<void> {
  await Deno.mkdir(`${root}/build`);
  await Deno.writeTextFile(`${root}/build/dummy_hcd.c`, source);
  await Deno.writeTextFile(`${root}/build/Makefile`, "obj-m := dummy_hcd.o\n");
  // The packages were unpacked, not installed, so this was not set up.
  await Deno.symlink("mawk", `${root}/usr/bin/awk`);
  await run("unshare", [
    ...(Deno.uid() === 0 ? [] : ["--map-root-user"]),
    "--mount",
    "--pid",
    "--fork",
    "sh",
    "-c",
    BUILD_SCRIPT,
    "sh",
    root,
    release,
  ], { action: "compile dummy_hcd with scatter-gather", signal });
}
