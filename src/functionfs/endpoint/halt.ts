/**
 * Halting an endpoint.
 *
 * FunctionFS has no request for a halt: I/O in the direction that the endpoint
 * does not have sets one. It transfers nothing, does not wait on a nonblocking
 * file, and reports success as EBADMSG. EAGAIN means that the endpoint is
 * disabled, that another program uses its file, or that the controller still
 * holds data for it.
 *
 * @module
 */
import { Errno, errorOf, systemError } from "../../../ffi/errno.ts";
import type { Direction, TransferType } from "../../usb/endpoint_attributes.ts";
import type { QueuedAction } from "../transfer/action_queue.ts";
import { closedError } from "../transfer/error.ts";
import type { EndpointFile } from "./file.ts";
import type { RequestQueue } from "../transfer/queue.ts";

/** What to halt. */
export interface HaltRequest {
  readonly endpoint: { readonly name: string; readonly path: string };
  readonly file: EndpointFile;
  readonly direction: Direction;
  readonly transferType: TransferType;
  readonly queue: RequestQueue;
  readonly signal: AbortSignal | undefined;
}

/** Halts an endpoint when it is enabled and it is the halt's turn. */
export function haltEndpoint(request: HaltRequest): Promise<void> {
  const { endpoint, file, direction, transferType, queue, signal } = request;
  return new Promise((resolve, reject) => {
    if (transferType === "isochronous") {
      throw errorOf(
        Errno.EOPNOTSUPP,
        `Cannot halt endpoint "${endpoint.name}": isochronous endpoints have no halt`,
        { syscall: "ioctl", path: endpoint.path },
      );
    }
    signal?.throwIfAborted();
    const action: QueuedAction = {
      ordered: direction === "in",
      attempt: () => tryHalt(file, direction),
      onEnd: (result) => {
        signal?.removeEventListener("abort", abort);
        if (result === 0) resolve();
        else if (result === -Errno.ECANCELED) {
          reject(closedError("halt", endpoint.name));
        } else {
          reject(systemError(-result, {
            action: `halt endpoint "${endpoint.name}"`,
            syscall: direction === "in" ? "read" : "write",
            path: endpoint.path,
          }));
        }
      },
    };
    const abort = () => {
      if (queue.forget(action)) reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    queue.run(action);
  });
}

/** Waits for a call that never rejects, or throws the signal's reason. */
export function settled(
  call: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    call.then(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
  });
}

/** I/O in the wrong direction. Returns 0 or a negative error number. */
export function tryHalt(file: EndpointFile, direction: Direction): number {
  const result = file.reverse(direction);
  return result === -Errno.EBADMSG ? 0 : result;
}
