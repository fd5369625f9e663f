/**
 * Runs the unit tests and the examples in doc comments on this machine.
 *
 * @module
 */
import { VmError } from "../../src/vm/errors.ts";
import { terminalProgress } from "../../src/vm/progress.ts";
import { ensureLibaio } from "./libaio.ts";
import {
  cacheImports,
  IMPORT_MAP,
  ROOT,
  testArguments,
  testFiles,
} from "./deno_test.ts";

async function deno(args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return success;
}

async function main(): Promise<boolean> {
  {
    using progress = terminalProgress();
    await ensureLibaio({ progress });
  }
  const files = Deno.args.length > 0 ? Deno.args : testFiles("tests/unit");
  await cacheImports(files);
  const unit = await deno(testArguments(files));
  if (Deno.args.length > 0) return unit;
  const docs = await deno([
    "test",
    "--doc",
    "--allow-ffi",
    IMPORT_MAP,
    "mod.ts",
    "src",
  ]);
  return unit && docs;
}

if (import.meta.main) {
  try {
    Deno.exit(await main() ? 0 : 1);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
