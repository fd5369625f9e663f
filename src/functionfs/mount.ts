/**
 * Mounts of FunctionFS: their options, and mounts of other programs' instances.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, mkdir, rmdir } from "../../ffi/file.ts";
import { listMounts, mount } from "../../ffi/mount.ts";
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  type Rules,
  TEXT,
} from "../arguments/rules.ts";
import { permissionHint, withHint } from "../remedies/hint.ts";
import { explainMount } from "../remedies/mount.ts";
import { unmountNow } from "../state/mounts.ts";

/**
 * How a FunctionFS instance is mounted.
 *
 * @category Gadget
 */
export interface FunctionMountOptions {
  /**
   * Where to mount it. A missing directory is made, and removed afterwards. An
   * instance already mounted there is used, and unmounted with the gadget:
   * otherwise the kernel keeps the gadget's directory.
   * @default {`/run/usb-gadget/GADGET/FUNCTION`}
   */
  readonly path?: string;
  /**
   * Whether the gadget stays attached, and stalls, when the function's last
   * file is closed. It is still detached when the function is opened again.
   * @default {false; true for a gadget that is started on usbip-vudc}
   */
  readonly noDisconnect?: boolean;
  /**
   * Permissions of the directory. The kernel uses the bits for read and execute.
   * @default {0o500}
   */
  readonly rmode?: number;
  /**
   * Permissions of the files. The kernel uses the bits for read and write.
   * @default {0o600}
   */
  readonly fmode?: number;
  /** Permissions of both. */
  readonly mode?: number;
  /**
   * The user that owns directory and files.
   * @default {0}
   */
  readonly uid?: number;
  /**
   * The group that owns directory and files.
   * @default {0}
   */
  readonly gid?: number;
}

const OPTIONS: Rules<FunctionMountOptions> = {
  path: TEXT,
  noDisconnect: FLAG,
  rmode: NUMBER,
  fmode: NUMBER,
  mode: NUMBER,
  uid: NUMBER,
  gid: NUMBER,
};

/** Checks the types of options; {@linkcode mountData} checks their ranges. */
export function checkMountOptions(
  options: FunctionMountOptions,
  required: readonly (keyof FunctionMountOptions)[] = [],
): void {
  checkOptions("mount functionfs", options, OPTIONS, required);
}

/**
 * The options as mount(2) takes them.
 *
 * @throws {RangeError} If a number is out of its range.
 */
export function mountData(options: FunctionMountOptions): string {
  const { noDisconnect, rmode, fmode, mode, uid, gid } = options;
  const number = (name: string, value: number | undefined, max: number) => {
    if (value === undefined) return [];
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RangeError(
        `Cannot mount functionfs: "${name}" must be an integer from 0 to ${max}, is ${value}`,
      );
    }
    return [
      `${name}=${name.endsWith("mode") ? `0${value.toString(8)}` : value}`,
    ];
  };
  return [
    // The kernel refuses the option without a value.
    ...(noDisconnect === undefined
      ? []
      : [`no_disconnect=${noDisconnect ? 1 : 0}`]),
    ...number("mode", mode, 0o777),
    ...number("rmode", rmode, 0o777),
    ...number("fmode", fmode, 0o777),
    ...number("uid", uid, 0xffff_fffe),
    ...number("gid", gid, 0xffff_fffe),
  ].join(",");
}

/**
 * A FunctionFS instance mounted by {@linkcode mountFunctionFs}.
 *
 * @category Functions
 */
export interface MountedFunctionFs extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
  /**
   * Unmounts it, and removes the directory if it was made for it. While files
   * are open, the mount ends with the last of them. A second call does nothing.
   */
  unmount(): void;
}

/**
 * Mounts a FunctionFS instance made by another program: a function of g_ffs, or
 * `functions/ffs.NAME` of a gadget made by an init script.
 *
 * With the legacy driver g_ffs, a device of two functions works like this, in
 * one process or in two: after `modprobe g_ffs functions=mtp,hid` (and
 * `idVendor=`, `idProduct=`, `iSerialNumber=`), mount `"mtp"` and `"hid"`, and
 * open each with `FunctionFs.open()`. The device appears when the last function
 * has its descriptors, and leaves when the first one is closed. Without
 * `functions=`, or with a single name, g_ffs takes one function of any name.
 * Where configfs is available, prefer `Gadget.start()`: g_ffs adds Ethernet
 * functions if it was built with them, and reports nothing when it fails to
 * bind.
 *
 * @param name The name of the instance: one of `functions=` of g_ffs, or the
 * `NAME` of `functions/ffs.NAME`.
 * @param options Where to mount it, and with which permissions. An instance
 * already mounted there, as after a crash, is used and stays mounted.
 * @throws {TypeError} If an argument is of another type.
 * @throws {Deno.errors.NotFound} If the instance does not exist.
 * @throws {Deno.errors.Busy} If it is mounted elsewhere.
 *
 * @category Functions
 */
export function mountFunctionFs(
  name: string,
  options: FunctionMountOptions & { readonly path: string },
): MountedFunctionFs {
  checkArgument("mount functionfs", "the name", name, TEXT);
  checkMountOptions(options, ["path"]);
  const { path } = options;
  const data = mountData(options);
  const present = listMounts().some(({ type, source, target }) =>
    type === "functionfs" && source === name && target === path
  );
  if (present) {
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
    unmountNow(path);
    if (made) rmdir(path);
  };
  return { path, unmount: end, [Symbol.dispose]: end };
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
