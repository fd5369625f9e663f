/**
 * Several controllers on one machine.
 *
 * @module
 */
import { shell } from "./shell.ts";

const LOAD = "modprobe -r dummy_hcd; modprobe dummy_hcd is_super_speed=1";

/** Calls `work` with `count` controllers of dummy_hcd, and then returns to one. */
export async function withControllers(
  count: number,
  work: () => Promise<void>,
): Promise<void> {
  await shell(`${LOAD} num=${count}`);
  try {
    await work();
  } finally {
    await shell(LOAD);
  }
}
