/**
 * How this project's tests are started, on this machine and in the VM.
 *
 * @module
 */

import { type Architecture, isNative } from "../../src/vm/architectures.ts";

/** The folder of the project. */
export const ROOT = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
);

export const IMPORT_MAP = "--import-map=tests/import_map.json";

/** Arguments of `deno` that run test files, after type checking was done. */
export function testArguments(files: readonly string[]): string[] {
  return [
    "test",
    "--allow-all",
    "--no-check",
    "--cached-only",
    "--no-prompt",
    // Some tests collect garbage while the kernel works.
    "--v8-flags=--expose-gc",
    "--preload=tests/support/run/main_thread.ts",
    IMPORT_MAP,
    ...files,
  ];
}

/**
 * Fetches what test files import, so that they run without a network.
 *
 * @param architecture Where they run: npm packages hold binaries.
 */
export async function cacheImports(
  files: readonly string[],
  architecture?: Architecture,
): Promise<void> {
  const args = architecture === undefined || isNative(architecture)
    ? ["cache", "--no-check"]
    : ["install", "--os=linux", `--arch=${architecture.npm}`, "--entrypoint"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, IMPORT_MAP, ...files],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot fetch what the tests import:\n${
        new TextDecoder().decode(stderr)
      }`,
    );
  }
}

/** The test files of a folder, by name. */
export function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)]
    .filter(({ name }) => name.endsWith("_test.ts"))
    .map(({ name }) => `${folder}/${name}`)
    .sort();
}
