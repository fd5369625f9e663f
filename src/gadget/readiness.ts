/**
 * Whether the functions of a gadget can be bound.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY, POLLIN, POLLOUT } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, exists, list, open, readTextFile } from "../../ffi/file.ts";
import { ShortWait } from "../../ffi/wait.ts";
import { isKernelFunction, isOwnFunction } from "../definition/gadget.ts";
import { functionDirectory } from "../definition/gadget_names.ts";
import type { LiveGadget } from "./create.ts";

/** A function without descriptors. */
export interface UnreadyFunction {
  readonly name: string;
  /** Whether this process serves it, and has closed it for good. */
  readonly closed: boolean;
}

/** The functions of a gadget that have no descriptors. */
export function unreadyFunctions(gadget: LiveGadget): UnreadyFunction[] {
  return gadget.definition.functions.flatMap((each): UnreadyFunction[] => {
    const { name } = each;
    if (isKernelFunction(each)) return [];
    if (isOwnFunction(each)) {
      const closed = gadget.functions[name]?.state === "closed";
      return closed ? [{ name, closed }] : [];
    }
    const directory = functionDirectory(gadget.name, each);
    const ready = `${gadget.root}/functions/${directory}/ready`;
    const isReady = exists(ready)
      ? readTextFile(ready) === "1"
      : hasDescriptors(gadget.mountPoints.get(name));
    return isReady ? [] : [{ name, closed: false }];
  });
}

/** Kernels before 6.9 have no `ready`; but the files of endpoints appear, if there are any. */
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
 * Whether the descriptors of a function are complete. As long as the kernel waits
 * for them, `ep0` can be written but not read (`ffs_ep0_poll()`). Polling it
 * changes nothing.
 */
function isActive(ep0: string): boolean {
  let fd: number;
  try {
    // Nonblocking: a read that waits for an event keeps the file locked.
    fd = open(ep0, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    // It is being closed, or its mount is gone.
    if (isSystemError(error, "EBUSY", "ENOENT")) return false;
    throw error;
  }
  try {
    // The file is locked while descriptors are written: after the wait it can be
    // written again.
    return new ShortWait(fd, POLLIN | POLLOUT, 500).wait() !== POLLOUT;
  } finally {
    close(fd);
  }
}
