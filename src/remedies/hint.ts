/**
 * What to do about an error, added to its message. One error number has several
 * causes: a hint names the one that was found.
 *
 * @module
 */
import {
  type FailedCall,
  isSystemError,
  type SystemErrorFields,
} from "../../ffi/errno.ts";
import { readTextFile } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { listMounts } from "../../ffi/mount.ts";

/** What to do about a call that needs root. */
export const ROOT_REMEDY =
  "gadgets need root: run it with sudo, in a container also with --privileged";

const hinted = new WeakSet<Error>();

/** Adds a hint to the message of an error that has none yet. */
export function withHint<E extends Error & Partial<FailedCall>>(
  error: E,
  hint: string | undefined,
): E {
  if (hint === undefined || hinted.has(error)) return error;
  hinted.add(error);
  error.message += `: ${hint}`;
  return error;
}

/** Adds what to do to an error that reports a lack of permission. */
export function permissionHint(error: unknown): unknown {
  if (isSystemError(error, "EROFS")) {
    return withHint(error, readOnlyRemedy(error));
  }
  if (isSystemError(error, "EPERM", "EACCES")) {
    return withHint(error, rightsRemedy(error));
  }
  return error;
}

function readOnlyRemedy({ path = "" }: SystemErrorFields): string | undefined {
  const mounted = listMounts()
    .filter((it) => `${path}/`.startsWith(it.target.replace(/\/?$/, "/")))
    // Of several mounts on one directory, the last one is visible.
    .toSorted((a, b) => a.target.length - b.target.length).at(-1);
  if (mounted === undefined) return undefined;
  const { target, type } = mounted;
  const container = type === "sysfs" || type === "configfs"
    ? "--privileged"
    : `--tmpfs ${target}`;
  return `${target} is mounted read-only: "sudo mount -o remount,rw ${target}" makes it writable, in a container ${container}`;
}

/** Bits of `CapEff` in `/proc/self/status`. */
const CAP_DAC_OVERRIDE = 1n << 1n;
const CAP_SYS_ADMIN = 1n << 21n;
/** `uid_map` of the initial user namespace. */
const ALL_USERS = /^\s*0\s+0\s+4294967295\s*$/;

function rightsRemedy(
  { code, syscall, path = "" }: SystemErrorFields,
): string | undefined {
  // The file could be opened: its kind refuses the call, not its permissions.
  if (syscall === "write" || syscall === "read") return undefined;
  if (libc().geteuid() !== 0) return ROOT_REMEDY;
  if (!ALL_USERS.test(readTextFile("/proc/self/uid_map"))) {
    return "this process is root of a user namespace only, as in a rootless container; gadgets need the root of the machine";
  }
  const status = readTextFile("/proc/self/status");
  const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`);
  const [name, needed] = syscall === "mount" || syscall === "umount2"
    ? ["CAP_SYS_ADMIN", CAP_SYS_ADMIN]
    : ["CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE];
  if ((capabilities & needed) === 0n) {
    return `this process is root without ${name}; run it with that, in a container with --privileged`;
  }
  const inConfigfs = listMounts().some(({ type, target }) =>
    type === "configfs" && path.startsWith(`${target}/`)
  );
  return code === "EPERM" && inConfigfs
    ? "the kernel does not allow that directory there; check the name"
    : 'this process is root; a security module may refuse it (see "sudo dmesg")';
}
