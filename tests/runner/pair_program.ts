/**
 * Compiles the program that serves a pair's file in the tests.
 *
 * @module
 */
import { openCache, withLock } from "../vm/cache.ts";
import { findProgram, run } from "../vm/process.ts";
import type { Job } from "../vm/progress.ts";
import { install } from "../vm/tools.ts";
import { ROOT } from "./deno_test.ts";

/** Where the program lies, after it was compiled. */
export async function ensurePairProgram(job: Job): Promise<string> {
  const cache = await openCache();
  const source = `${ROOT}tests/support/pair_program.c`;
  const bytes = await Deno.readFile(source);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const program = `${cache}/pair_program-${digest.toHex().slice(0, 16)}`;
  return await withLock(cache, "pair_program", () => {}, async () => {
    if (await exists(program)) return program;
    if (await findProgram("cc") === undefined) {
      await install(["gcc", "libc6-dev"], job);
    }
    await run("cc", ["-O2", "-Wall", "-o", `${program}.new`, source], {
      action: "compile pair_program",
      signal: job.signal,
    });
    await Deno.rename(`${program}.new`, program);
    return program;
  }, job.signal);
}

async function exists(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}
