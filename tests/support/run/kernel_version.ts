/**
 * The version of the kernel that the tests run on.
 *
 * @module
 */
import { type KernelVersion, parseKernelRelease } from "@usb/gadget/inspect";
import { readTextFile } from "../../../ffi/file.ts";

/** Returns the version of the running kernel. */
export function testKernel(): KernelVersion {
  const release = readTextFile("/proc/sys/kernel/osrelease");
  const version = parseKernelRelease(release);
  if (version === undefined) {
    throw new Error(`Cannot parse the version of kernel "${release}"`);
  }
  return version;
}
