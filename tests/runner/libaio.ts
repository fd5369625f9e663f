/**
 * Installs libaio: the tests of the engine use it as well as raw system calls.
 *
 * @module
 */
import { openAio } from "../../ffi/aio/calls.ts";
import { VmError } from "../../src/vm/errors.ts";
import type { Job } from "../../src/vm/progress.ts";
import { install } from "../../src/vm/tools.ts";

/** Installs libaio where it is missing. */
export async function ensureLibaio(job: Job): Promise<void> {
  if (openAio().library !== "syscall") return;
  try {
    await install(["libaio1t64"], job); // Debian 13 and newer
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    await install(["libaio1"], job);
  }
}
