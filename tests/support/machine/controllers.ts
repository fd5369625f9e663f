/**
 * Several controllers on one machine.
 *
 * @module
 */
import { shell } from "./shell.ts";

/** Loads dummy_hcd again, with other parameters. */
function load(parameters: string): Promise<unknown> {
  return shell(`modprobe -r dummy_hcd; modprobe dummy_hcd ${parameters}`);
}

/** Calls `work` with dummy_hcd loaded with `parameters`, and then as usual. */
export async function withDummyHcd(
  parameters: string,
  work: () => Promise<void>,
): Promise<void> {
  await load(parameters);
  try {
    await work();
  } finally {
    await load("is_super_speed=1");
  }
}

/** Calls `work` with `count` controllers of dummy_hcd, and then returns to one. */
export function withControllers(
  count: number,
  work: () => Promise<void>,
): Promise<void> {
  return withDummyHcd(`is_super_speed=1 num=${count}`, work);
}
