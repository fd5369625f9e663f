/**
 * Why a function could not be opened on a mount.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, readTextFile, realPath } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { listMounts } from "../../ffi/mount.ts";

/** Adds to an error of the first `open` what is wrong with the mount. */
export function explainOpen(error: unknown, mountPoint: string): unknown {
  if (!isSystemError(error) || error.syscall !== "open") return error;
  const hint = openHint(error.code, mountPoint);
  if (hint !== undefined) error.message += `: ${hint}`;
  return error;
}

function openHint(code: string, mountPoint: string): string | undefined {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return isMounted(mountPoint) ? undefined : mountRemedy(mountPoint);
    case "EPERM":
    case "EACCES":
      return libc().geteuid() !== 0
        ? `the user of this process may not open it: mount it with the options "uid", "gid" or "mode", or run as root`
        : undefined;
    default:
      return undefined;
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
    : "there is no such mount";
  return hasFunctionFs()
    ? `${what}; Gadget.start() or mountFunctionFs() mounts one`
    : `${what}, and the kernel has FunctionFS not loaded; "sudo modprobe usb_f_fs" loads it where the kernel has it, and Gadget.start() or mountFunctionFs() mounts one`;
}

/** Whether the kernel knows the file system at the moment. */
function hasFunctionFs(): boolean {
  return /\tfunctionfs$/m.test(readTextFile("/proc/filesystems"));
}
