/**
 * The DMABUFs that are attached to one endpoint.
 *
 * Closing any descriptor of the endpoint's file makes the kernel forget all of
 * them, and each belongs to the device controller that was there: what is not
 * attached any more is attached again before its next transfer.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../../ffi/abi.ts";
import {
  Errno,
  errorOf,
  isSystemError,
  systemError,
} from "../../../ffi/errno.ts";
import { close, open } from "../../../ffi/file.ts";
import type { DmaBuffer } from "./buffer.ts";
import {
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./attachment.ts";
import { checkArgument, NUMBER } from "../../arguments/rules.ts";
import { attachDmabuf, detachDmabuf } from "./calls.ts";
import type { DmabufGate } from "./gate.ts";
import { type DmabufPort, DmabufQueue } from "./queue.ts";
import { checkSignal } from "../transfer/options.ts";
import { unsupportedError } from "./support.ts";
import {
  type DmabufCancellation,
  DmabufTransfer,
  TRANSFER,
} from "./transfer.ts";
import { AbortedTransferError, closedError } from "../transfer/error.ts";

/** The attachments of one endpoint. */
export class DmabufEndpoint {
  readonly #port: DmabufPort;
  readonly #queue: DmabufQueue;
  /** Undefined while an attachment is being made. */
  readonly #attachments = new Map<
    DmabufGate,
    DmaBufferAttachment | undefined
  >();
  #closed = false;

  /** For an endpoint whose file is open. */
  constructor(port: DmabufPort) {
    this.#port = port;
    this.#queue = new DmabufQueue(port);
  }

  /** Attaches a buffer; see `Endpoint.attach`. */
  async attach(
    buffer: DmaBuffer,
    signal: AbortSignal | undefined,
  ): Promise<DmaBufferAttachment> {
    const { name, path } = this.#port;
    const action = `attach a DMABUF to endpoint "${name}"`;
    buffer.assertOpen(action);
    signal?.throwIfAborted();
    // The kernel would take it twice, and mix the two up.
    if (this.#attachments.has(buffer.gate)) {
      throw errorOf(
        Errno.EEXIST,
        `Cannot ${action}: it is attached there already: ${path}`,
        { syscall: "ioctl", path },
      );
    }
    this.#attachments.set(buffer.gate, undefined);
    try {
      await this.#attachWhenBound(buffer, action, signal);
    } catch (error) {
      this.#attachments.delete(buffer.gate);
      throw error;
    }
    const attachment = new DmaBufferAttachment(buffer, this.#port, this);
    buffer.attachments.add(attachment);
    this.#attachments.set(buffer.gate, attachment);
    return attachment;
  }

  async #attachWhenBound(
    buffer: DmaBuffer,
    action: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { fd, name, path } = this.#port;
    for (;;) {
      if (this.#closed) throw closedError("attach a DMABUF to", name);
      buffer.assertOpen(action);
      const errno = attachDmabuf(fd, buffer.fd);
      switch (errno) {
        case 0:
          return;
        case Errno.EBUSY:
          // A driver has the buffer locked, for an instant.
          await moment();
          signal?.throwIfAborted();
          break;
        case Errno.EPERM:
        case Errno.ENOTTY:
        case Errno.EAGAIN:
        case Errno.ESHUTDOWN: {
          const support = await this.#port.support(signal);
          if (support === "yes") break;
          throw unsupportedError(action, path, support);
        }
        default:
          throw systemError(errno, { action, syscall: "ioctl", path });
      }
    }
  }

  /** Transfers an attached buffer; see `DmaBufferAttachment.transfer`. */
  transfer(
    attachment: DmaBufferAttachment,
    length: number,
    options: DmabufTransferOptions,
  ): Promise<void> {
    const { name, path, autoZlp } = this.#port;
    const { buffer } = attachment;
    return new Promise((resolve, reject) => {
      const action = `${TRANSFER} endpoint "${name}"`;
      checkArgument(action, "the length", length, NUMBER);
      checkSignal(action, options);
      const { signal } = options;
      if (this.#closed) throw closedError(TRANSFER, name);
      if (attachment.detached) {
        throw errorOf(Errno.EBADF, `Cannot ${action}: it is detached`, {
          syscall: "ioctl",
          path,
        });
      }
      if (!Number.isInteger(length) || length < 1 || length > buffer.size) {
        throw new RangeError(
          `Cannot ${action}: the length must be an integer from 1 to ${buffer.size}, is ${length}`,
        );
      }
      if (buffer.gate.accesses > 0) {
        throw errorOf(
          Errno.EBUSY,
          `Cannot ${action}: the program uses its memory, the access must end first`,
          { syscall: "ioctl", path },
        );
      }
      if (signal?.aborted) {
        throw AbortedTransferError.before(TRANSFER, name, signal);
      }
      this.#queue.push(
        new DmabufTransfer({
          attachment,
          length,
          autoZlp,
          signal,
          resolve,
          reject,
          onAdmit: () => this.#queue.pump(),
          onAbort: (transfer) => this.#queue.cancel(transfer, "abort"),
        }),
      );
    });
  }

  /** Detaches a buffer; see `DmaBufferAttachment.detach`. */
  async detach(attachment: DmaBufferAttachment): Promise<void> {
    await this.#endTransfers(attachment, "detach");
    if (attachment.inKernel) this.#detachInKernel(attachment);
    this.#remove(attachment);
  }

  /**
   * Ends all transfers. The kernel detaches the buffers itself when the
   * endpoint's file is closed.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.close();
    await Promise.all(
      [...this.#attachments.values()].map(async (attachment) => {
        if (attachment === undefined) return;
        attachment.end();
        await this.#endTransfers(attachment, "close");
        this.#remove(attachment);
      }),
    );
  }

  async #endTransfers(
    attachment: DmaBufferAttachment,
    why: DmabufCancellation,
  ): Promise<void> {
    const transfers = this.#queue.of(attachment);
    for (const transfer of transfers) this.#queue.cancel(transfer, why);
    await Promise.all(transfers.map((transfer) => transfer.ended));
  }

  #remove(attachment: DmaBufferAttachment): void {
    attachment.buffer.attachments.delete(attachment);
    this.#attachments.delete(attachment.buffer.gate);
  }

  #detachInKernel(attachment: DmaBufferAttachment): void {
    const { fd, path } = this.#port;
    const result = detachDmabuf(fd, attachment.buffer.fd);
    if (result !== "unbound") return;
    // Without a UDC only this is safe. It detaches all others, too: their
    // transfers have ended, if nobody has noticed yet, and they are attached
    // again for the next ones.
    this.#queue.sealFences();
    try {
      close(open(path, O_RDWR | O_NONBLOCK));
    } catch (error) {
      // The mount is not seen any more: then until the function is closed.
      if (!isSystemError(error)) throw error;
      return;
    }
    for (const each of this.#attachments.values()) {
      if (each !== undefined) each.inKernel = false;
    }
  }
}

/** How long to wait for a lock that others hold for an instant. */
const MOMENT_MS = 1;

function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
}
