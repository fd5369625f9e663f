/**
 * Reads the command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ACCELERATORS } from "./machine/accel.ts";
import { list, UsageError } from "./errors.ts";
import { parseVariables, SPEEDS, UDCS } from "./guest/guest.ts";
import { MIRROR_VARIABLE } from "./debian/mirror.ts";
import { KERNELS } from "./debian/versions.ts";
import type { VmRunOptions } from "./options.ts";

/** What a person asked for. */
export interface Arguments extends VmRunOptions {
  help: boolean;
  /** Only fetch and build. */
  prepare: boolean;
  /** Show the console. */
  verbose: boolean;
  /** A file that receives the kernel's log. */
  keepLog?: string;
}

/** The text of `--help`. */
export const HELP =
  `Runs a command as root on a stock Debian kernel with a virtual USB device
controller, in QEMU.

Usage: deno run --allow-all jsr:@usb/gadget/vm [OPTIONS] [--] COMMAND [ARGUMENT...]

The command sees this machine's files. What it writes is gone afterwards, except
in shared folders. It has no network: "deno cache FILE" on this machine fetches
what a program imports. Exit code: the command's, or 3 if the kernel complained,
124 after the time limit, 2 for a wrong command line, 1 if the VM could not start.

Machine:
  --kernel VERSION      ${Object.keys(KERNELS).join(", ")} (default 7.3)
  --mirror URL          the Debian archive that has the kernel (default: the
                        variable ${MIRROR_VARIABLE}, or what this machine's
                        apt uses); its signatures are checked with Debian's keys
  --vmlinuz FILE        a kernel of your own, with ...
  --modules-dir DIR     ... its /lib/modules/RELEASE
  --arch NAME           x86_64 or arm64 (default: this machine's); another one
                        than this machine's is emulated, has programs of its own,
                        and sees the current folder and shared folders
  --accel NAME          ${ACCELERATORS.join(", ")} (default auto)
  --memory SIZE         for example 512M or 4G (default 2G)
  --processors N        1 or 2 (default 2)
  --udc NAME            stock: the dummy_hcd of the kernel (default); or sg: built
                        with scatter-gather, which DMABUF needs
  --hcd PARAMETERS      parameters of dummy_hcd (default "is_super_speed=1"), or
                        "none": without dummy_hcd, usb_f_fs and configfs
  --modules NAME,...    modules to load besides dummy_hcd and usb_f_fs

Command:
  --speed SPEED         ${SPEEDS.join(", ")} (default super), given to the
                        command as GADGET_SPEED
  --env NAME=VALUE      a variable; repeatable
  --cwd DIR             where the command starts (default: the current folder)
  --share DIR           a folder that the command may write to; repeatable
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
  "processors",
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

/** As node:util has them. Only some may be repeated; of the others the last one counts. */
const OPTIONS: Record<string, { type: "string" | "boolean"; multiple: true }> =
  Object.fromEntries([
    ...VALUES.map((name) => [name, { type: "string", multiple: true }]),
    ...SWITCHES.map((name) => [name, { type: "boolean", multiple: true }]),
  ]);

/** Turns words into options. */
export function parseArguments(args: readonly string[]): Arguments {
  const start = commandStart(args);
  const { values: given, tokens } = parseArgs({
    args: args.slice(0, start),
    options: OPTIONS,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option" || token.name in OPTIONS) continue;
    throw new UsageError(`Unknown option "${token.rawName}": see --help`);
  }
  const values = (name: typeof VALUES[number]): string[] =>
    [given[name] ?? []].flat().map((item) => {
      if (typeof item === "string" && item !== "") return item;
      throw new UsageError(`Option "--${name}" needs a value`);
    });
  const value = (name: typeof VALUES[number]) => values(name).at(-1);
  const command = args.slice(args[start] === "--" ? start + 1 : start);
  const help = given.help !== undefined;
  const accel = value("accel");
  const speed = value("speed");
  const udc = value("udc");
  const result: Arguments = {
    help,
    prepare: given.prepare !== undefined,
    verbose: given.verbose !== undefined,
    command,
    kernel: value("kernel"),
    udc: udc === undefined ? undefined : oneOf("udc", udc, UDCS),
    hcd: value("hcd"),
    modules: value("modules")?.split(",").map(checkModule),
    memory: parseMemory(value("memory")),
    processors: parseProcessors(value("processors")),
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
  if (command.length === 0 && !help && !result.prepare) {
    throw new UsageError("No command given: see --help");
  }
  return result;
}

function parseProcessors(text: string | undefined): 1 | 2 | undefined {
  if (text === undefined) return undefined;
  return oneOf("processors", text, ["1", "2"]) === "1" ? 1 : 2;
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

/** The value of the option `--NAME`, if it is known. */
export function oneOf<T extends string>(
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
