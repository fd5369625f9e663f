/**
 * What kernel tests need besides their own files.
 *
 * @module
 */
import type { Architecture } from "../../src/vm/architectures.ts";
import { terminalProgress } from "../../src/vm/progress.ts";
import { bundleExample, bundlePackage } from "./bundle.ts";
import { compileProgram } from "./compiler.ts";
import { cacheImports, ROOT } from "./deno_test.ts";
import { ensureHostPrograms } from "./host_programs.ts";
import { makeSingleFile } from "./single_file.ts";
import { ensureTestusb } from "./testusb.ts";

/**
 * Fetches and compiles what the tests need on an architecture.
 *
 * @param made Removes what is needed for this run only.
 * @returns Environment variables with the paths.
 */
export async function prepare(
  files: readonly string[],
  architecture: Architecture,
  made: AsyncDisposableStack,
): Promise<Record<string, string>> {
  await cacheImports(files, architecture);
  using progress = terminalProgress();
  const job = { progress };
  await ensureHostPrograms(files, architecture, job);
  const wants = (text: string) => files.some((file) => file.includes(text));
  const variables: Record<string, string> = {};
  if (wants("usbtest")) {
    variables.GADGET_TESTUSB = await ensureTestusb(architecture, job);
  }
  if (wants("pair_")) {
    const source = `${ROOT}tests/support/programs/pair_program.c`;
    variables.GADGET_PAIR_PROGRAM = await compileProgram(
      source,
      architecture,
      job,
    );
  }
  if (wants("single_file")) {
    const { path } = made.use(await makeSingleFile(architecture, job));
    variables.GADGET_SINGLE_FILE = path;
  }
  if (wants("gadget_") || wants("exit_")) {
    Object.assign(variables, made.use(await bundlePackage()).environment);
  }
  if (wants("composite")) {
    for (const part of ["", "_gadget", "_mtp", "_keyboard"]) {
      const { environment } = made.use(
        await bundleExample(`composite${part}.ts`),
      );
      Object.assign(variables, environment);
    }
  }
  return variables;
}
