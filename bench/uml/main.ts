/**
 * `deno task uml -- COMMAND`: runs a command in User Mode Linux, with the options
 * of `deno task vm` that apply.
 *
 * @module
 */
import { parseArguments } from "../../src/vm/arguments.ts";
import { UsageError, VmError } from "../../src/vm/errors.ts";
import { interruptSignal, keepLog, writeAll } from "../../src/vm/main.ts";
import { terminalProgress } from "../../src/vm/progress.ts";
import { runInUml } from "./run.ts";

const HELP = `Runs a command as root in User Mode Linux: Debian's kernel as a
program of this machine, with a virtual USB device controller. It boots in less
than a second. The first run builds the kernel, which takes some minutes.

Usage: deno task uml [OPTIONS] -- COMMAND [ARGUMENT...]

These options are as in "deno task vm --help": --mirror, --memory, --hcd,
--speed, --env, --cwd, --share, --timeout, --keep-log, --allow-log.
`;

/** Options of "deno task vm" that describe another machine than this one. */
const OTHERS = [
  "kernel",
  "vmlinuz",
  "modulesDir",
  "arch",
  "accel",
  "udc",
  "modules",
  "verbose",
  "prepare",
] as const;

async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const other = OTHERS.find((name) => options[name]);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot use option "--${
        other.replace("Dir", "-dir")
      }" with User Mode Linux: see --help`,
    );
  }
  using progress = terminalProgress();
  try {
    const { code, problems, log } = await runInUml({
      ...options,
      progress,
      signal: interruptSignal().signal,
      onStdout: (chunk) => writeAll(Deno.stdout, chunk),
      onStderr: (chunk) => writeAll(Deno.stderr, chunk),
    });
    await keepLog(options, log);
    for (const { title, lines } of problems) {
      console.error(
        `uml: The kernel complained: ${title}\n${lines.join("\n")}`,
      );
    }
    return code;
  } catch (error) {
    if (error instanceof VmError) await keepLog(options, error.log);
    throw error;
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`uml: ${error.message}`);
    Deno.exit(error.exitCode);
  }
}
