/**
 * Waiting for a state.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** Waits until something is so. */
export async function until(
  condition: () => boolean,
  what: string,
  timeout = 180_000,
): Promise<void> {
  const end = performance.now() + timeout;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`Waited ${timeout} ms in vain until ${what}`);
    }
    await delay(2);
  }
}
