/**
 * Where this system runs, if not on a machine of its own.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { exists, readlinkIfThere, readTextFile } from "../../ffi/file.ts";

/** What shares its kernel with another system. */
export interface Environment {
  readonly kind: "container" | "WSL";
  /** Which kind of container: `"docker"`, `"podman"`, `"lxc"`, ... */
  readonly manager?: string;
}

/** Files by which containers know what they are. */
export interface EnvironmentFiles {
  exists(path: string): boolean;
  /** The text of a file; `undefined` if it cannot be read. */
  read(path: string): string | undefined;
  /** Where a symbolic link leads; `undefined` if there is none. */
  link(path: string): string | undefined;
}

/** The first namespace of processes: `PROC_PID_INIT_INO` of the kernel. */
const MACHINE = "pid:[4026531836]";

/** The files of this system. */
export const THIS_SYSTEM: EnvironmentFiles = {
  exists,
  link: readlinkIfThere,
  read: (path) => {
    try {
      return readTextFile(path);
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  },
};

/** Finds out where this system runs; `undefined` on a machine, and in a VM. */
export function findEnvironment(
  release: string,
  files: EnvironmentFiles,
): Environment | undefined {
  // https://systemd.io/CONTAINER_INTERFACE, and what Docker and Podman leave.
  const announced = files.read("/run/systemd/container") ??
    /(?:^|\0)container=([^\0]+)/.exec(files.read("/proc/1/environ") ?? "")?.[1];
  const marks = { "/run/.containerenv": "podman", "/.dockerenv": "docker" };
  // A VM may boot from the files of a container.
  const isOwn = files.link("/proc/self/ns/pid") === MACHINE;
  const marked = isOwn
    ? undefined
    : Object.entries(marks).find(([path]) => files.exists(path));
  const manager = announced || marked?.[1];
  if (
    manager === "wsl" || manager === undefined && /microsoft/i.test(release)
  ) {
    return { kind: "WSL" };
  }
  return manager === undefined ? undefined : { kind: "container", manager };
}
