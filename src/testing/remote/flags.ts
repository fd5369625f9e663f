/**
 * How this process was started, for a second one that loads the same file.
 *
 * @module
 */

/** Options that decide what modules are. */
const RESOLUTION = new Set([
  "--cert",
  "--conditions",
  "--config",
  "--frozen",
  "--import-map",
  "--lock",
  "--no-config",
  "--no-lock",
  "--node-modules-dir",
  "--vendor",
  "-c",
]);

/** Options of `deno test` that decide how they run. */
const TEST = new Set([
  "--location",
  "--preload",
  "--require",
  "--seed",
  "--trace-leaks",
  "--v8-flags",
]);

/** Of these, those whose value may be the next argument. */
const WITH_VALUE = new Set([
  "--cert",
  "--conditions",
  "--config",
  "--import-map",
  "--location",
  "--preload",
  "--require",
  "--seed",
  "-c",
]);

/** What is taken from a command line. */
export interface Flags {
  /** Options for a process that finds modules in the same way. */
  readonly resolution: readonly string[];
  /** Further options, for a process that tests. */
  readonly test: readonly string[];
  /** The folder for data of coverage, if that is gathered. */
  readonly coverage?: string;
}

/** Reads the command line of `deno test`. */
export function readFlags(commandLine: readonly string[]): Flags {
  const resolution: string[] = [];
  const test: string[] = [];
  let coverage: string | undefined;
  const end = commandLine.indexOf("--");
  const options = end < 0 ? commandLine : commandLine.slice(0, end);
  for (let index = 1; index < options.length; index++) {
    const [name, value] = splitOption(options[index]);
    if (name === "--coverage") coverage = value ?? "coverage";
    const kept = RESOLUTION.has(name) || name.startsWith("--unstable")
      ? resolution
      : TEST.has(name)
      ? test
      : undefined;
    kept?.push(options[index]);
    if (WITH_VALUE.has(name) && value === undefined) {
      kept?.push(options[++index] ?? "");
    }
  }
  return { resolution, test, coverage };
}

/** The command line of this process; nothing but its name without `/proc`. */
export function ownCommandLine(): string[] {
  return Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
}

function splitOption(text: string): [name: string, value?: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
