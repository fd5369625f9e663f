/**
 * The events of `ep0` that are about a function's life, for its levels.
 *
 * @module
 */
import {
  FUNCTIONFS_BIND,
  FUNCTIONFS_DISABLE,
  FUNCTIONFS_ENABLE,
  FUNCTIONFS_RESUME,
  FUNCTIONFS_SUSPEND,
  FUNCTIONFS_UNBIND,
} from "../abi.ts";
import type { Lifecycle } from "../lifecycle.ts";

/** Tells a function's life what the kernel has told in one read of `ep0`. */
export function tellLife(lifecycle: Lifecycle, types: readonly number[]): void {
  types.forEach((type, index) => {
    // Device controllers announce a disconnect by a suspend.
    const leaves = types.slice(index + 1).some((later) =>
      later === FUNCTIONFS_UNBIND || later === FUNCTIONFS_DISABLE
    );
    if (type !== FUNCTIONFS_SUSPEND || !leaves) tell(lifecycle, type);
  });
}

function tell(lifecycle: Lifecycle, type: number): void {
  switch (type) {
    case FUNCTIONFS_BIND:
      return lifecycle.bind();
    case FUNCTIONFS_UNBIND:
      return lifecycle.unbind();
    case FUNCTIONFS_ENABLE:
      return lifecycle.enable();
    case FUNCTIONFS_DISABLE:
      return lifecycle.disable();
    case FUNCTIONFS_SUSPEND:
      return lifecycle.suspend();
    case FUNCTIONFS_RESUME:
      return lifecycle.resume();
  }
}
