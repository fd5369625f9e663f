/**
 * The eventfd on which FunctionFS counts the events of a function.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { EventCounter } from "../../ffi/eventfd.ts";
import { kernelHas, type KernelVersion } from "../compile/kernel_version.ts";

/** Older ones give the eventfd back once more at each reset of an instance. */
const SAFE = { major: 5, minor: 16 };

/**
 * Makes an eventfd for FUNCTIONFS_EVENTFD.
 *
 * @throws {Deno.errors.NotSupported} On a kernel that can crash with it.
 */
export function openEventCounter(
  kernel: KernelVersion | undefined,
): EventCounter {
  if (!kernelHas(kernel, SAFE)) {
    throw errorOf(
      Errno.EOPNOTSUPP,
      `Cannot count events on an eventfd: Linux "${kernel?.major}.${kernel?.minor}" can crash with it, 5.16 is the first version that does not`,
      { syscall: "eventfd" },
    );
  }
  return new EventCounter();
}
