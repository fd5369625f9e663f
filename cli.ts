/**
 * Manages gadgets on the command line. Needs `--allow-ffi` and no other
 * permission, except for files that name modules (`--allow-read`).
 *
 * ```sh
 * sudo deno run --allow-ffi jsr:@usb/gadget/cli doctor
 * ```
 *
 * - `doctor` reports what gadgets need and this machine lacks.
 * - `list` shows the gadgets with their functions, mounts and processes.
 * - `show [NAME]` shows the descriptors of gadgets.
 * - `up FILE` makes the gadget that a file describes, or changes the one that
 *   exists to match it.
 * - `down NAME` removes a gadget.
 * - `export NAME` writes the file of a gadget.
 * - `unit FILE` writes a unit for systemd, which makes the gadget at boot.
 * - `share [NAME...]` shares gadgets over a network.
 * - `watch` shows transfers, endpoints and states as they change.
 * - `clean` removes gadgets that ended processes have left behind.
 * - `completion` writes a script that completes these commands in bash and zsh.
 *
 * With `--json`, each command prints its result as JSON.
 *
 * @module
 */
import {
  type Command,
  type Commands,
  type Emit,
  formatUsage,
} from "./src/cli/command.ts";
import { makeCommands } from "./src/cli/commands.ts";

/** The widest name of a command with what it is applied to. */
const WIDTH = 17;

function formatHelp(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([name, command]) => [
    `  ${formatUsage(name, command).padEnd(WIDTH)}${command.summary}`,
    ...Object.entries(command.options ?? {}).map(
      ([option, { summary, value = "" }]) =>
        `${" ".repeat(WIDTH + 4)}${
          `--${option} ${value}`.trimEnd()
        }  ${summary}`,
    ),
  ]);
  return `Manages USB gadgets on this machine.

Usage: deno run --allow-ffi jsr:@usb/gadget/cli COMMAND [--json]

${lines.join("\n")}

Exit code: 0; 1 if something is missing or fails; 2 for a wrong command line.
`;
}

/**
 * Runs the command line, and returns the exit code. `share` and `watch` return
 * after a signal. `up` of a file whose functions this process serves does not: a
 * signal ends the process.
 *
 * @category Gadget
 */
export async function main(args: string[]): Promise<number> {
  const commands = makeCommands(import.meta.url);
  const { words, options, unknown } = await parse(args, commands);
  if (options.help) {
    console.log(formatHelp(commands));
    return 0;
  }
  const [name = "", ...operands] = words;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (
    command === undefined || unknown ||
    !takes(command, operands, Object.keys(options))
  ) {
    console.error(formatHelp(commands));
    return 2;
  }
  const ending = command.handlesSignals ? endingSignal() : FOREVER;
  try {
    const emit: Emit = (text, json) =>
      console.log(options.json ? JSON.stringify(json) : text);
    const { text, json, code, stays, end } = await command.run(
      operands,
      options,
      emit,
    );
    // One that goes on may print more lines.
    const indent = stays ? 0 : 2;
    console.log(
      options.json ? JSON.stringify(json, bytesAsArrays, indent) : text,
    );
    if (stays) {
      const alive = setInterval(() => {}, 0x7fffffff);
      await ending;
      clearInterval(alive);
      await end?.();
    }
    return code;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Until a signal ends the process, after its gadgets were removed. */
const FOREVER = new Promise<void>(() => {});

/** Resolves at the first SIGINT or SIGTERM from now on. */
function endingSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, resolve);
    }
  });
}

/** Splits a command line into words and the options that are given. */
async function parse(args: string[], commands: Commands) {
  // A dynamic import, so that the package can be checked without JSR.
  const { parseArgs } = await import("@std/cli/parse-args");
  const all = Object.values(commands)
    .flatMap(({ options = {} }) => Object.entries(options));
  let unknown = false;
  const { _: words, ...given }: Record<string, unknown> = parseArgs(args, {
    boolean: [
      "json",
      "help",
      ...all.filter(([, it]) => it.value === undefined).map(([name]) => name),
    ],
    string: all.filter(([, it]) => it.value !== undefined)
      .map(([name]) => name),
    unknown: (argument: string): unknown => {
      if (argument.startsWith("-")) unknown = true;
      return undefined;
    },
  });
  const options = Object.entries(given)
    .filter(([, value]) => value !== false && value !== undefined);
  return {
    words: Array.isArray(words) ? words.map(String) : [],
    options: Object.fromEntries(options) as Record<string, string | boolean>,
    unknown,
  };
}

/** Whether a command has these operands and options. */
function takes(
  { operand, options = {} }: Command,
  operands: readonly string[],
  given: readonly string[],
): boolean {
  const least = operand !== undefined && operand.count === undefined ? 1 : 0;
  const most = operand === undefined ? 0 : operand.count === "*" ? Infinity : 1;
  return operands.length >= least && operands.length <= most &&
    given.every((it) => it === "json" || Object.hasOwn(options, it));
}

/** Writes bytes as arrays of numbers. */
function bytesAsArrays(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}

if (import.meta.main) {
  const code = await main([...Deno.args]);
  // Not Deno.exit(), which ends before a slow pipe has taken the output.
  if (code !== 0) Deno.exitCode = code;
}
