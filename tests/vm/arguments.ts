/**
 * Reads the command line of `deno task vm`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { ACCELERATORS } from "./accel.ts";
import { list, UsageError } from "./errors.ts";
import { parseVariables, SPEEDS, UDCS } from "./guest.ts";
import { KERNELS } from "./versions.ts";
import type { RunOptions } from "./vm.ts";

/** What a person asked for. */
export interface Arguments extends RunOptions {
  help: boolean;
  /** Only fetch and build. */
  prepare: boolean;
  /** Show the console. */
  verbose: boolean;
  /** A file that receives the kernel's log. */
  keepLog?: string;
}

/** The text of `--help`. */
export const HELP = `Run a command as root in a VM with a stock Debian kernel

Usage: deno task vm [OPTIONS] [--] COMMAND [ARGUMENT...]

The command sees this machine's files. What it writes is gone afterwards, except
in shared folders. Exit code: the command's, or 3 if the kernel complained, 124
after the time limit, 2 for a wrong command line, 1 if the VM could not start.

Machine:
  --kernel VERSION      ${Object.keys(KERNELS).join(", ")} (default 7.3)
  --udc NAME            stock: the dummy_hcd of the kernel (default); or sg: built with
                        scatter-gather, which DMABUF needs
  --hcd PARAMETERS      parameters of dummy_hcd (default "is_super_speed=1"), or
                        "none": without dummy_hcd, usb_f_fs and configfs
  --modules NAME,...    modules to load besides dummy_hcd and usb_f_fs
  --memory SIZE         for example 512M or 4G (default 2G)
  --accel NAME          ${ACCELERATORS.join(", ")} (default auto)
  --arch NAME           x86_64 or arm64 (default: this machine's); another one
                        than this machine's has programs of its own, and sees
                        this project, the current folder and shared folders
  --vmlinuz FILE        a kernel of your own, with ...
  --modules-dir DIR     ... its /lib/modules/RELEASE
  --mirror URL          a Debian archive (default: this machine's)

Command:
  --speed SPEED         ${
  SPEEDS.join(", ")
}; given as GADGET_SPEED (default super)
  --env NAME=VALUE      a variable; repeatable
  --cwd DIR             where the command starts (default: the current folder)
  --share DIR           a folder that the guest may write to; repeatable
  --timeout SECONDS     for boot and command together (default 300)

Log:
  --keep-log FILE       write the kernel's log to a file
  --allow-log REGEX     let the kernel complain of this; repeatable
  --verbose             show the kernel's console

  --prepare             only fetch and build what a run needs
  --help                show this text
`;

const VALUES = [
  "kernel",
  "udc",
  "hcd",
  "modules",
  "memory",
  "accel",
  "arch",
  "vmlinuz",
  "modules-dir",
  "mirror",
  "speed",
  "env",
  "cwd",
  "share",
  "timeout",
  "keep-log",
  "allow-log",
] as const;
const SWITCHES = ["verbose", "prepare", "help"] as const;
const REPEATABLE = ["env", "share", "allow-log"] as const;

type Repeatable = typeof REPEATABLE[number];
type Single = Exclude<typeof VALUES[number], Repeatable>;

/** Turns words into options. */
export function parseArguments(args: readonly string[]): Arguments {
  const start = commandStart(args);
  const unknown = (name: string) => {
    throw new UsageError(
      `Unknown option "${name.replace(/=.*/s, "")}": see --help`,
    );
  };
  const options = parseArgs(args.slice(0, start), {
    string: VALUES,
    boolean: SWITCHES,
    collect: REPEATABLE,
    unknown,
  });
  // One without its value is no text, whatever its type says.
  const check = (name: string, given: unknown): string => {
    if (typeof given === "string" && given !== "") return given;
    throw new UsageError(`Option "--${name}" needs a value`);
  };
  const value = (name: Single): string | undefined =>
    options[name] === undefined ? undefined : check(name, options[name]);
  const values = (name: Repeatable): string[] =>
    options[name].map((item) => check(name, item));
  const command = args.slice(args[start] === "--" ? start + 1 : start);
  const { help, prepare, verbose } = options;
  const accel = value("accel");
  const speed = value("speed");
  const udc = value("udc");
  const result: Arguments = {
    help,
    prepare,
    verbose,
    command,
    kernel: value("kernel"),
    udc: udc === undefined ? undefined : oneOf("udc", udc, UDCS),
    hcd: value("hcd"),
    modules: value("modules")?.split(",").map(checkModule),
    memory: parseMemory(value("memory")),
    accel: accel === undefined
      ? undefined
      : oneOf("accel", accel, ACCELERATORS),
    arch: value("arch"),
    vmlinuz: value("vmlinuz"),
    modulesDir: value("modules-dir"),
    mirror: value("mirror"),
    speed: speed === undefined ? undefined : oneOf("speed", speed, SPEEDS),
    env: parseVariables(values("env")),
    cwd: value("cwd"),
    shares: values("share"),
    timeout: parseSeconds(value("timeout")),
    keepLog: value("keep-log"),
    allowLog: values("allow-log").map(parsePattern),
  };
  if (command.length === 0 && !help && !prepare) {
    throw new UsageError("No command given: see --help");
  }
  return result;
}

/** Where the options end: at `--`, or at the first word that is not an option. */
function commandStart(args: readonly string[]): number {
  let index = 0;
  while (index < args.length) {
    const word = args[index];
    if (word === "--" || !word.startsWith("-")) break;
    index += VALUES.some((name) => word === `--${name}`) ? 2 : 1;
  }
  return Math.min(index, args.length);
}

function oneOf<T extends string>(
  name: string,
  value: string,
  known: readonly T[],
): T {
  const found = known.find((item) => item === value);
  if (found !== undefined) return found;
  throw new UsageError(
    `Cannot use "${value}" for --${name}: choose ${list(known, "or")}`,
  );
}

function checkModule(name: string): string {
  if (/^[\w-]+$/.test(name)) return name;
  throw new UsageError(
    `Cannot load module "${name}": expected names with commas between`,
  );
}

function parseMemory(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)([MG]?)$/i.exec(text);
  const megabytes = Number(match?.[1]) *
    (match?.[2].toUpperCase() === "G" ? 1024 : 1);
  if (megabytes >= 128) return megabytes;
  throw new UsageError(
    `Cannot use "${text}" for --memory: expected at least 128M, or like 2G`,
  );
}

function parseSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds < 1e6) return seconds;
  throw new UsageError(`Cannot use "${text}" for --timeout: expected seconds`);
}

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new UsageError(
      `Cannot use "${source}" for --allow-log: not a regular expression`,
    );
  }
}
