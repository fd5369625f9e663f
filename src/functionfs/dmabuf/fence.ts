/**
 * The end of a DMABUF transfer, as its fence reports it.
 *
 * FunctionFS keeps a fence's lock in the attachment, and frees both together:
 * reading the fence of a freed attachment spins on freed memory until that is
 * reused (seen on Linux 7.3.4). So a fence is never read after its buffer was
 * detached. The buffer is polled instead of the fence's file, which would take
 * the lock on close.
 *
 * @module
 */
import {
  type CpuAccessMode,
  exportFences,
  fenceStatus,
  idleEvent,
} from "../../../ffi/dmabuf.ts";
import { Errno } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/file.ts";
import { watch } from "../../../ffi/reactor.ts";

/** How a transfer has ended. */
export interface FenceResult {
  /** 1 after a success, or a negative error number. */
  readonly status: number;
  /**
   * Whether the transfer ended before its fence could be read. The fence's
   * error is then lost, and the status is always 1.
   */
  readonly early?: boolean;
  /** Why the fence could not be read. How the transfer ended is unknown. */
  readonly failure?: unknown;
}

/** The fence of a transfer that has just begun. */
export class DmabufFence {
  readonly #dmabuf: number;
  /** Its file, or -1. */
  #file = -1;
  #failure: unknown;
  /** How it has ended, if its buffer was or is about to be detached. */
  #sealed: number | undefined;

  /**
   * Takes the fence out of the buffer, in the turn of the transfer: the kernel
   * does not return a signalled fence, nor its error.
   *
   * @param mode `"write"` if the device reads the buffer, else `"read"`.
   */
  constructor(dmabuf: number, mode: CpuAccessMode) {
    this.#dmabuf = dmabuf;
    try {
      this.#file = exportFences(dmabuf, mode);
    } catch (failure) {
      // No descriptor is free. The transfer continues anyway.
      this.#failure = failure;
    }
  }

  /** Calls `onEnd` when the transfer ends, or at once if it has ended. */
  follow(mode: CpuAccessMode, onEnd: (result: FenceResult) => void): void {
    if (this.isSignalled) {
      const { status } = this.#finish();
      return onEnd({ status, early: status > 0 });
    }
    const watching = watch(this.#dmabuf, idleEvent(mode), () => {
      watching.stop();
      onEnd(this.#finish());
    });
  }

  /** Whether the transfer is known to have ended. */
  get isSignalled(): boolean {
    if (this.#sealed !== undefined) return true;
    return this.#file >= 0 && fenceStatus(this.#file) !== 0;
  }

  /** The buffer was detached: the transfer ends with ECONNRESET. */
  abandon(): void {
    this.#sealed ??= -Errno.ECONNRESET;
  }

  /** The buffer is about to be detached: keeps the result of the transfer. */
  seal(): void {
    if (this.#file < 0) return;
    this.#sealed ??= fenceStatus(this.#file) || -Errno.ECONNRESET;
  }

  #finish(): FenceResult {
    if (this.#file < 0) return { status: 1, failure: this.#failure };
    const status = this.#sealed ?? fenceStatus(this.#file);
    close(this.#file);
    this.#file = -1;
    return { status };
  }
}
