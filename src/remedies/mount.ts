/**
 * Why a FunctionFS instance could not be mounted, or a function on it not opened.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, readTextFile, realPath } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { listMounts } from "../../ffi/mount.ts";
import { permissionHint, withHint } from "./hint.ts";
import { moduleRemedy } from "./kernel.ts";

/** Adds to an error why an instance could not be mounted. */
export function explainMount(error: unknown, instance: string): unknown {
  if (!isSystemError(error) || error.syscall !== "mount") {
    return permissionHint(error);
  }
  switch (error.code) {
    case "ENODEV":
      return withHint(error, moduleRemedy("usb_f_fs"));
    case "EBUSY": {
      const other = listMounts().find(({ type, source }) =>
        type === "functionfs" && source === instance
      );
      return withHint(
        error,
        other === undefined
          ? `the instance "${instance}" is mounted where this process does not see it, or a process has files of an earlier mount open`
          : `the instance "${instance}" is mounted on ${other.target}`,
      );
    }
    default:
      return permissionHint(error);
  }
}

/** Adds to an error of the first `open` what is wrong with the mount. */
export function explainOpen(error: unknown, mountPoint: string): unknown {
  if (!isSystemError(error) || error.syscall !== "open") return error;
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
      return isMounted(mountPoint)
        ? error
        : withHint(error, mountRemedy(mountPoint));
    case "EPERM":
    case "EACCES":
      return libc().geteuid() === 0 ? error : withHint(
        error,
        `the user of this process may not open it: mount it with the options "uid", "gid" or "mode", or run as root`,
      );
    default:
      return error;
  }
}

function isMounted(mountPoint: string): boolean {
  if (!exists(mountPoint)) return false;
  const path = realPath(mountPoint);
  return listMounts().some(({ type, target }) =>
    type === "functionfs" && target === path
  );
}

function mountRemedy(mountPoint: string): string {
  const what = exists(mountPoint)
    ? "no FunctionFS is mounted there"
    : "the directory does not exist";
  return /\tfunctionfs$/m.test(readTextFile("/proc/filesystems"))
    ? `${what}; Gadget.start() or mountFunctionFs() mounts one`
    : `${what}, and the kernel has not loaded FunctionFS; "sudo modprobe usb_f_fs" loads it where the kernel has it, and Gadget.start() or mountFunctionFs() mounts one`;
}
