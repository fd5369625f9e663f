/**
 * The version of the kernel that FunctionFS belongs to.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { readTextFile } from "../../ffi/file.ts";
import {
  type KernelVersion,
  parseKernelRelease,
} from "../compile/kernel_version.ts";

const OSRELEASE = "/proc/sys/kernel/osrelease";

/**
 * Returns the version of the running kernel.
 *
 * @returns Undefined where it cannot be known: the release is one that
 * somebody has made up, or `/proc` is not mounted.
 */
export function runningKernel(): KernelVersion | undefined {
  try {
    return parseKernelRelease(readTextFile(OSRELEASE));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}
