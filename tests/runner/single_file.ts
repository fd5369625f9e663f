/**
 * Makes `examples/echo.ts` one file, with all that it needs to run.
 *
 * `deno compile` does this where the web can be reached: it puts the program
 * into `denort`, the part of Deno that runs programs, which it fetches from
 * Deno's own server or finds by DENORT_BIN. No package registry has it. Without
 * it the file is a shell script, followed by the bundled program and a whole
 * Deno.
 *
 * @module
 */
import { type Architecture, isNative } from "../../src/vm/architectures.ts";
import {
  openCache,
  removeFolder,
  writeAtomically,
} from "../../src/vm/cache.ts";
import { VmError } from "../../src/vm/errors.ts";
import { denoFor } from "../../src/vm/debian/guest_root.ts";
import { run } from "../../src/vm/process.ts";
import type { Job } from "../../src/vm/progress.ts";
import { IMPORT_MAP, ROOT } from "./deno_test.ts";

const EXAMPLE = "examples/echo.ts";
const PERMISSIONS = ["--allow-ffi"];

/** How long `deno compile` may try to reach the web, in milliseconds. */
const PATIENCE = 60_000;

/** A file that is removed when it is no longer needed. */
export interface SingleFile extends AsyncDisposable {
  readonly path: string;
}

/** Makes the file for an architecture, where a VM of it finds it. */
export async function makeSingleFile(
  architecture: Architecture,
  job: Job,
): Promise<SingleFile> {
  const cache = await openCache();
  await removeLeftovers(cache);
  const folder = await Deno.makeTempDir({
    dir: cache,
    prefix: `single-file-${Deno.pid}-`,
  });
  const remove = () => Deno.remove(folder, { recursive: true });
  const path = `${folder}/echo`;
  try {
    job.progress.step(`compiling ${EXAMPLE} for ${architecture.name}`);
    if (!await compile(architecture, path, job)) {
      await pack(architecture, path, folder, job);
    }
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Removes the files of runs that were killed: 100 MB each. */
async function removeLeftovers(cache: string): Promise<void> {
  for await (const { name } of Deno.readDir(cache)) {
    const pid = /^single-file-(\d+)-/.exec(name)?.[1];
    if (pid === undefined) continue;
    if (await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) continue;
    await removeFolder(`${cache}/${name}`);
  }
}

/** Whether `deno compile` could make the file. */
async function compile(
  architecture: Architecture,
  path: string,
  job: Job,
): Promise<boolean> {
  const limit = AbortSignal.timeout(PATIENCE);
  const signals = [limit, ...(job.signal ? [job.signal] : [])];
  try {
    await run(Deno.execPath(), [
      "compile",
      "--quiet",
      "--no-check",
      IMPORT_MAP,
      ...PERMISSIONS,
      `--target=${architecture.name}-unknown-linux-gnu`,
      `--output=${path}`,
      EXAMPLE,
    ], { cwd: ROOT, signal: AbortSignal.any(signals) });
    return true;
  } catch (error) {
    job.signal?.throwIfAborted();
    const noDenort = limit.aborted ||
      error instanceof VmError &&
        /client error|dns|denort/i.test(error.message);
    if (noDenort) return false;
    throw error;
  }
}

/** Puts a script, the bundled program and Deno into one file. */
async function pack(
  architecture: Architecture,
  path: string,
  folder: string,
  job: Job,
): Promise<void> {
  const deno = isNative(architecture)
    ? Deno.execPath()
    : `${await denoFor(architecture, await openCache(), job)}/deno`;
  const bundle = `${folder}/bundle.js`;
  await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    IMPORT_MAP,
    `--output=${bundle}`,
    EXAMPLE,
  ], { action: `bundle ${EXAMPLE}`, cwd: ROOT, signal: job.signal });
  const program = await Deno.readFile(bundle);
  const script = (size: number) =>
    new TextEncoder().encode(`#!/bin/sh
set -e
folder=$(mktemp -d)
tail -c +${size + 1} "$0" | head -c ${program.length} >"$folder/program"
tail -c +${size + program.length + 1} "$0" >"$folder/deno"
chmod 700 "$folder/deno"
exec 3<"$folder/deno" 4<"$folder/program"
rm -r "$folder"
exec /proc/self/fd/3 run --no-prompt ${PERMISSIONS.join(" ")} - "$@" <&4
`);
  // The offsets in the script depend on its own length.
  let header = script(0);
  while (header.length !== script(header.length).length) {
    header = script(header.length);
  }
  header = script(header.length);
  await writeAtomically(
    path,
    new Uint8Array(
      await new Blob([header, program, await Deno.readFile(deno)])
        .arrayBuffer(),
    ),
  );
  await Deno.chmod(path, 0o755);
}
