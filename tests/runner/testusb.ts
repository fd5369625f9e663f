/**
 * The user's half of the kernel's USB conformance suite: `testusb`, which asks
 * the driver `usbtest` for its tests. Debian does not package it, so it is
 * compiled from the kernel's source, of which only that file is kept.
 *
 * @module
 */
import type { Architecture } from "../vm/architectures.ts";
import { openCache, withLock } from "../vm/cache.ts";
import { VmError } from "../vm/errors.ts";
import { run } from "../vm/process.ts";
import type { Job } from "../vm/progress.ts";
import { ensureCompiler } from "./compiler.ts";

/** Any of these will do: the program has not changed for years. */
const SOURCES = ["6.12", "6.1"];

/** Where the program lies, after it was compiled if it had to be. */
export async function ensureTestusb(
  architecture: Architecture,
  job: Job,
): Promise<string> {
  const cache = await openCache();
  const program = `${cache}/testusb-${architecture.debian}`;
  return await withLock(cache, "testusb", () => {}, async () => {
    if (!await exists(program)) {
      await compile(
        program,
        cache,
        await ensureCompiler(architecture, job),
        job,
      );
    }
    return program;
  }, job.signal);
}

async function compile(
  program: string,
  cache: string,
  compiler: string,
  job: Job,
) {
  const folder = await Deno.makeTempDir({ dir: cache });
  try {
    const source = `${folder}/testusb.c`;
    await Deno.writeFile(source, await fetchSource(folder, job));
    job.progress.step("compiling testusb");
    await run(
      compiler,
      ["-O2", "-o", `${folder}/testusb`, source, "-lpthread"],
      {
        action: "compile testusb",
        signal: job.signal,
      },
    );
    await Deno.rename(`${folder}/testusb`, program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Takes the one file out of Debian's package of the kernel's source. */
async function fetchSource(folder: string, job: Job): Promise<Uint8Array> {
  const { signal } = job;
  let failure: unknown;
  for (const version of SOURCES) {
    const name = `linux-source-${version}`;
    job.progress.step(`fetching ${name} for testusb`, "long");
    try {
      // Into a folder of our own: nothing is installed.
      await run("apt-get", ["-qq", "download", name], {
        action: `fetch ${name}`,
        cwd: folder,
        signal,
      });
    } catch (error) {
      failure = error;
      continue;
    }
    job.progress.step("unpacking testusb.c");
    const [deb] = [...Deno.readDirSync(folder)]
      .map((entry) => entry.name)
      .filter((file) => file.endsWith(".deb"));
    await run("dpkg-deb", ["-x", deb, "unpacked"], { cwd: folder, signal });
    const archive = `unpacked/usr/src/${name}.tar.xz`;
    const file = `${name}/tools/usb/testusb.c`;
    return await run("tar", ["-xJOf", archive, "--occurrence=1", file], {
      cwd: folder,
      signal,
    });
  }
  throw new VmError("Cannot fetch the source of testusb", { cause: failure });
}

async function exists(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}
