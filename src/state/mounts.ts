/**
 * The FunctionFS mounts of a gadget.
 *
 * A link in the gadget's folder in `/run/usb-gadget` notes each mount before it
 * is made, so that it can be removed after a crash.
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
  FUNCTION_FILE,
  instanceName,
  STATE,
} from "../definition/gadget_names.ts";
import { explainMount } from "../remedies/mount.ts";

const UNMOUNT_POLL_MS = 10;
/** After SIGKILL the kernel takes about 50 ms to close files with transfers. */
const UNMOUNT_TIMEOUT_MS = 500;

/**
 * Mounts the instance of a gadget's function, unless it is mounted there.
 *
 * @param data Options of FunctionFS, as mount(2) takes them.
 * @param given Where to mount it, `/run/usb-gadget/GADGET/FUNCTION` by default.
 * @returns Where it is mounted.
 */
export function mountFunction(
  gadget: string,
  name: string,
  data: string,
  given?: string,
): string {
  const instance = instanceName(gadget, name);
  const folder = `${STATE}/${gadget}`;
  const path = given ?? `${folder}/${name}`;
  if (!/^\/.*[^/]$/.test(path)) {
    throw new TypeError(
      `Cannot mount function "${name}": "path" must be absolute, without a slash at its end, is "${path}"`,
    );
  }
  const present = listMounts()
    .findLast((it) => it.target === path && it.type === "functionfs");
  if (present !== undefined && present.source !== instance) {
    throw errorOf(
      Errno.EBUSY,
      `Cannot mount function "${name}": the instance "${present.source}" is mounted there: ${path}`,
      { syscall: "mount", path },
    );
  }
  try {
    if (!exists(folder)) mkdir(folder, { mode: 0o755 });
    note(path, `${folder}/${name}${FUNCTION_FILE.mount}`);
    if (present !== undefined) return path;
    if (!exists(path)) {
      if (given !== undefined) {
        note(path, `${folder}/${name}${FUNCTION_FILE.made}`);
      }
      mkdir(path, { action: "make mount point", mode: 0o755 });
    }
    mount({ source: instance, target: path, type: "functionfs", data });
  } catch (error) {
    throw explainMount(error, instance);
  }
  return path;
}

/** Makes a link that may exist already. */
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
 * @param instances The FunctionFS instances of the gadget.
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
      if (isSymlink && name.endsWith(FUNCTION_FILE.made)) {
        removeDirectory(readlink(path));
      }
      if (isDirectory) removeDirectory(path);
      else unlink(path);
    }
    removeDirectory(folder, tries > 0);
  }
}

/** Unmounts an instance wherever it is mounted. */
export function unmountInstance(instance: string): void {
  for (const { type, source, target } of listMounts()) {
    if (type === "functionfs" && source === instance) unmountNow(target);
  }
}

/** Waits until the files below a gadget's mounts are closed, for half a second at most. */
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

/** Where the instances of a gadget are mounted, including those without a directory in configfs. */
function mountsOf(gadget: string, instances: readonly string[]): string[] {
  const folder = `${STATE}/${gadget}`;
  const noted = exists(folder)
    ? list(folder).map(({ name }) => name)
      .filter((name) => name.endsWith(FUNCTION_FILE.mount))
      .map((name) => name.slice(0, -FUNCTION_FILE.mount.length))
      .map((name) => instanceName(gadget, name))
    : [];
  return listMounts()
    .filter(({ type, source }) =>
      type === "functionfs" &&
      (instances.includes(source) || noted.includes(source))
    )
    .map(({ target }) => target);
}

/** Unmounts at once. Where files are open, the mount ends with the last of them. */
export function unmountNow(target: string): void {
  try {
    unmount(target);
  } catch (error) {
    if (!isSystemError(error, "EBUSY")) throw error;
    unmount(target, { lazy: true });
  }
}

/** Removes a directory, unless another program uses it by now. */
function removeDirectory(path: string, mayBeUsed = true): void {
  try {
    rmdir(path);
  } catch (error) {
    const used = mayBeUsed && isSystemError(error, "EBUSY", "ENOTEMPTY");
    if (!used && !isSystemError(error, "ENOENT")) throw error;
  }
}
