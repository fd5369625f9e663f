/**
 * Memory usage of this process, for tests that look for leaks.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** Another thread frees collected buffers a while later. */
const COLLECTIONS = 5;
const A_WHILE_MS = 2;

declare const gc: (() => void) | undefined;

/** Collects garbage now; the tasks start tests with --expose-gc. */
export function collectGarbage(): void {
  if (gc === undefined) throw new Error("Run with --v8-flags=--expose-gc");
  gc();
}

/**
 * Collects garbage, and returns the minimum usage after it.
 *
 * @param bytes Selects the figure of the usage.
 */
export async function usedMemory(
  bytes: (usage: Deno.MemoryUsage) => number,
): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < COLLECTIONS; round++) {
    collectGarbage();
    await delay(A_WHILE_MS);
    least = Math.min(least, bytes(Deno.memoryUsage()));
  }
  return least;
}
