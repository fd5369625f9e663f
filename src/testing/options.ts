/**
 * How long a host waits, and how it writes.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { NUMBER, oneOf, type Rules, SIGNAL } from "../arguments/rules.ts";

/**
 * How long a host waits.
 *
 * @category Testing
 */
export interface HostOptions {
  /**
   * Milliseconds after which a call fails; its message says what is missing.
   * `Infinity` waits forever.
   * @default {that of `TestHost.open`: 30000}
   */
  readonly timeout?: number;
  /** Ends the wait. A transfer is discarded then. */
  readonly signal?: AbortSignal;
}

/**
 * How a host writes.
 *
 * @category Testing
 */
export interface HostWriteOptions extends HostOptions {
  /**
   * Whether a transfer that ends on a packet border gets a zero-length packet.
   * @default {"never"}
   */
  readonly zlp?: "auto" | "never";
}

/** The rules of {@linkcode HostOptions}. */
export const HOST_OPTIONS: Rules<HostOptions> = {
  timeout: NUMBER,
  signal: SIGNAL,
};

/** The rules of {@linkcode HostWriteOptions}. */
export const HOST_WRITE_OPTIONS: Rules<HostWriteOptions> = {
  ...HOST_OPTIONS,
  zlp: oneOf("auto", "never"),
};

/** Options whose timeout is known. */
export interface Patience extends HostOptions {
  readonly timeout: number;
}

/**
 * Waits for a call no longer than that. The call itself goes on.
 *
 * @param why Says why it may take so long.
 */
export async function within<T>(
  call: Promise<T>,
  { timeout, signal }: Patience,
  action: string,
  why: () => string,
): Promise<T> {
  const { promise: limit, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  const timer = Number.isFinite(timeout)
    ? setTimeout(() => {
      const message = `Cannot ${action}: more than ${timeout} ms: ${why()}`;
      reject(errorOf(Errno.ETIMEDOUT, message, { syscall: "ioctl" }));
    }, timeout)
    : undefined;
  // What comes too late may still reject.
  call.catch(() => {});
  try {
    return await Promise.race([call, limit]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
