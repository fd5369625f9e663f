/**
 * Compiles C programs for the architecture of a VM.
 *
 * @module
 */
import { type Architecture, isNative } from "../../src/vm/architectures.ts";
import { openCache, withLock } from "../../src/vm/cache.ts";
import { findProgram, run } from "../../src/vm/process.ts";
import type { Job } from "../../src/vm/progress.ts";
import { install } from "../../src/vm/tools.ts";

/**
 * Returns the name of the compiler, and installs it where it is missing. Its
 * programs run with the C library of Debian 12 and newer.
 */
export async function ensureCompiler(
  architecture: Architecture,
  job: Job,
): Promise<string> {
  if (isNative(architecture)) {
    if (await findProgram("cc") === undefined) {
      await install(["gcc", "libc6-dev"], job);
    }
    return "cc";
  }
  const { gnu, debian } = architecture;
  const compiler = `${gnu}-gcc`;
  if (await findProgram(compiler) === undefined) {
    await install(
      [`gcc-${gnu.replace("_", "-")}`, `libc6-dev-${debian}-cross`],
      job,
    );
  }
  return compiler;
}

/**
 * Compiles a program of one file, unless it is in the cache.
 *
 * @param source The file, such as `.../testusb.c`.
 * @param flags Further arguments of the compiler, such as `-lpthread`.
 * @returns The path of the program, which VMs see.
 */
export async function compileProgram(
  source: string,
  architecture: Architecture,
  job: Job,
  flags: readonly string[] = [],
): Promise<string> {
  const cache = await openCache();
  const bytes = await Deno.readFile(source);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const name = source.slice(source.lastIndexOf("/") + 1).replace(/\.c$/, "");
  const program = `${cache}/${name}-${
    digest.toHex().slice(0, 16)
  }-${architecture.debian}`;
  return await withLock(cache, name, () => {}, async () => {
    if (await Deno.stat(program).then(() => true, () => false)) return program;
    const compiler = await ensureCompiler(architecture, job);
    job.progress.step(`compiling ${name} for ${architecture.name}`);
    await run(
      compiler,
      ["-O2", "-Wall", "-o", `${program}.new`, source, ...flags],
      { action: `compile ${name}`, signal: job.signal },
    );
    await Deno.rename(`${program}.new`, program);
    return program;
  }, job.signal);
}
