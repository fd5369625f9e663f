/**
 * The command line. See `--help`.
 *
 * @module
 */

import { type Arguments, HELP, parseArguments } from "./arguments.ts";
import { ExitCode, VmError } from "./errors.ts";
import { terminalProgress } from "./progress.ts";
import { prepareVm, runInVm } from "./run.ts";

/** Signals that end a run, and the exit codes that a shell gives them. */
const SIGNALS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
};

/** Whether Deno, by what it printed, could not fetch a module. */
export function missesModules(errors: string): boolean {
  return /error sending request for url|dns error|Import '\S+' failed/
    .test(errors);
}

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
  const decoder = new TextDecoder();
  let errors = "";
  try {
    const result = await runInVm({
      ...options,
      progress,
      signal,
      onStdout: (chunk) => writeAll(Deno.stdout, chunk),
      onStderr: (chunk) => {
        errors = (errors + decoder.decode(chunk, { stream: true })).slice(
          -8192,
        );
        return writeAll(Deno.stderr, chunk);
      },
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
    if (result.code !== 0 && missesModules(errors)) {
      complain(
        'The VM has no network: run "deno cache FILE", or "deno test --no-run", on this machine first',
      );
    }
    if (result.qemuFault) {
      complain('QEMU before 8.1 sometimes causes this "int3": run it again');
    }
    return result.code;
  } catch (error) {
    if (error instanceof VmError) await keepLog(options, error.log);
    throw error;
  }
}

/** Aborts when the person, or the system, wants the run to end. */
export function interruptSignal(): AbortController {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(SIGNALS)) {
    Deno.addSignalListener(name as Deno.Signal, () => {
      // Who asks twice does not want to wait for an orderly end.
      if (controller.signal.aborted) Deno.exit(exitCode);
      controller.abort(new VmError("Interrupted", { exitCode }));
    });
  }
  return controller;
}

/** Writes the kernel's log to the file that was asked for. */
export async function keepLog(
  { keepLog }: Pick<Arguments, "keepLog">,
  log?: readonly string[],
): Promise<void> {
  if (keepLog === undefined || log === undefined) return;
  const text = log.map((line) => `${line}\n`).join("");
  try {
    await Deno.writeTextFile(keepLog, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`;
    throw new VmError(`Cannot write the log: ${reason}`, { cause });
  }
}

/** Passes on output of the command. */
export async function writeAll(
  target: { write(data: Uint8Array): Promise<number> },
  data: Uint8Array,
): Promise<void> {
  let rest = data;
  try {
    while (rest.length > 0) rest = rest.subarray(await target.write(rest));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
    // Who read the output has gone, as "head" does.
    throw new VmError("Cannot go on: the reader of the output has closed it", {
      cause,
      exitCode: ExitCode.BrokenPipe,
    });
  }
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

function complain(message: string): void {
  console.error(`vm: ${message}`);
}

/** Runs the command line of this process, and ends it. */
export async function runMain(): Promise<never> {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    complain(error.message);
    Deno.exit(error.exitCode);
  }
}
