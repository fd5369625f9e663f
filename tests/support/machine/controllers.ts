/**
 * Machines with several controllers.
 *
 * @module
 */
import { shell } from "./shell.ts";

const LOAD = "modprobe -r dummy_hcd; modprobe dummy_hcd is_super_speed=1";

/** Calls `work` with so many controllers of dummy_hcd, and then has one again. */
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
