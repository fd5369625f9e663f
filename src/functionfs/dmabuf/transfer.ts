/**
 * One transfer of an attached DMABUF: what it is, and how it ends.
 *
 * @module
 */
import type { AioRequest } from "../../../ffi/aio/ring.ts";
import { Errno, systemError } from "../../../ffi/errno.ts";
import type { DmaBufferAttachment } from "./attachment.ts";
import type { DmabufFence, FenceResult } from "./fence.ts";
import { AbortedTransferError, closedError } from "../transfer/error.ts";

/** Why a transfer is ended early. */
export type DmabufCancellation = "abort" | "detach" | "close";

/** What cannot be done, in the messages of errors. */
export const TRANSFER = "transfer a DMABUF on";

/** A transfer that waits, or is in the kernel. */
export class DmabufTransfer {
  readonly attachment: DmaBufferAttachment;
  /** Bytes that were asked for. */
  readonly length: number;
  /** Whether a zero-length packet is to follow where the end is a packet border. */
  readonly autoZlp: boolean;
  /** Whether it has the buffer for itself: asked for, and granted. */
  gate: "outside" | "asked" | "inside" = "outside";
  /** Called by the gate. */
  readonly admit: () => void;
  /** Whether the buffer was attached once more for it. */
  reattached = false;
  cancelled: DmabufCancellation | undefined;
  /** Its fence, once it is in the kernel. */
  fence: DmabufFence | undefined;
  /** What that has said. */
  result: FenceResult | undefined;
  /** The empty request behind it that is the zero-length packet. */
  terminator: AioRequest | undefined;
  /** How that has ended: 0, or a negative error number. */
  terminated = 0;
  /** Resolves when it has ended, and nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #setEnded: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: () => void;
  readonly #reject: (reason: unknown) => void;
  readonly #onAbort: () => void;

  constructor(options: {
    attachment: DmaBufferAttachment;
    length: number;
    autoZlp: boolean;
    signal: AbortSignal | undefined;
    resolve: () => void;
    reject: (reason: unknown) => void;
    /** Told when the buffer is the transfer's. */
    onAdmit: () => void;
    /** Told when the signal is aborted. */
    onAbort: (transfer: DmabufTransfer) => void;
  }) {
    this.attachment = options.attachment;
    this.length = options.length;
    this.autoZlp = options.autoZlp;
    this.#signal = options.signal;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
    this.admit = () => {
      this.gate = "inside";
      options.onAdmit();
    };
    this.#onAbort = () => options.onAbort(this);
    ({ promise: this.ended, resolve: this.#setEnded } = Promise.withResolvers<
      void
    >());
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** Gives the buffer to others. */
  leaveGate(): void {
    const { gate } = this.attachment.buffer;
    if (this.gate === "asked") gate.forget(this.admit);
    else if (this.gate === "inside") gate.leave();
    this.gate = "outside";
  }

  /** It is done. */
  succeed(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve();
    this.#setEnded();
  }

  /** It has ended with an error of the kernel, a positive number, or of our own. */
  fail(reason: unknown): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#reject(typeof reason === "number" ? this.#error(reason) : reason);
    this.#setEnded();
  }

  #error(errno: number): Error {
    const { name, path } = this.attachment.endpoint;
    if (this.cancelled === "close") return closedError(TRANSFER, name);
    if (this.cancelled === "abort") {
      return new AbortedTransferError(
        `Cannot ${TRANSFER} endpoint "${name}": the transfer was aborted`,
        { signal: this.#signal!, syscall: "ioctl", transferred: 0 },
      );
    }
    return systemError(errno, {
      action: `${TRANSFER} endpoint "${name}"`,
      syscall: "ioctl",
      path,
      hint: HINTS[errno],
    });
  }
}

const HINTS: Readonly<Record<number, string>> = {
  [Errno.ESHUTDOWN]:
    "the endpoint was disabled: by a reset, another configuration, an unplugged cable or unbind()",
  [Errno.ECONNRESET]:
    "the buffer was detached, or a descriptor of the endpoint's file was closed, which detaches all buffers",
  [Errno.EOVERFLOW]:
    "the host has sent more than the endpoint's descriptor allows",
};
