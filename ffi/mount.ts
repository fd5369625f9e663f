/**
 * Mounting and unmounting, and the table of mounts.
 *
 * @module
 */
import { MNT_DETACH } from "./abi.ts";
import { check } from "./errno.ts";
import { readTextFile } from "./file.ts";
import { cString, ERRNO, libc } from "./libc.ts";

/** What to mount, and where. */
export interface MountOptions {
  /** Device or instance name. */
  readonly source: string;
  /** Directory to mount on. */
  readonly target: string;
  /** File system, such as `"functionfs"`. */
  readonly type: string;
  /** Options of the file system, such as `"mode=0660,uid=5"`. */
  readonly data?: string;
  /** Advice for the reader of the error. */
  readonly hint?: string;
}

/** Mounts a file system. Needs CAP_SYS_ADMIN. */
export function mount(options: MountOptions): void {
  const { source, target, type, data = "", hint } = options;
  const result = libc().mount(
    cString(source),
    cString(target),
    cString(type),
    0n,
    cString(data),
  );
  check(result, ERRNO[0], {
    action: `mount ${type} "${source}"`,
    syscall: "mount",
    path: target,
    hint,
  });
}

/**
 * Unmounts a file system.
 *
 * @param lazy If it is busy, remove it from the mounts at once, and end it when
 * its last file is closed (MNT_DETACH).
 */
export function unmount(target: string, { lazy = false } = {}): void {
  check(libc().umount2(cString(target), lazy ? MNT_DETACH : 0), ERRNO[0], {
    action: "unmount",
    syscall: "umount2",
    path: target,
  });
}

/** One line of `/proc/self/mounts`. */
export interface MountEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Lists the mounts in the order in which they were made. */
export function listMounts(): MountEntry[] {
  return parseMounts(readTextFile("/proc/self/mounts"));
}

/** Reads the text of `/proc/self/mounts`. */
export function parseMounts(text: string): MountEntry[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [source, target, type, options] = line.split(" ").map(unescape);
    return { source, target, type, options: options.split(",") };
  });
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescape(field: string): string {
  return field.replace(
    /\\([0-7]{3})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
  );
}
