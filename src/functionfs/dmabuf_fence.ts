/**
 * The end of a transfer of a DMABUF, as its fence tells it.
 *
 * @module
 */
import { POLLIN } from "../../ffi/abi.ts";
import {
  type CpuAccessMode,
  exportFences,
  fenceStatus,
  idleEvent,
} from "../../ffi/dmabuf.ts";
import { close } from "../../ffi/file.ts";
import { watch } from "../../ffi/reactor.ts";

/** How a transfer has ended. */
export interface FenceResult {
  /** 1 after a success, or a negative error number. */
  readonly status: number;
  /**
   * Whether the transfer had ended before its fence could be looked at. Then
   * the fence's error is lost, and the status says 1 in any case.
   */
  readonly early?: boolean;
  /** Why the fence could not be looked at: the transfer has ended, somehow. */
  readonly failure?: unknown;
}

/**
 * Follows the transfer that was just begun on a DMABUF, in the same turn.
 *
 * The fence is taken out of the buffer while it is not signalled: later the
 * kernel does not hand it out any more, and its error with it. And it is that
 * fence that is polled, not the buffer, whose other users do not matter here.
 *
 * @param mode `"write"` if the device reads the buffer, `"read"` if it writes.
 * @param onEnd Told once, in a later turn unless the end was early.
 */
export function followFence(
  dmabuf: number,
  mode: CpuAccessMode,
  onEnd: (result: FenceResult) => void,
): void {
  let fences: number;
  try {
    fences = exportFences(dmabuf, mode);
  } catch (failure) {
    // No descriptor is free. The transfer goes on nevertheless.
    return once(dmabuf, idleEvent(mode), () => onEnd({ status: 1, failure }));
  }
  const end = () => {
    const status = fenceStatus(fences);
    close(fences);
    return status;
  };
  if (fenceStatus(fences) === 0) {
    return once(fences, POLLIN, () => onEnd({ status: end() }));
  }
  const status = end();
  onEnd({ status, early: status > 0 });
}

/** Waits for an event. In `act` the descriptor may be closed. */
function once(fd: number, event: number, act: () => void): void {
  const watching = watch(fd, event, () => {
    watching.stop();
    act();
  });
}
