/**
 * Waits for a condition.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** Waits until a condition is true. */
export async function until(
  condition: () => boolean,
  what: string,
  timeout = 180_000,
): Promise<void> {
  const end = performance.now() + timeout;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`Timed out after ${timeout} ms waiting until ${what}`);
    }
    await delay(2);
  }
}
