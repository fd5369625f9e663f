/**
 * Whether DMABUFs can be transferred. This takes a kernel that supports it, and
 * a device controller that can scatter-gather.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { askForDmabufs } from "./calls.ts";

/**
 * Whether DMABUFs can be transferred.
 *
 * - `"yes"`.
 * - `"no scatter-gather"`: the driver of the device controller does not support
 *   it. In Linux 7.3, dwc3, cdns2, cdns3, cdnsp and chipidea do, and dwc2 where
 *   it uses descriptor DMA; dummy_hcd, musb and most others do not.
 * - `"old kernel"`: DMABUF transfers need Linux 6.9.
 * @category DMABUF
 */
export type DmabufSupport = "yes" | "no scatter-gather" | "old kernel";

/** Where to ask. */
export interface DmabufQuestion {
  /** The open file of an endpoint. */
  readonly fd: number;
  readonly lifecycle: Lifecycle;
  /** Asks the kernel whether the endpoint is enabled right now. */
  probe(): boolean;
  /** The error if the function is closed. */
  closedError(): Error;
}

/** Waits until a function is bound; returns what its controller supports. */
export async function dmabufSupport(
  { fd, lifecycle, probe, closedError }: DmabufQuestion,
  signal?: AbortSignal,
): Promise<DmabufSupport> {
  for (let asked = 0;;) {
    signal?.throwIfAborted();
    if (lifecycle.state === "closed") throw closedError();
    const answer = askForDmabufs(fd);
    if (answer === "bound") return "yes";
    if (answer === "unknown") return "old kernel";
    // Enabled, and therefore bound.
    if (probe()) return "no scatter-gather";
    if (lifecycle.state === "unbound") {
      asked = 0;
      await lifecycle.next({ signal, closedError });
    } else if (++asked > 1) {
      return "no scatter-gather";
    } else {
      // The function may have been unbound since the last event read.
      await lifecycle.next({ ms: EVENTS_ARRIVE_MS, signal, closedError });
    }
  }
}

const EVENTS_ARRIVE_MS = 20;

/** The error where DMABUFs cannot be transferred. */
export function unsupportedError(
  action: string,
  path: string,
  support: Exclude<DmabufSupport, "yes">,
): Error {
  const reason = support === "old kernel"
    ? "this kernel has no DMABUF transfers, they come with Linux 6.9"
    : "the driver of the USB device controller cannot scatter-gather";
  return errorOf(Errno.EOPNOTSUPP, `Cannot ${action}: ${reason}: ${path}`, {
    syscall: "ioctl",
    path,
  });
}
