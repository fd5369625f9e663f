/**
 * Mounts of FunctionFS instances that somebody else has made.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, mkdir, rmdir } from "../../ffi/file.ts";
import { listMounts, mount, unmount } from "../../ffi/mount.ts";
import { checkArgument, TEXT } from "../arguments/rules.ts";
import {
  checkMountOptions,
  explainMount,
  type FunctionMountOptions,
  mountData,
} from "../state/mounts.ts";
import { permissionHint, withHint } from "../remedies/hint.ts";

/** A FunctionFS instance that {@linkcode mountFunctionFs} has mounted. */
export interface MountedFunctionFs extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
  /**
   * Unmounts it, and removes the directory if it was made for it. While files
   * are open the mount ends with the last of them. A second call does nothing.
   */
  unmount(): void;
}

/**
 * Mounts a FunctionFS instance that somebody else has made: a function of
 * g_ffs, or `functions/ffs.NAME` of a gadget that an init script makes.
 *
 * With the legacy driver g_ffs a device of two functions is this, in two
 * processes or in one: after `modprobe g_ffs functions=mtp,hid`
 * (and `idVendor=`, `idProduct=`, `iSerialNumber=`), mount `"mtp"` and `"hid"`
 * and open each with `FunctionFs.open()`. The device appears when the last one
 * has its descriptors, and leaves when the first one is closed. Without
 * `functions=`, or with a single name, g_ffs takes one function of any name.
 * Where configfs is there, prefer `Gadget.start()`: g_ffs adds Ethernet
 * functions where it was built so, and tells nothing when it fails to bind.
 *
 * @param name The name of the instance: what g_ffs was given, or the `NAME` of
 * `functions/ffs.NAME`.
 * @param options Where, and with which permissions; see
 * {@linkcode FunctionMountOptions}. If the instance is mounted there already,
 * as after a crash, it is used as it is, and stays.
 * @throws {TypeError} If an argument is of another type.
 * @throws {Deno.errors.NotFound} If there is no such instance.
 * @throws {Deno.errors.Busy} If it is mounted elsewhere.
 */
export function mountFunctionFs(
  name: string,
  options: FunctionMountOptions & { readonly path: string },
): MountedFunctionFs {
  checkArgument("mount functionfs", "the name", name, TEXT);
  checkMountOptions(options, ["path"]);
  const { path } = options;
  const data = mountData(options);
  if (isMounted(name, path)) {
    const keep = () => {};
    return { path, unmount: keep, [Symbol.dispose]: keep };
  }
  const made = !exists(path);
  if (made) {
    try {
      mkdir(path, { action: "make mount point", mode: 0o755 });
    } catch (error) {
      throw permissionHint(error);
    }
  }
  try {
    mount({ source: name, target: path, type: "functionfs", data });
  } catch (error) {
    if (made) rmdir(path);
    throw explain(error, name);
  }
  let mounted = true;
  const end = () => {
    if (!mounted) return;
    mounted = false;
    try {
      unmount(path);
    } catch (error) {
      if (!isSystemError(error, "EBUSY")) throw error;
      unmount(path, { lazy: true });
    }
    if (made) rmdir(path);
  };
  return { path, unmount: end, [Symbol.dispose]: end };
}

function isMounted(name: string, path: string): boolean {
  return listMounts().some(({ type, source, target }) =>
    type === "functionfs" && source === name && target === path
  );
}

function explain(error: unknown, name: string): unknown {
  if (isSystemError(error, "ENOENT") && error.syscall === "mount") {
    return withHint(
      error,
      `no gadget has a FunctionFS instance "${name}"; make functions/ffs.${name} in configfs, or load g_ffs with "sudo modprobe g_ffs functions=${name}"`,
    );
  }
  return explainMount(error, name);
}
