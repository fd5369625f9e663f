/**
 * Which test files run at which speed.
 *
 * @module
 */
import type { Speed } from "../vm/vm.ts";

/** The speed at which all files run. */
const MAIN_SPEED: Speed = "super";

/** Begins of the names of files whose subject is the same at every speed. */
const SAME_AT_EVERY_SPEED = [
  "cli_",
  "control_random",
  "control_hostile",
  "descriptors_classes",
  "descriptors_oracle",
  "endpoint_isochronous",
  "endpoint_long",
  "endpoint_many",
  "endpoint_shared",
  "exit_",
  "gadget_",
  "host_",
];

/**
 * Begins of the names of files that are still being worked on. They run when
 * they are named, and belong to the suite once they have passed 20 times in a
 * row on every kernel.
 */
const UNFINISHED = ["control_", "endpoint_", "gadget_"];

/** Leaves out the files that nobody trusts yet. */
export function finishedFiles(files: readonly string[]): string[] {
  return files.filter((file) => !hasName(file, UNFINISHED));
}

/** Leaves out the files that a run at `speed` would only repeat. */
export function filesAtSpeed(
  files: readonly string[],
  speed: Speed,
): string[] {
  if (speed === MAIN_SPEED) return [...files];
  return files.filter((file) => !hasName(file, SAME_AT_EVERY_SPEED));
}

function hasName(file: string, begins: readonly string[]): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return begins.some((begin) => name.startsWith(begin));
}
