/**
 * `deno task demo`: shows a gadget at work, on this machine's virtual UDC if it
 * has one, in a VM otherwise.
 *
 * @module
 */
import { cacheImports, IMPORT_MAP, ROOT } from "../runner/deno_test.ts";
import { ExitCode, VmError } from "../../src/vm/errors.ts";
import { terminalProgress } from "../../src/vm/progress.ts";
import { runInVm } from "../../src/vm/run.ts";

const SHOW = "tests/demo/show.ts";
const COMMAND = [
  "run",
  "--allow-all",
  "--no-check",
  "--cached-only",
  IMPORT_MAP,
  SHOW,
];

/** Whether this process may use a virtual UDC of this machine. */
function hasVirtualUdc(): boolean {
  if (Deno.uid() !== 0) return false;
  try {
    return [...Deno.readDirSync("/sys/class/udc")]
      .some(({ name }) => name.startsWith("dummy_udc"));
  } catch {
    return false;
  }
}

async function writeAll(chunk: Uint8Array): Promise<void> {
  let rest = chunk;
  while (rest.length > 0) rest = rest.subarray(await Deno.stdout.write(rest));
}

async function main(): Promise<number> {
  await cacheImports([SHOW, "examples/echo.ts"]);
  if (hasVirtualUdc()) {
    console.log("This machine has a virtual UDC: the demo runs here.\n");
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: COMMAND,
      cwd: ROOT,
      stdin: "null",
    }).spawn().status;
    return code;
  }
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      abort.abort(new VmError("Interrupted", { exitCode: 130 }));
    });
  }
  using progress = terminalProgress();
  const result = await runInVm({
    command: ["deno", ...COMMAND],
    cwd: ROOT,
    progress,
    signal: abort.signal,
    onStdout: writeAll,
    onStderr: writeAll,
  });
  for (const { title, lines } of result.problems) {
    console.error(`The kernel complained: ${title}\n${lines.join("\n")}`);
  }
  return result.code;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`demo: ${error.message}`);
    Deno.exit(error.exitCode ?? ExitCode.Failure);
  }
}
