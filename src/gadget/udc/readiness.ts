/**
 * Whether the functions of a gadget can be bound.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY, POLLIN, POLLOUT } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import { close, exists, list, open, readTextFile } from "../../../ffi/file.ts";
import { ShortWait } from "../../../ffi/wait.ts";
import type { FunctionFs } from "../../functionfs/function_fs.ts";
import {
  functionDirectory,
  type GadgetDefinition,
  isKernelFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import type { TreeWriter } from "../configfs/writer.ts";

/** A gadget, as far as its binding goes. */
export interface BindingSubject {
  readonly name: string;
  readonly writer: TreeWriter;
  readonly definition: GadgetDefinition;
  /** Where each function of FunctionFS is mounted. */
  readonly mountPoints: ReadonlyMap<string, string>;
  /** The functions of this process. */
  readonly functions: Readonly<Record<string, FunctionFs>>;
}

/** A function without descriptors. */
export interface UnreadyFunction {
  readonly name: string;
  /** Whether it is one of this process, and so has been closed for good. */
  readonly closed: boolean;
}

/** The functions of a gadget that have no descriptors. */
export function unreadyFunctions(subject: BindingSubject): UnreadyFunction[] {
  return subject.definition.functions.flatMap((each): UnreadyFunction[] => {
    const { name } = each;
    if (isKernelFunction(each)) return [];
    if (isOwnFunction(each)) {
      const closed = subject.functions[name]?.state === "closed";
      return closed ? [{ name, closed }] : [];
    }
    const directory = functionDirectory(subject.name, each);
    const ready = `${subject.writer.root}/functions/${directory}/ready`;
    const isReady = exists(ready)
      ? readTextFile(ready) === "1"
      : hasDescriptors(subject.mountPoints.get(name));
    return isReady ? [] : [{ name, closed: false }];
  });
}

/** Kernels before 6.9 do not say; but the files of endpoints appear, if there are any. */
function hasDescriptors(mountPoint: string | undefined): boolean {
  if (mountPoint === undefined) return false;
  try {
    return list(mountPoint).length > 1 || isActive(`${mountPoint}/ep0`);
  } catch (error) {
    // Unmounted, and its directory removed.
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

/**
 * Whether the descriptors of a function are complete, as its `ep0` shows: as
 * long as the kernel waits for them, it can be written to and not read from
 * (`ffs_ep0_poll()`). To look at it changes nothing.
 */
function isActive(ep0: string): boolean {
  let fd: number;
  try {
    // Nonblocking: a read that waits for an event keeps the file locked.
    fd = open(ep0, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    // It is being closed, or its mount has gone.
    if (isSystemError(error, "EBUSY", "ENOENT")) return false;
    throw error;
  }
  try {
    // The file may be locked for the moment in which descriptors are written:
    // another look, after the wait, finds it ready for that again.
    return new ShortWait(fd, POLLIN | POLLOUT, 500).wait() !== POLLOUT;
  } finally {
    close(fd);
  }
}
