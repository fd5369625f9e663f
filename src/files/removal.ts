/**
 * Removes files without waiting for their room to be freed.
 *
 * @module
 */
import { architectureNumbers, O_PATH } from "../../ffi/abi.ts";
import { type Place, removeAt } from "../../ffi/files/change.ts";
import { openAt } from "../../ffi/files/directory.ts";
import { allClosed, closeElsewhere } from "../../ffi/files/elsewhere.ts";
import type { Call } from "./descend.ts";

/** Removes a file, whose room is freed on another thread, or an empty directory. */
export function removeQuickly(
  place: Place,
  kind: "file" | "directory",
  call: Call,
): void {
  const { directory, name } = place;
  // Its room is freed when this is closed.
  const flags = O_PATH | architectureNumbers().O_NOFOLLOW;
  const fd = openAt(directory, name, flags, call);
  try {
    removeAt(place, kind, call);
  } finally {
    closeElsewhere(fd);
  }
}

/** Resolves when the room of all that was removed is free; `undefined` if it is. */
export function roomFreed(): Promise<unknown> | undefined {
  return allClosed();
}
