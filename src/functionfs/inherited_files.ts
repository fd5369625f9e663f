/**
 * Open files of a function that this process inherited at its start.
 *
 * A service manager passes descriptors from 3 on. Their links in
 * `/proc/self/fd` show which file each one is: systemd sorts the files of an
 * instance by name, `ep10` before `ep2`, and may pass several instances.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { adopt, list, readlinkIfThere, realPath } from "../../ffi/file.ts";

/** The first descriptor that is not standard input, output or error. */
const FIRST_DESCRIPTOR = 3;

/** The open files of one FunctionFS instance. */
export class InheritedFiles {
  readonly #mountPoint: string;
  readonly #fds = new Map<string, number>();

  /**
   * Finds the open files of an instance.
   *
   * @throws {Error} If the mount does not exist.
   * @throws {Deno.errors.NotFound} If none of its files is open.
   */
  constructor(mountPoint: string) {
    this.#mountPoint = mountPoint;
    const prefix = `${realPath(mountPoint, { action: "open mount point" })}/`;
    const numbers = list("/proc/self/fd").map(({ name }) => Number(name))
      .filter((fd) => fd >= FIRST_DESCRIPTOR).sort((a, b) => a - b);
    for (const fd of numbers) {
      const path = readlinkIfThere(`/proc/self/fd/${fd}`);
      if (path === undefined || !path.startsWith(prefix)) continue;
      const file = path.slice(prefix.length);
      if (!this.#fds.has(file)) this.#fds.set(file, fd);
    }
    if (this.#fds.has("ep0")) return;
    const hint = "is this process started by the unit with ListenUSBFunction=?";
    throw notOpen("no file of it is open", `${mountPoint}/ep0`, hint);
  }

  /** Whether there are files for both directions of endpoint pairs. */
  get hasProxies(): boolean {
    return [...this.#fds.keys()].some((file) => file.endsWith("_rw"));
  }

  /**
   * Returns the descriptor of a file, nonblocking. Once per file.
   *
   * @param path The path of the file, below the mount point.
   * @throws {Deno.errors.NotFound} If the file is not open.
   */
  take(path: string): number {
    const file = path.slice(this.#mountPoint.length + 1);
    const fd = this.#fds.get(file);
    if (fd === undefined) {
      const hint = "were its descriptors written from this definition?";
      throw notOpen("its definition has a file that is not open", path, hint);
    }
    adopt(fd, { action: "inherit endpoint", path });
    this.#fds.delete(file);
    return fd;
  }
}

function notOpen(what: string, path: string, hint: string): Error {
  const message = `Cannot inherit function: ${what}: ${path}; ${hint}`;
  return errorOf(Errno.ENOENT, message, { syscall: "open", path });
}
