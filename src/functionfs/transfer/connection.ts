/**
 * The time between ENABLE and DISABLE, as an endpoint sees it.
 *
 * @module
 */
import type { Lifecycle } from "../lifecycle.ts";

/** What the transfers of an endpoint depend on. */
export interface Connection {
  /** Whether the last event said that endpoints work. */
  readonly enabled: boolean;
  /** How often they were enabled. */
  readonly enableCount: number;
  /** Asks the kernel whether the endpoint works at this moment. */
  probe(): boolean;
}

/** What an endpoint sees of its function's life. */
export function connectionOf(
  lifecycle: Lifecycle,
  probe: () => boolean,
): Connection {
  return {
    get enabled() {
      return lifecycle.state === "enabled";
    },
    get enableCount() {
      return lifecycle.enableCount;
    },
    probe,
  };
}

/** How long to wait where an event that was not read yet would change things. */
const RETRY_MS = 2;

/**
 * Waits until a call that was refused with EAGAIN is worth another try: for
 * the next ENABLE, or a moment where the last event was one.
 *
 * @param closedError The error if the function is closed before.
 */
export function nextTry(
  lifecycle: Lifecycle,
  closedError: () => Error,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ms = lifecycle.state === "enabled" ? RETRY_MS : undefined;
  return lifecycle.next({ type: "enable", ms, signal, closedError });
}
