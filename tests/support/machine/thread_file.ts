/**
 * The kernel's files about the threads of this process.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { readTextFile } from "../../../ffi/file.ts";

/** Reads a file of a thread, such as `wchan`; `""` if the thread has ended. */
export function readThreadFile(thread: string, file: string): string {
  try {
    return readTextFile(`/proc/self/task/${thread}/${file}`);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH")) return "";
    throw error;
  }
}
