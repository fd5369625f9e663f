/**
 * Whose a gadget is.
 *
 * For each gadget that this package makes there is a link
 * `/run/usb-gadget/NAME=owner`, made before anything else and removed after
 * everything else. It leads nowhere; its target names the owner. A link appears
 * in one step with its content, so there is no moment in which SIGKILL leaves
 * something that is nobody's. `/run` is as short-lived as configfs.
 *
 * Somebody may have removed the gadget of a process that has ended, and made
 * another one of the same name. A second link, `NAME=tree`, tells them apart:
 * its target is the inode number of the gadget's directory.
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
import { STATE } from "./descriptors.ts";
import { permissionHint } from "../remedies/hint.ts";

/** A link of this name says whose the gadget is: the longest of the names beside it. */
export const OWNER = "=owner";
const TREE = "=tree";
/** No process has it as its owner: a gadget that stays. */
const PERSISTENT = "persistent";

/** Who owns a gadget. */
export interface Claim {
  /** The name of the gadget. */
  readonly name: string;
  /** The process, 0 for a gadget that stays by itself. */
  readonly pid: number;
  /**
   * - `"alive"`: its process runs, and the thread of its isolate does; or that
   *   cannot be known.
   * - `"dead"`: its process or its Worker has ended and left it behind.
   * - `"persistent"`: it stays without a process.
   */
  readonly owner: "alive" | "dead" | "persistent";
}

/**
 * Makes a gadget of this name ours.
 *
 * @returns False if it is somebody's already.
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
    symlink(persistent ? PERSISTENT : identity(), ownerLink(name), {
      action: `claim gadget "${name}"`,
    });
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw permissionHint(error);
  }
}

/** Notes which directory the claim is about, right after that was made. */
export function claimTree(path: string): void {
  const { name, inode } = treeOf(path);
  symlink(String(inode), `${STATE}/${name}${TREE}`, {
    action: `claim gadget "${name}"`,
  });
}

/**
 * Tells whether the directory of a gadget of ours is the one that was claimed.
 * Without a note it is: its process was killed right after it had made it.
 */
export function isClaimedTree(path: string): boolean {
  const { name, inode } = treeOf(path);
  const noted = readlinkIfThere(`${STATE}/${name}${TREE}`);
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
  for (const link of [`${STATE}/${name}${TREE}`, ownerLink(name)]) {
    try {
      unlink(link);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
}

/** Lists all claims, by name. */
export function listClaims(): Claim[] {
  if (!exists(STATE)) return [];
  return list(STATE)
    .filter((it) => it.isSymlink && it.name.endsWith(OWNER))
    .map((it) => readClaim(it.name.slice(0, -OWNER.length)))
    .filter((it) => it !== undefined)
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Reads the claim to a gadget, if there is one. */
export function readClaim(name: string): Claim | undefined {
  const owner = readlinkIfThere(ownerLink(name));
  if (owner === undefined) return undefined;
  if (owner === PERSISTENT) return { name, pid: 0, owner: "persistent" };
  const [pid] = owner.split(" ");
  return { name, pid: Number(pid), owner: isAlive(owner) ? "alive" : "dead" };
}

function ownerLink(name: string): string {
  return `${STATE}/${name}${OWNER}`;
}

/**
 * Process and thread, each with the time of its start: a number alone can be
 * another one's tomorrow.
 */
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
  // The processes of another container cannot be seen from here.
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
