/**
 * Detects an answer to a control request that waits in the kernel.
 *
 * It runs in programs that have only `--allow-ffi`.
 *
 * @module
 */
import { architectureNumbers } from "../../../ffi/abi.ts";
import { exists, list, readlink } from "../../../ffi/file.ts";
import { readThreadFile } from "./thread_file.ts";

const { SYS_read, SYS_write } = architectureNumbers();

/** Whether a thread of this process is waiting in the kernel with an answer. */
export function answerIsInKernel(): boolean {
  return list("/proc/self/task").some(({ name }) => {
    const [number, fd] = systemCall(name);
    const file = `/proc/self/fd/${fd}`;
    return (number === SYS_read || number === SYS_write) &&
      exists(file) && readlink(file).endsWith("/ep0");
  });
}

/** The number and the arguments of a thread's current system call. */
function systemCall(thread: string): number[] {
  const text = readThreadFile(thread, "syscall");
  return text === "" ? [] : text.split(" ").map(Number);
}
