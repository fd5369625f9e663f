/**
 * The DMABUFs attached to one endpoint.
 *
 * The kernel detaches all of them when any descriptor of the endpoint's file is
 * closed, and an attachment is valid for one device controller only. Where
 * necessary, buffers are attached again before their next transfer.
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
import { checkArgument, NUMBER } from "../../arguments/rules.ts";
import { checkSignal } from "../transfer/options.ts";
import type { SessionLife } from "../session.ts";
import {
  AbortedTransferError,
  closedError,
  endedError,
} from "../transfer/error.ts";
import {
  type AttachmentOwner,
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./attachment.ts";
import type { DmaBuffer } from "./buffer.ts";
import { attachDmabuf, detachDmabuf } from "./calls.ts";
import type { DmabufGate } from "./gate.ts";
import { type DmabufPort, DmabufQueue } from "./queue.ts";
import { unsupportedError } from "./support.ts";
import {
  type DmabufCancellation,
  DmabufTransfer,
  TRANSFER_ACTION,
} from "./transfer.ts";

/** The attachments of one endpoint. */
export class DmabufEndpoint implements AttachmentOwner {
  readonly endpoint: { readonly name: string; readonly path: string };
  readonly #port: DmabufPort;
  readonly #queue: DmabufQueue;
  /** Undefined while the buffer is being attached. */
  readonly #attachments: Map<DmabufGate, DmaBufferAttachment | undefined> =
    new Map();
  #closed = false;

  constructor(port: DmabufPort) {
    const { name, path } = port;
    this.endpoint = { name, path };
    this.#port = port;
    this.#queue = new DmabufQueue(port);
  }

  /**
   * Attaches a buffer, for a session only if there is one; see
   * `Endpoint.attach`.
   */
  async attach(
    buffer: DmaBuffer,
    session: SessionLife | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DmaBufferAttachment> {
    const { name, path, lifecycle } = this.#port;
    const action = `attach a DMABUF to endpoint "${name}"`;
    buffer.assertOpen(action);
    signal?.throwIfAborted();
    // The end of a session has detached it, which may take a moment.
    const earlier = this.#attachments.get(buffer.gate);
    if (earlier?.session?.ended !== undefined) await earlier.detach();
    // The kernel would accept it twice, and confuse the two.
    if (this.#attachments.has(buffer.gate)) {
      const message = `Cannot ${action}: it is attached there already: ${path}`;
      throw errorOf(Errno.EEXIST, message, { syscall: "ioctl", path });
    }
    this.#attachments.set(buffer.gate, undefined);
    try {
      await this.#attachWhenBound(buffer, action, signal);
    } catch (error) {
      this.#attachments.delete(buffer.gate);
      throw error;
    }
    const attachment = new DmaBufferAttachment(buffer, this, session);
    buffer.attachments.add(attachment);
    this.#attachments.set(buffer.gate, attachment);
    if (session !== undefined) {
      attachment.forgetSession = session.onEnd(() => {
        attachment.detach().catch((error) => lifecycle.events.report(error));
      });
    }
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
          // A driver has locked the buffer for an instant.
          await new Promise((resolve) => setTimeout(resolve, LOCKED_MS));
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
      const action = `${TRANSFER_ACTION} endpoint "${name}"`;
      checkArgument(action, "the length", length, NUMBER);
      checkSignal(action, options);
      const { signal } = options;
      const { session } = attachment;
      if (session?.ended !== undefined) {
        throw endedError(TRANSFER_ACTION, name, session);
      }
      if (this.#closed) throw closedError(TRANSFER_ACTION, name);
      if (attachment.detached) {
        const message = `Cannot ${action}: it is detached`;
        throw errorOf(Errno.EBADF, message, { syscall: "ioctl", path });
      }
      if (!Number.isInteger(length) || length < 1 || length > buffer.size) {
        throw new RangeError(
          `Cannot ${action}: the length must be an integer from 1 to ${buffer.size}, is ${length}`,
        );
      }
      if (buffer.gate.accesses > 0) {
        const message =
          `Cannot ${action}: the program uses its memory, the access must end first`;
        throw errorOf(Errno.EBUSY, message, { syscall: "ioctl", path });
      }
      if (signal?.aborted) {
        throw AbortedTransferError.before(TRANSFER_ACTION, name, signal);
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
   * Ends all transfers. The kernel detaches the buffers when the endpoint's
   * file is closed.
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
    attachment.forgetSession();
    attachment.buffer.attachments.delete(attachment);
    this.#attachments.delete(attachment.buffer.gate);
  }

  #detachInKernel(attachment: DmaBufferAttachment): void {
    const { fd, path } = this.#port;
    const result = detachDmabuf(fd, attachment.buffer.fd);
    if (result !== "unbound") return;
    // Without a UDC only this is safe. It also detaches all others: their
    // transfers have ended, even if unnoticed, and the next ones reattach them.
    this.#queue.sealFences();
    try {
      close(open(path, O_RDWR | O_NONBLOCK));
    } catch (error) {
      // The mount is gone: the buffer stays attached until the function closes.
      if (!isSystemError(error)) throw error;
      return;
    }
    for (const each of this.#attachments.values()) {
      if (each !== undefined) each.inKernel = false;
    }
  }
}

/** How long to wait for a lock of another driver. */
const LOCKED_MS = 1;
