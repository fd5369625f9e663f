/**
 * Mounts of FunctionFS instances.
 *
 * @module
 */
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import {
  close,
  exists,
  list,
  mkdir,
  readlink,
  readlinkIfThere,
  rmdir,
  symlink,
  unlink,
} from "../../ffi/file.ts";
import { listMounts, mount, unmount } from "../../ffi/mount.ts";
import {
  checkOptions,
  FLAG,
  NUMBER,
  type Rules,
  TEXT,
} from "../arguments/rules.ts";
import { MOUNT, STATE } from "./descriptors.ts";
import { instanceName } from "../definition/gadget.ts";
import { permissionHint, withHint } from "../remedies/hint.ts";
import { moduleRemedy } from "../remedies/kernel.ts";

/** How a FunctionFS instance is mounted. */
export interface FunctionMountOptions {
  /**
   * Where to mount it. A directory that does not exist is made, and removed
   * afterwards. An instance that is mounted there already is used as it is;
   * it is unmounted with the gadget, whose directory the kernel keeps otherwise.
   * @default {`/run/usb-gadget/GADGET/FUNCTION`}
   */
  readonly path?: string;
  /**
   * Whether the gadget stays attached, and stalls, when the function's last
   * file is closed. It is detached all the same when somebody opens it again.
   * @default {false}
   */
  readonly noDisconnect?: boolean;
  /**
   * Permissions of the directory, of which the kernel takes read and execute.
   * @default {0o500}
   */
  readonly rmode?: number;
  /**
   * Permissions of the files, of which the kernel takes read and write.
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

/** A link of this name leads to a directory that was made for a mount. */
const MADE = "=made";
const UNMOUNT_POLL_MS = 10;
/** After SIGKILL the kernel takes some 50 ms to close files with transfers. */
const UNMOUNT_TIMEOUT_MS = 500;

const OPTIONS: Rules<FunctionMountOptions> = {
  path: TEXT,
  noDisconnect: FLAG,
  rmode: NUMBER,
  fmode: NUMBER,
  mode: NUMBER,
  uid: NUMBER,
  gid: NUMBER,
};

/**
 * Checks the types of options; their numbers are checked where they are used.
 *
 * @throws {TypeError} If one is of another type.
 */
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
    // The kernel refuses the bare word.
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
 * Mounts the instance of a gadget's function, if it is not.
 *
 * @returns Where it is mounted.
 */
export function mountFunction(
  gadget: string,
  name: string,
  instance: string,
  options: FunctionMountOptions = {},
): string {
  const data = mountData(options);
  const folder = `${STATE}/${gadget}`;
  const path = options.path ?? `${folder}/${name}`;
  if (!/^\/.*[^/]$/.test(path)) {
    throw new TypeError(
      `Cannot mount function "${name}": "path" must be absolute, without a slash at its end, is "${path}"`,
    );
  }
  const there = listMounts()
    .findLast((it) => it.target === path && it.type === "functionfs");
  if (there !== undefined && there.source !== instance) {
    throw errorOf(
      Errno.EBUSY,
      `Cannot mount function "${name}": the instance "${there.source}" is mounted there: ${path}`,
      { syscall: "mount", path },
    );
  }
  try {
    if (!exists(folder)) mkdir(folder, { mode: 0o755 });
    note(path, `${folder}/${name}${MOUNT}`);
    if (there !== undefined) return path;
    if (!exists(path)) {
      if (options.path !== undefined) note(path, `${folder}/${name}${MADE}`);
      mkdir(path, { action: "make mount point", mode: 0o755 });
    }
    mount({ source: instance, target: path, type: "functionfs", data });
  } catch (error) {
    throw explainMount(error, instance);
  }
  return path;
}

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

/** Makes a link, which may be there already. */
function note(path: string, link: string): void {
  try {
    symlink(path, link, { action: "note mount point" });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
  }
}

/**
 * Removes the mounts of a gadget, and the directories that were made for them.
 *
 * @param gadget The name of the gadget.
 * @param instances Its FunctionFS instances.
 */
export function removeMounts(
  gadget: string,
  instances: readonly string[],
): void {
  for (const target of mountsOf(gadget, instances)) unmountNow(target);
  const folder = `${STATE}/${gadget}`;
  // Again if a process that serves a function has just left a file there.
  for (let tries = 3; exists(folder); tries--) {
    for (const { name, isDirectory, isSymlink } of list(folder)) {
      const path = `${folder}/${name}`;
      if (isSymlink && name.endsWith(MADE)) removeDirectory(readlink(path));
      if (isDirectory) removeDirectory(path);
      else unlink(path);
    }
    removeDirectory(folder, tries > 0);
  }
}

/** Unmounts one instance, wherever it is mounted. */
export function unmountInstance(instance: string): void {
  for (const { type, source, target } of listMounts()) {
    if (type === "functionfs" && source === instance) unmountNow(target);
  }
}

/** Waits until the files below a gadget's mounts are closed; gives up after a while. */
export async function waitForUnmount(
  gadget: string,
  instances: readonly string[],
): Promise<void> {
  const end = performance.now() + UNMOUNT_TIMEOUT_MS;
  for (const target of mountsOf(gadget, instances)) {
    for (;;) {
      try {
        unmount(target);
        break;
      } catch (error) {
        if (!isSystemError(error, "EBUSY") || performance.now() > end) break;
      }
      await new Promise((resolve) => setTimeout(resolve, UNMOUNT_POLL_MS));
    }
  }
}

/** Closes the files that this process has open below a gadget's mounts. */
export function closeFiles(gadget: string, instances: readonly string[]): void {
  const mounts = mountsOf(gadget, instances).map((target) => `${target}/`);
  for (const { name } of list("/proc/self/fd")) {
    const path = readlinkIfThere(`/proc/self/fd/${name}`);
    if (mounts.some((mount) => path?.startsWith(mount))) close(Number(name));
  }
}

/** Where the instances of a gadget are mounted, also those whose directory is gone. */
function mountsOf(gadget: string, instances: readonly string[]): string[] {
  const folder = `${STATE}/${gadget}`;
  const noted = exists(folder)
    ? list(folder).filter(({ name }) => name.endsWith(MOUNT))
      .map(({ name }) => instanceName(gadget, name.slice(0, -MOUNT.length)))
    : [];
  return listMounts()
    .filter(({ type, source }) =>
      type === "functionfs" &&
      (instances.includes(source) || noted.includes(source))
    )
    .map(({ target }) => target);
}

function unmountNow(target: string): void {
  try {
    unmount(target);
  } catch (error) {
    // Another program still has a file open. The mount ends with it.
    if (!isSystemError(error, "EBUSY")) throw error;
    unmount(target, { lazy: true });
  }
}

/** Removes a directory, unless somebody else uses it by now. */
function removeDirectory(path: string, mayBeUsed = true): void {
  try {
    rmdir(path);
  } catch (error) {
    const used = mayBeUsed && isSystemError(error, "EBUSY", "ENOTEMPTY");
    if (!used && !isSystemError(error, "ENOENT")) throw error;
  }
}
