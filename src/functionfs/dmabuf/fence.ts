/**
 * The end of a transfer of a DMABUF, as its fence tells it.
 *
 * FunctionFS keeps the lock of a fence in the attachment, and frees that with
 * it: a look at the fence of an attachment that is gone spins on freed memory,
 * for as long as nobody else uses that (seen on Linux 7.3.4). So nobody looks
 * at a fence after its buffer was detached; and it is the buffer that is
 * polled, since closing a fence's file that was polled takes the lock, too.
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
   * Whether the transfer had ended before its fence could be looked at. Then
   * the fence's error is lost, and the status says 1 in any case.
   */
  readonly early?: boolean;
  /** Why the fence could not be looked at: the transfer has ended, somehow. */
  readonly failure?: unknown;
}

/** The fence of a transfer that was just begun. */
export class DmabufFence {
  readonly #dmabuf: number;
  /** The file that stands for it; -1 where there is none. */
  #file = -1;
  #failure: unknown;
  /** How it has ended, where its attachment is gone or about to go. */
  #sealed: number | undefined;

  /**
   * Takes the fence out of the buffer, in the turn of the transfer: once it is
   * signalled, the kernel does not hand it out any more, nor its error.
   *
   * @param mode `"write"` if the device reads the buffer, `"read"` if it writes.
   */
  constructor(dmabuf: number, mode: CpuAccessMode) {
    this.#dmabuf = dmabuf;
    try {
      this.#file = exportFences(dmabuf, mode);
    } catch (failure) {
      // No descriptor is free. The transfer goes on nevertheless.
      this.#failure = failure;
    }
  }

  /** Tells `onEnd` about the end, at once where that has come. */
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

  /** Whether the transfer has ended, as far as that can be seen. */
  get isSignalled(): boolean {
    if (this.#sealed !== undefined) return true;
    return this.#file >= 0 && fenceStatus(this.#file) !== 0;
  }

  /** The buffer was detached: the transfer ends with ECONNRESET. */
  abandon(): void {
    this.#sealed ??= -Errno.ECONNRESET;
  }

  /** The buffer is about to be detached: keeps how the transfer has ended. */
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
