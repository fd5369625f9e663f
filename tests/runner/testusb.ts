/**
 * The user's half of the kernel's USB conformance suite: `testusb`, which asks
 * the driver `usbtest` for its tests. Debian does not package it, so it is
 * compiled from the kernel's source, of which only that file is kept.
 *
 * @module
 */
import type { Architecture } from "../../src/vm/architectures.ts";
import { cachedFolder, openCache } from "../../src/vm/cache.ts";
import { VmError } from "../../src/vm/errors.ts";
import { run } from "../../src/vm/process.ts";
import type { Job } from "../../src/vm/progress.ts";
import { compileProgram } from "./compiler.ts";

/** Any of these will do: the program has not changed for years. */
const SOURCES = ["6.12", "6.1"];

/** Where the program lies, after it was compiled if it had to be. */
export async function ensureTestusb(
  architecture: Architecture,
  job: Job,
): Promise<string> {
  const cache = await openCache();
  const folder = await cachedFolder(cache, "testusb-source", job, (folder) => {
    return fetchSource(folder, job);
  });
  return await compileProgram(`${folder}/testusb.c`, architecture, job, [
    "-lpthread",
  ]);
}

/** Takes the one file out of Debian's package of the kernel's source. */
async function fetchSource(folder: string, job: Job): Promise<void> {
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
    const source = await run(
      "tar",
      ["-xJOf", archive, "--occurrence=1", file],
      { cwd: folder, signal },
    );
    await Deno.writeFile(`${folder}/testusb.c`, source);
    await Deno.remove(`${folder}/${deb}`);
    return await Deno.remove(`${folder}/unpacked`, { recursive: true });
  }
  throw new VmError("Cannot fetch the source of testusb", { cause: failure });
}
