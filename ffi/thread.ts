/**
 * Waking a thread of Deno's pool that waits in the kernel.
 *
 * Closing a file does not end a call that waits on it. A signal does, where the
 * driver waits interruptibly: the call returns EINTR.
 *
 * @module
 */
import { architectureNumbers } from "./abi.ts";
import { isSystemError } from "./errno.ts";
import { list, readTextFile } from "./file.ts";
import { libc } from "./libc.ts";

/** Out-of-band data on sockets: ignored by default, and used by nobody here. */
const SIGURG = 23;

let handled = false;

/**
 * Interrupts the threads of this process that wait in a read or write of `fd`.
 *
 * A thread that is only about to make the call is not interrupted: ask again
 * until the call has returned.
 */
export function interruptThreads(fd: number): void {
  const { signal, tgkill, abs_address } = libc();
  if (!handled) {
    // An ignored signal interrupts nothing. As a handler any function will do
    // that takes an int.
    signal(SIGURG, abs_address);
    handled = true;
  }
  for (const { name } of list("/proc/self/task")) {
    const thread = Number(name);
    if (thread !== Deno.pid && waitsFor(thread, fd)) {
      tgkill(Deno.pid, thread, SIGURG);
    }
  }
}

/** Whether a thread waits for a file; also where the kernel does not tell. */
function waitsFor(thread: number, fd: number): boolean {
  const { SYS_read, SYS_write } = architectureNumbers();
  try {
    // "0 0x5 0x7f...": number and arguments of the system call
    const [number, file] = readTextFile(`/proc/self/task/${thread}/syscall`)
      .split(" ").map(Number);
    return (number === SYS_read || number === SYS_write) && file === fd;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === "ENOENT" || error.code === "EACCES";
  }
}
