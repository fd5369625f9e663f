/**
 * Which kernel runs.
 *
 * @module
 */
import { readTextFile } from "./file.ts";

/** Returns the release of the running kernel, such as `"6.12.9-amd64"`. */
export function kernelRelease(): string {
  return readTextFile("/proc/sys/kernel/osrelease");
}
