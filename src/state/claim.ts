/**
 * Who owns a gadget.
 *
 * Each gadget of this package has a link `/run/usb-gadget/NAME=owner`, made
 * before anything else and removed after everything else. It leads nowhere; its
 * target names the owner. A link appears in one step with its content, so
 * SIGKILL never leaves anything without an owner. `/run` is as short-lived as
 * configfs.
 *
 * Another program may have removed the gadget of a process that has ended, and
 * made a new one of the same name. A second link, `NAME=tree`, distinguishes
 * them: its target is the inode number of the gadget's directory.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import {
  exists,
  list,
  mkdir,
  readlink,
  readlinkIfThere,
  readTextFile,
  symlink,
  unlink,
} from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { GADGET_FILE, STATE } from "../definition/gadget_names.ts";
import { permissionHint } from "../remedies/hint.ts";

/** The owner of a gadget that stays without a process. */
const PERSISTENT = "persistent";

/** Who owns a gadget. */
export interface Claim {
  /** The name of the gadget. */
  readonly name: string;
  /** The process, 0 for a persistent gadget. */
  readonly pid: number;
  /**
   * - `"alive"`: its process and the thread of its isolate run, or that cannot
   *   be known.
   * - `"dead"`: its process or its Worker has ended without removing it.
   * - `"persistent"`: it stays without a process.
   */
  readonly owner: "alive" | "dead" | "persistent";
}

/**
 * Claims a name for a gadget of this process.
 *
 * @returns False if the name has an owner already.
 * @throws {Deno.errors.PermissionDenied} Without the right to.
 */
export function claim(name: string, persistent: boolean): boolean {
  try {
    if (!exists(STATE)) {
      try {
        mkdir(STATE, { mode: 0o755, action: "make directory of gadgets" });
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
      }
    }
    symlink(persistent ? PERSISTENT : identity(), link(name, "owner"), {
      action: `claim gadget "${name}"`,
    });
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw permissionHint(error);
  }
}

/** Notes the directory that the claim is for, right after that was made. */
export function claimTree(path: string): void {
  const { name, inode } = treeOf(path);
  symlink(String(inode), link(name, "tree"), {
    action: `claim gadget "${name}"`,
  });
}

/**
 * Whether the directory of a gadget of ours is the one that was claimed. Without
 * a note it is: the process was killed right after it had made the directory.
 */
export function isClaimedTree(path: string): boolean {
  const { name, inode } = treeOf(path);
  const noted = readlinkIfThere(link(name, "tree"));
  return noted === undefined || noted === String(inode);
}

function treeOf(path: string): { name: string; inode: number | undefined } {
  const at = path.lastIndexOf("/");
  const name = path.slice(at + 1);
  const entry = list(path.slice(0, at)).find((it) => it.name === name);
  return { name, inode: entry?.inode };
}

/** Ends a claim, after everything else was removed. */
export function unclaim(name: string): void {
  for (const file of ["tree", "owner"] as const) {
    try {
      unlink(link(name, file));
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
}

/** Lists all claims, by name. */
export function listClaims(): Claim[] {
  if (!exists(STATE)) return [];
  return list(STATE)
    .filter((it) => it.isSymlink && it.name.endsWith(GADGET_FILE.owner))
    .map((it) => readClaim(it.name.slice(0, -GADGET_FILE.owner.length)))
    .filter((it) => it !== undefined)
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Reads the claim on a gadget, if it has one. */
export function readClaim(name: string): Claim | undefined {
  const owner = readlinkIfThere(link(name, "owner"));
  if (owner === undefined) return undefined;
  if (owner === PERSISTENT) return { name, pid: 0, owner: "persistent" };
  const [pid] = owner.split(" ");
  return { name, pid: Number(pid), owner: isAlive(owner) ? "alive" : "dead" };
}

function link(name: string, file: keyof typeof GADGET_FILE): string {
  return `${STATE}/${name}${GADGET_FILE[file]}`;
}

/** Process and thread, each with its start time, because numbers are reused. */
function identity(): string {
  const thread = libc().gettid();
  return [
    Deno.pid,
    startTime("self"),
    pidNamespace(),
    thread,
    startTime(`self/task/${thread}`),
  ].join(" ");
}

function pidNamespace(): string {
  return readlink("/proc/self/ns/pid");
}

function isAlive(owner: string): boolean {
  const [pid, start, namespace, thread, threadStart] = owner.split(" ");
  // The processes of another container are invisible here.
  if (namespace !== pidNamespace()) return true;
  return startTime(pid) === start &&
    startTime(`${pid}/task/${thread}`) === threadStart;
}

/**
 * When a process or a thread was started, in ticks since boot (field 22 of
 * `/proc/PID/stat`); `undefined` for one that has ended, zombies included.
 */
function startTime(path: string): string | undefined {
  let stat: string;
  try {
    stat = readTextFile(`/proc/${path}/stat`);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
  // The second field is the name in parentheses, which can contain anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return state === "Z" || state === "X" ? undefined : fields[22 - 3];
}
