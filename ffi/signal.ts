/**
 * Signals to this process and its threads.
 *
 * @module
 */
import {
  architectureNumbers,
  SA_RESTART,
  SIG_BLOCK,
  SIG_UNBLOCK,
  SIGACTION_FLAGS,
  SIGACTION_SIZE,
  SIGSET_SIZE,
  SIGURG,
} from "./abi.ts";
import { check, isSystemError, systemError } from "./errno.ts";
import { list, readTextFile } from "./file.ts";
import { ERRNO, libc } from "./libc.ts";

const SIG_IGN = 1n;

/** Whether a signal is ignored. */
export function isIgnored(signal: number): boolean {
  return currentHandler(signal) === SIG_IGN;
}

/**
 * Delays a signal while `work` runs. Its handler is called afterwards.
 *
 * A thread that gets it meanwhile sends it to itself again and again; ours must
 * go on, so it blocks the signal.
 */
export function whileDelayed<T>(signal: number, work: () => T): T {
  const before = new Uint8Array(SIGACTION_SIZE);
  const mask = new BigUint64Array(SIGSET_SIZE / 8);
  mask[0] = 1n << BigInt(signal - 1);
  changeMask(SIG_BLOCK, mask);
  try {
    change(signal, sendAgain(), before);
    try {
      return work();
    } finally {
      change(signal, before, null);
    }
  } finally {
    changeMask(SIG_UNBLOCK, mask);
  }
}

/**
 * Sends this process a signal, and waits for it to end the process.
 *
 * @param milliseconds How long to wait: another handler may take the signal.
 */
export function endBySignal(signal: number, milliseconds: number): void {
  check(libc().raise(signal), ERRNO[0], {
    action: "raise signal",
    syscall: "raise",
  });
  libc().poll_now(new Uint8Array(0), 0n, milliseconds);
}

/**
 * Interrupts the threads of Deno's pool that wait in a read or write of `fd`.
 *
 * Closing a file does not end a call that waits on it. A signal does, if the
 * driver waits interruptibly: the call returns EINTR. A thread that is about to
 * make the call is not interrupted: repeat this until the call has returned.
 */
export function interruptThreads(fd: number): void {
  handleSigurg();
  for (const { name } of list("/proc/self/task")) {
    const thread = Number(name);
    if (waitsFor(thread, fd)) libc().tgkill(Deno.pid, thread, SIGURG);
  }
}

let handled = false;

/**
 * SIGURG, for out-of-band data on sockets, is ignored by default, and an
 * ignored signal interrupts nothing. Any harmless function that takes an int
 * works as a handler, as does one that the program has set.
 */
function handleSigurg(): void {
  if (handled) return;
  handled = true;
  if (currentHandler(SIGURG) > SIG_IGN) return;
  libc().signal(SIGURG, libc().abs_address);
}

/** Whether a thread waits for a file, or the kernel does not reveal it. */
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

function currentHandler(signal: number): bigint {
  const action = new Uint8Array(SIGACTION_SIZE);
  change(signal, null, action);
  return handlerOf(action)[0];
}

function change(
  signal: number,
  action: Uint8Array<ArrayBuffer> | null,
  before: Uint8Array<ArrayBuffer> | null,
): void {
  check(libc().sigaction(signal, action, before), ERRNO[0], {
    action: `handle signal ${signal}`,
    syscall: "sigaction",
  });
}

/** The handler comes first in `struct sigaction`. */
function handlerOf(action: Uint8Array<ArrayBuffer>): BigUint64Array {
  return new BigUint64Array(action.buffer, 0, 1);
}

/** A handler that leaves the signal pending on its thread: `raise` takes an int, too. */
function sendAgain(): Uint8Array<ArrayBuffer> {
  const action = new Uint8Array(SIGACTION_SIZE);
  handlerOf(action)[0] = Deno.UnsafePointer.value(libc().raise_address);
  new DataView(action.buffer).setUint32(SIGACTION_FLAGS, SA_RESTART, true);
  return action;
}

function changeMask(how: number, mask: BigUint64Array<ArrayBuffer>): void {
  const errno = libc().pthread_sigmask(how, mask, null);
  if (errno === 0) return;
  const syscall = "pthread_sigmask";
  throw systemError(errno, { action: "block signal", syscall });
}
