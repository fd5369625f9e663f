/**
 * Finds a C compiler for the architecture of a VM.
 *
 * @module
 */
import { type Architecture, isNative } from "../vm/architectures.ts";
import { findProgram } from "../vm/process.ts";
import type { Job } from "../vm/progress.ts";
import { install } from "../vm/tools.ts";

/**
 * Returns the name of the compiler, and installs it where it is missing. What
 * it makes runs with the C library of Debian 12 and newer.
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
    const packages = [
      `gcc-${gnu.replace("_", "-")}`,
      `libc6-dev-${debian}-cross`,
    ];
    await install(packages, job);
  }
  return compiler;
}
