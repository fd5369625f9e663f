/**
 * Says what a run finds in the guest: the command with its environment, the
 * folders, the modules. It becomes a small archive behind the initial file
 * system, where no length limit and no quoting rule of the kernel's command
 * line applies.
 *
 * @module
 */

import { file, packCpio } from "./cpio.ts";
import { UsageError } from "../errors.ts";
import init from "./init.sh" with { type: "text" };

/** The speeds that a run can ask for. */
export const SPEEDS = ["full", "high", "super"] as const;
export type Speed = (typeof SPEEDS)[number];

/** The device controllers: dummy_hcd, and one that can scatter-gather. */
export const UDCS = ["stock", "sg"] as const;
export type UdcKind = (typeof UDCS)[number];

/** The instructions for the guest. */
export interface GuestSettings {
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Modules to load besides the usual ones. */
  modules: readonly string[];
  /** Parameters of dummy_hcd. */
  hcd: string;
  /** The file of another dummy_hcd than the kernel's own. */
  udcModule?: string;
  /** The kernel's messages below this level go on to reach the console. */
  consoleLevel: number;
  /** Host folders that the guest may write to; absolute, without symlinks. */
  shares: readonly string[];
  /** The kernel's release, as `uname -r` gives it. */
  release: string;
  /** The kernel's module folder on the host. */
  modulesDir: string;
  /** The secret that marks the end of an output stream. */
  marker: string;
  /** Whether the command's standard input is the host's port, or empty. */
  input: boolean;
  /** For a guest that cannot use the host's programs: what it has in place. */
  foreign?: ForeignFiles;
}

/** The files of a guest of another architecture; absolute, without symlinks. */
export interface ForeignFiles {
  /** The host folder that is `/` in the guest. */
  root: string;
  /** The host folder with the guest's Deno. */
  denoFolder: string;
  /** Host folders that the guest sees at the same paths. */
  folders: readonly string[];
}

/** Where a guest of another architecture finds its Deno. */
const FOREIGN_DENO = "/opt/deno";

/** Folders that are new in the guest, with their mount options. */
const FRESH: Readonly<Record<string, string>> = {
  "/tmp": "mode=1777",
  "/run": "mode=755",
};

/**
 * Variables that the command inherits, where the host has them. Deno's cache is
 * ordered by the addresses of the registries.
 */
const INHERITED = (
  "HOME USER LOGNAME TERM COLORTERM NO_COLOR FORCE_COLOR CI LANG LC_ALL TZ " +
  "XDG_CACHE_HOME RUST_BACKTRACE JSR_URL NPM_CONFIG_REGISTRY"
).split(" ");

/** Packs the part of the initial file system that belongs to one run. */
export async function buildRunArchive(
  settings: GuestSettings,
): Promise<Uint8Array> {
  const variables = {
    MARKER: settings.marker,
    MODULES: settings.modules.join(" "),
    HCD: settings.hcd,
    CONSOLE_LEVEL: `${settings.consoleLevel}`,
    ROOT: settings.foreign?.root ?? "",
    INPUT: settings.input ? "yes" : "",
  };
  return packCpio([
    file("init", init, 0o755),
    file("gadget-vm/init.sh", init, 0o755),
    file(
      "gadget-vm/settings",
      assignments(variables).map((line) => `${line}\n`).join(""),
    ),
    file(
      "gadget-vm/mounts",
      mountLines(settings).map((line) => `${line}\n`).join(""),
    ),
    file("gadget-vm/command", commandScript(settings)),
    // Unpacked later than the kernel's own, and so in its place.
    ...(settings.udcModule === undefined ? [] : [
      file(
        "gadget-vm/modules/dummy_hcd",
        await Deno.readFile(settings.udcModule),
      ),
    ]),
  ]);
}

/**
 * The environment of the command: a few of the host's variables, the host's
 * Deno first in `PATH`, and Deno's cache, so that it is warm in the guest.
 *
 * @param native Whether the guest can run the host's programs.
 */
export function guestEnvironment(
  host: Readonly<Record<string, string>>,
  execPath: string,
  native = true,
): Record<string, string> {
  const env: Record<string, string> = { HOME: "/root", USER: "root" };
  for (const name of INHERITED) {
    if (host[name] !== undefined) env[name] = host[name];
  }
  const denoFolder = native
    ? execPath.slice(0, execPath.lastIndexOf("/")) || "/"
    : FOREIGN_DENO;
  const path = native
    ? (host.PATH ?? "").split(":").filter((folder) => folder !== "")
    : [];
  const system = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ];
  env.PATH = [...new Set([denoFolder, ...path, ...system])].join(":");
  const cache = host.XDG_CACHE_HOME || `${env.HOME}/.cache`;
  env.DENO_DIR = host.DENO_DIR || `${cache}/deno`;
  env.DENO_NO_UPDATE_CHECK = "1";
  return env;
}

/** A shell script that becomes the command, with exactly these arguments. */
export function commandScript(
  { command, cwd, env }: Pick<GuestSettings, "command" | "cwd" | "env">,
): string {
  const variables = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  // The host's env takes names that a shell does not, and never a BusyBox
  // applet in place of a host program.
  return `cd ${quote(cwd)} || exit 127\n` +
    `exec /usr/bin/env -i ${[...variables, ...command].map(quote).join(" ")}\n`;
}

/**
 * The mounts on top of the host's files, in order, as "KIND WHERE WHAT". A
 * folder that the command needs but a fresh one hides shows through. A kernel
 * without modules has no folder for them.
 */
export function mountLines(
  { cwd, env, shares, release, modulesDir, foreign }:
    & Pick<GuestSettings, "cwd" | "env" | "shares" | "foreign">
    & Partial<Pick<GuestSettings, "release" | "modulesDir">>,
): string[] {
  const layers = foreign === undefined
    ? [cwd, env.HOME, env.DENO_DIR, env.PATH?.split(":")[0]].map(hiddenFolder)
    : outermost([...foreign.folders, cwd, env.DENO_DIR]);
  return [
    ...Object.entries(FRESH).map(([path, options]) =>
      `tmpfs ${escape(path)} ${options}`
    ),
    ...[...new Set(layers)].filter((path) => path !== undefined)
      .map((path) => `layer ${escape(path)} ${escape(path)}`),
    ...(foreign === undefined
      ? []
      : [`layer ${FOREIGN_DENO} ${escape(foreign.denoFolder)}`]),
    ...(modulesDir === undefined
      ? []
      : [`layer ${escape(`/lib/modules/${release}`)} ${escape(modulesDir)}`]),
    ...shares.map((path, index) => `share ${escape(path)} share${index}`),
  ];
}

/** The folder in a fresh one that has to show through for a path: `/tmp/a` for `/tmp/a/b`. */
function hiddenFolder(path: string | undefined): string | undefined {
  const [, top, next] = (path ?? "").split("/");
  return `/${top}` in FRESH && next ? `/${top}/${next}` : undefined;
}

/** Leaves out the root, and folders inside of others. */
function outermost(folders: readonly string[]): string[] {
  return folders.filter((folder) =>
    folder !== "/" &&
    !folders.some((other) => folder.startsWith(`${other}/`))
  );
}

/** Checks variables that were given as `NAME=VALUE`. */
export function parseVariables(
  settings: readonly string[],
): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const at = setting.indexOf("=");
    if (at < 1) {
      throw new UsageError(
        `Cannot set variable "${setting}": expected NAME=VALUE`,
      );
    }
    return [setting.slice(0, at), setting.slice(at + 1)];
  }));
}

function assignments(variables: Record<string, string>): string[] {
  return Object.entries(variables).map(([name, value]) =>
    `${name}=${quote(value)}`
  );
}

/** Quotes a word for the shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Escapes spaces and control characters for `printf %b`. */
function escape(path: string): string {
  return path.replace(
    /[\s\\]/g,
    (char) => `\\0${char.charCodeAt(0).toString(8)}`,
  );
}
