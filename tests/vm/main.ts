/**
 * `deno task vm`: runs a command in the test VM. See `--help`.
 *
 * @module
 */

import { type Arguments, HELP, parseArguments } from "./arguments.ts";
import { ExitCode, VmError } from "./errors.ts";
import { terminalProgress } from "./progress.ts";
import { type KernelProblem, prepareVm, runInVm } from "./vm.ts";

/** Signals that end a run, and the exit codes that a shell gives them. */
const SIGNALS: readonly [Deno.Signal, number][] = [["SIGINT", 130], [
  "SIGTERM",
  143,
], [
  "SIGHUP",
  129,
]];

async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (options.help) {
    await writeAll(Deno.stdout, new TextEncoder().encode(HELP));
    return 0;
  }
  const { signal } = interruptSignal();
  using progress = terminalProgress();
  if (options.prepare) {
    const { release } = await prepareVm({ ...options, progress, signal });
    progress.done(`Linux ${release} is ready`);
    if (options.command.length === 0) return 0;
  }
  try {
    const result = await runInVm({
      ...options,
      progress,
      signal,
      onStdout: (chunk) => writeAll(Deno.stdout, chunk),
      onStderr: (chunk) => writeAll(Deno.stderr, chunk),
      onConsole: options.verbose
        ? (chunk) => writeAll(Deno.stderr, chunk)
        : undefined,
    });
    await keepLog(options, result.log);
    for (const problem of result.problems) {
      complain(
        `The kernel complained: ${problem.title}\n${indent(problem.lines)}`,
      );
    }
    if (result.accelerator === "tcg" && result.problems.some(isQemuFault)) {
      complain('QEMU before 8.1 sometimes causes this "int3": run it again');
    }
    return result.code;
  } catch (error) {
    if (error instanceof VmError) await keepLog(options, error.log);
    throw error;
  }
}

/** See the architectures' parameters for emulation. */
function isQemuFault({ title }: KernelProblem): boolean {
  return /\bint3\b/.test(title);
}

/** Aborts when the person, or the system, wants the run to end. */
function interruptSignal(): AbortController {
  const controller = new AbortController();
  for (const [name, exitCode] of SIGNALS) {
    Deno.addSignalListener(name, () => {
      controller.abort(new VmError("Interrupted", { exitCode }));
    });
  }
  return controller;
}

async function keepLog(
  { keepLog }: Arguments,
  log?: readonly string[],
): Promise<void> {
  if (keepLog !== undefined && log !== undefined) {
    await Deno.writeTextFile(keepLog, log.map((line) => `${line}\n`).join(""));
  }
}

async function writeAll(
  target: { write(data: Uint8Array): Promise<number> },
  data: Uint8Array,
): Promise<void> {
  let rest = data;
  while (rest.length > 0) rest = rest.subarray(await target.write(rest));
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

function complain(message: string): void {
  console.error(`vm: ${message}`);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    complain(error.message);
    Deno.exit(error.exitCode ?? ExitCode.Failure);
  }
}
