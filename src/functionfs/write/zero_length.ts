/**
 * Zero-length packets at the end of transfers.
 *
 * Linux 7.3 sends them itself if FUNCTIONFS_ENDPOINT_ENABLE_ZLP is set on the
 * endpoint: as `req->zero`, which the kernel takes from the endpoint on
 * submission. On an older kernel, an empty request follows the last one. On the
 * bus, and for the promise of a write, both are the same: a transfer that ends
 * on a packet border is done when the host has asked once more and received the
 * empty packet.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import { Errno, systemError } from "../../../ffi/errno.ts";
import { FUNCTIONFS_ENDPOINT_ENABLE_ZLP } from "../../compile/functionfs_abi.ts";

/** What appends the zero-length packet: the kernel, or an empty request. */
export type ZeroLengthMode = "kernel" | "request";

/** The ioctls of an endpoint's file; they return a negative error number. */
type Ioctls = {
  ioctl(request: number, argument: Uint8Array<ArrayBuffer>): number;
};

/** The zero-length packets of one IN endpoint. */
export class ZeroLengthPackets {
  readonly #file: Ioctls;
  readonly #path: string;
  readonly #aio: AioContext;
  /**
   * Undefined until the first transfer that depends on it. The kernel's flag is
   * then switched off, since an earlier process may have left it on.
   */
  #mode: ZeroLengthMode | undefined;
  #kernelFlag = false;
  readonly #argument = new Uint8Array(4);

  /** For the open file of an endpoint. */
  constructor(file: Ioctls, path: string, aio: AioContext) {
    this.#file = file;
    this.#path = path;
    this.#aio = aio;
  }

  /** What appends them on this kernel. */
  get mode(): ZeroLengthMode {
    return this.#mode ??= this.#probe();
  }

  /**
   * Switches zero-length packets for later requests, if the kernel sends them.
   */
  set(on: boolean): void {
    if (this.mode === "request" || this.#kernelFlag === on) return;
    // Queued requests get the old value.
    this.#aio.flush();
    const errno = this.#ioctl(on);
    if (errno !== 0) throw this.#error(errno);
  }

  #probe(): ZeroLengthMode {
    this.#aio.flush();
    const errno = this.#ioctl(this.#kernelFlag);
    switch (errno) {
      case 0:
        return "kernel";
      // A kernel that knows the ioctl answers at once. An older one passes it
      // to the controller: it waits for the host (EAGAIN or ESHUTDOWN), then
      // fails.
      case Errno.ENOTTY:
      case Errno.EOPNOTSUPP:
      case Errno.EAGAIN:
      case Errno.ESHUTDOWN:
        return "request";
      default:
        throw this.#error(errno);
    }
  }

  #ioctl(on: boolean): number {
    this.#argument[0] = on ? 1 : 0; // u32
    const request = FUNCTIONFS_ENDPOINT_ENABLE_ZLP;
    const result = this.#file.ioctl(request, this.#argument);
    if (result < 0) return -result;
    this.#kernelFlag = on;
    return 0;
  }

  #error(errno: number): Error {
    return systemError(errno, {
      action: "switch zero-length packets",
      syscall: "ioctl",
      path: this.#path,
    });
  }
}
