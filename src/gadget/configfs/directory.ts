/**
 * Where configfs keeps gadgets.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { exists } from "../../../ffi/file.ts";
import { listMounts, mount } from "../../../ffi/mount.ts";
import { permissionHint } from "../../remedies/hint.ts";
import { moduleRemedy } from "../../remedies/kernel.ts";

const CONFIGFS = "/sys/kernel/config";

/**
 * The directory of all gadgets. configfs is mounted if it is not.
 *
 * @throws {Deno.errors.NotFound} If the kernel has no gadget support, with the
 * command that loads it.
 * @throws {Deno.errors.PermissionDenied} Without the right to mount configfs.
 */
export function gadgetsDirectory(): string {
  const path = `${configfsDirectory()}/usb_gadget`;
  if (!exists(path)) {
    throw missing("gadget support is not loaded", path);
  }
  return path;
}

/** Where configfs is mounted, or `undefined`. */
export function findConfigfs(): string | undefined {
  return listMounts().find(({ type }) => type === "configfs")?.target;
}

function configfsDirectory(): string {
  const mounted = findConfigfs();
  if (mounted !== undefined) return mounted;
  if (!exists(CONFIGFS)) {
    throw missing("configfs is not loaded", CONFIGFS);
  }
  try {
    mount({ source: "none", target: CONFIGFS, type: "configfs" });
  } catch (error) {
    throw permissionHint(error);
  }
  return CONFIGFS;
}

/** What libcomposite brings is missing: configfs, too. */
function missing(what: string, path: string): Error {
  const remedy = exists("/sys/kernel")
    ? moduleRemedy("libcomposite")
    : 'sysfs is not mounted; mount it with "sudo mount -t sysfs none /sys"';
  return errorOf(
    Errno.ENOENT,
    `Cannot make gadgets: the kernel's ${what}: ${path}: ${remedy}`,
    { syscall: "access", path },
  );
}
