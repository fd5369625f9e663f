/**
 * The zero-length packet at the end of a DMABUF transfer, where the kernel does
 * not append it: an empty request right behind the transfer.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import type { AioContext } from "../../../ffi/aio/context.ts";
import { AioRequest } from "../../../ffi/aio/ring.ts";
import { Errno, isSystemError } from "../../../ffi/errno.ts";

/** The empty request behind one transfer. */
export class Terminator {
  readonly #aio: AioContext;
  readonly #request: AioRequest;
  /** 0, or a negative error number. */
  #result = 0;

  /** Sends it, in the turn of the transfer. */
  constructor(aio: AioContext, fd: number, onEnd: () => void) {
    this.#aio = aio;
    this.#request = new AioRequest((result) => {
      this.#result = result;
      onEnd();
    });
    try {
      aio.submit(this.#request, IOCB_CMD_PWRITE, fd, 0n, 0, undefined);
    } catch (error) {
      // The whole system has no room for more requests.
      this.#result = isSystemError(error) ? -error.errno : -Errno.EIO;
      return;
    }
    aio.flush();
  }

  /** Whether it is still pending. */
  get pending(): boolean {
    return this.#request.pending;
  }

  /** Takes it back, if it is pending. */
  cancel(): void {
    if (this.pending) this.#aio.cancel(this.#request);
  }

  /** The error number with which it ended, or 0. */
  get error(): number {
    // The host has the data, and a new connection also ends the transfer.
    const isOver = this.#result === -Errno.ESHUTDOWN ||
      this.#result === -Errno.EAGAIN;
    return isOver ? 0 : Math.max(0, -this.#result);
  }
}
