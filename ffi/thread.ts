/**
 * Waking a thread of Deno's pool that waits in the kernel.
 *
 * Closing a file does not end a call that waits on it. A signal does, if the
 * driver waits interruptibly: the call returns EINTR.
 *
 * @module
 */
import { architectureNumbers, SIGACTION_SIZE, SIGURG } from "./abi.ts";
import { check, isSystemError } from "./errno.ts";
import { list, readTextFile } from "./file.ts";
import { libc } from "./libc.ts";

let handled = false;

/**
 * Interrupts the threads of this process that wait in a read or write of `fd`.
 *
 * A thread that is about to make the call is not interrupted: repeat this until
 * the call has returned.
 */
export function interruptThreads(fd: number): void {
  handleSignal();
  for (const { name } of list("/proc/self/task")) {
    const thread = Number(name);
    if (waitsFor(thread, fd)) libc().tgkill(Deno.pid, thread, SIGURG);
  }
}

/**
 * SIGURG, out-of-band data on sockets, is ignored by default, and an ignored
 * signal interrupts nothing. Any harmless function that takes an int will do as a
 * handler, and so will one that the program has set.
 */
function handleSignal(): void {
  if (handled) return;
  handled = true;
  const SIG_IGN = 1n;
  const current = new Uint8Array(SIGACTION_SIZE);
  check(libc().sigaction(SIGURG, null, current), {
    action: "look up signal handler",
    syscall: "sigaction",
  });
  const [handler] = new BigUint64Array(current.buffer, 0, 1);
  if (handler <= SIG_IGN) libc().signal(SIGURG, libc().abs_address);
}

/** Whether a thread waits for a file, or the kernel does not say. */
function waitsFor(thread: number, fd: number): boolean {
  const { SYS_read, SYS_write } = architectureNumbers();
  try {
    // "0 0x5 0x7f...": number and arguments of the system call; or "running"
    const [number, file] = readTextFile(`/proc/self/task/${thread}/syscall`)
      .split(" ").map(Number);
    return (number === SYS_read || number === SYS_write) && file === fd;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // EACCES: a kernel that protects it. ESRCH and ENOENT: the thread is over.
    return error.code === "EACCES";
  }
}
