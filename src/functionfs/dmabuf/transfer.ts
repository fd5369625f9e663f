/**
 * One transfer of an attached DMABUF: what it is, and how it ends.
 *
 * @module
 */
import { Errno, systemError } from "../../../ffi/errno.ts";
import {
  AbortedTransferError,
  closedError,
  endedError,
} from "../transfer/error.ts";
import type { DmaBufferAttachment } from "./attachment.ts";
import type { DmabufFence, FenceResult } from "./fence.ts";
import type { Terminator } from "./terminator.ts";

/** Why a transfer is ended early. */
export type DmabufCancellation = "abort" | "detach" | "close";

/** What a transfer does, in messages; the endpoint follows. */
export const TRANSFER_ACTION = "transfer a DMABUF on";

/** What a transfer is made from. */
export interface DmabufTransferFields {
  readonly attachment: DmaBufferAttachment;
  /** Bytes requested. */
  readonly length: number;
  /** Whether a zero-length packet follows an end on a packet border. */
  readonly autoZlp: boolean;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Called when the transfer gets the buffer. */
  readonly onAdmit: () => void;
  readonly onAbort: (transfer: DmabufTransfer) => void;
}

/** A transfer that waits or is in the kernel. */
export class DmabufTransfer {
  readonly attachment: DmaBufferAttachment;
  readonly length: number;
  readonly autoZlp: boolean;
  /** Whether it has requested the buffer, and got it. */
  gate: "outside" | "asked" | "inside" = "outside";
  /** Called by the gate. */
  readonly admit: () => void;
  /** Whether the buffer was attached again for it. */
  reattached = false;
  cancelled: DmabufCancellation | undefined;
  /** Its fence, once it is in the kernel. */
  fence: DmabufFence | undefined;
  /** How it has ended, according to its fence. */
  result: FenceResult | undefined;
  /** The zero-length packet behind it, where that is a separate request. */
  terminator: Terminator | undefined;
  /** Resolves when nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #setEnded: () => void;
  readonly #fields: DmabufTransferFields;
  readonly #onAbort: () => void;

  constructor(fields: DmabufTransferFields) {
    this.attachment = fields.attachment;
    this.length = fields.length;
    this.autoZlp = fields.autoZlp;
    this.#fields = fields;
    this.admit = () => {
      this.gate = "inside";
      fields.onAdmit();
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#setEnded = resolve;
    this.#onAbort = () => fields.onAbort(this);
    fields.signal?.addEventListener("abort", this.#onAbort);
  }

  /** Releases the buffer to others. */
  leaveGate(): void {
    const { gate } = this.attachment.buffer;
    if (this.gate === "asked") gate.forget(this.admit);
    else if (this.gate === "inside") gate.leave();
    this.gate = "outside";
  }

  /** Ends it. */
  succeed(): void {
    this.#end(this.#fields.resolve);
  }

  /** Ends it with an error number of the kernel, or our own error. */
  fail(reason: unknown): void {
    const { session } = this.attachment;
    if (reason === Errno.ESHUTDOWN && session && !session.ended) {
      // The event that ends the session is unread.
      session.onEnd(() => this.fail(reason));
      return;
    }
    const error = typeof reason === "number" ? this.#error(reason) : reason;
    this.#end(() => this.#fields.reject(error));
  }

  #end(settle: () => void): void {
    this.#fields.signal?.removeEventListener("abort", this.#onAbort);
    settle();
    this.#setEnded();
  }

  #error(errno: number): Error {
    const { endpoint: { name, path }, session } = this.attachment;
    if (session?.ended !== undefined && this.cancelled !== "abort") {
      return endedError(TRANSFER_ACTION, name, session);
    }
    if (this.cancelled === "close") return closedError(TRANSFER_ACTION, name);
    const action = `${TRANSFER_ACTION} endpoint "${name}"`;
    if (this.cancelled === "abort") {
      return new AbortedTransferError(
        `Cannot ${action}: the transfer was aborted`,
        {
          cause: this.#fields.signal!.reason,
          syscall: "ioctl",
          transferred: 0,
        },
      );
    }
    const hint = HINTS[errno];
    return systemError(errno, { action, syscall: "ioctl", path, hint });
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
