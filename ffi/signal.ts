/**
 * Signals to this process.
 *
 * @module
 */
import { SIGACTION_SIZE } from "./abi.ts";
import { check } from "./errno.ts";
import { libc } from "./libc.ts";

const SIG_IGN = 1n;

/** Whether a signal is ignored. */
export function isIgnored(signal: number): boolean {
  const action = new Uint8Array(SIGACTION_SIZE);
  change(signal, null, action);
  return handlerOf(action)[0] === SIG_IGN;
}

/** Ignores a signal while `work` runs. */
export function whileIgnored<T>(signal: number, work: () => T): T {
  const before = new Uint8Array(SIGACTION_SIZE);
  change(signal, IGNORED, before);
  try {
    return work();
  } finally {
    change(signal, before, null);
  }
}

/**
 * Sends this process a signal, and waits for it to end the process.
 *
 * @param milliseconds How long to wait: another handler may take the signal.
 */
export function endBySignal(signal: number, milliseconds: number): void {
  check(libc().raise(signal), { action: "raise signal", syscall: "raise" });
  libc().poll_now(new Uint8Array(0), 0n, milliseconds);
}

function change(
  signal: number,
  action: Uint8Array<ArrayBuffer> | null,
  before: Uint8Array<ArrayBuffer> | null,
): void {
  check(libc().sigaction(signal, action, before), {
    action: `handle signal ${signal}`,
    syscall: "sigaction",
  });
}

function handlerOf(action: Uint8Array<ArrayBuffer>): BigUint64Array {
  return new BigUint64Array(action.buffer, 0, 1);
}

/** A `struct sigaction`: the handler comes first; no flags, no mask. */
const IGNORED = new Uint8Array(SIGACTION_SIZE);
handlerOf(IGNORED)[0] = SIG_IGN;
