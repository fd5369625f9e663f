/**
 * A DMABUF attached to an endpoint.
 *
 * @module
 */
import { Once } from "../once.ts";
import type { SessionLife } from "../session.ts";
import type { DmaBuffer } from "./buffer.ts";

/**
 * How to transfer a DMABUF.
 * @category DMABUF
 */
export interface DmabufTransferOptions {
  /** Withdraws the transfer. */
  readonly signal?: AbortSignal;
}

/** @ignore The endpoint that a DMABUF is attached to. */
export interface AttachmentOwner {
  readonly endpoint: { readonly name: string; readonly path: string };
  transfer(
    attachment: DmaBufferAttachment,
    length: number,
    options: DmabufTransferOptions,
  ): Promise<void>;
  detach(attachment: DmaBufferAttachment): Promise<void>;
}

/**
 * A DMABUF attached to an endpoint: the device controller reads or writes its
 * memory without a copy.
 *
 * Detaching it, closing the buffer or closing the function ends it; so does the
 * end of the session, if it was attached to an endpoint of a session.
 * @category DMABUF
 */
export class DmaBufferAttachment implements AsyncDisposable {
  /** The buffer. */
  readonly buffer: DmaBuffer;
  /** The endpoint that the buffer is attached to. */
  readonly endpoint: { readonly name: string; readonly path: string };
  /** @ignore The only session that its transfers belong to. */
  readonly session: SessionLife | undefined;
  readonly #owner: AttachmentOwner;
  readonly #detaching = new Once();
  /** @ignore Stops waiting for the end of the session. */
  forgetSession: () => void = () => {};
  /** @ignore Whether it is attached in the kernel, as far as known. */
  inKernel = true;

  /** Made by {@linkcode Endpoint.attach}. */
  constructor(
    buffer: DmaBuffer,
    owner: AttachmentOwner,
    session?: SessionLife,
  ) {
    this.buffer = buffer;
    this.session = session;
    this.endpoint = owner.endpoint;
    this.#owner = owner;
  }

  /**
   * Sends the first `length` bytes of the buffer as one transfer, or receives
   * one there. Resolves when the controller is done: the host has taken or sent
   * all of it, or has ended its transfer with a short packet.
   *
   * FunctionFS does not report how much the host has sent. A protocol over
   * DMABUFs carries lengths in its data, or has fixed ones. On an OUT endpoint,
   * `length` is rounded up to whole packets: the rest of a packet would be
   * lost. On an IN endpoint, {@linkcode InEndpoint.autoZlp} applies.
   *
   * Transfers of one endpoint run in the order of the calls, across buffers. A
   * buffer is in one transfer at a time, even if it is attached to several
   * endpoints: another transfer waits for it, and so do those behind that one
   * on its endpoint. Two or more buffers in rotation keep the endpoint busy.
   * The order of `transfer` and `write` or `read` on the same endpoint is
   * undefined; await one before the other.
   *
   * The transfer waits until a host has enabled the endpoint. When the host
   * disables it (a reset, another setting, an unplugged cable), transfers in
   * the controller fail with ESHUTDOWN and are not repeated; those that still
   * wait for their turn keep waiting.
   *
   * Aborting a transfer that is already done has no effect. What the host does
   * at that very moment is unknown.
   *
   * @param length Bytes, from 1 to the size of the buffer.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {TypeError} If an argument is of another type.
   * @throws {RangeError} If the length is out of range.
   * @throws {Deno.errors.Busy} While {@linkcode DmaBuffer.access} runs.
   * @throws {SessionEndedError} If the buffer was attached in a session, and
   * that has ended or ends.
   * @throws {Error} ESHUTDOWN (see above), ECONNRESET (the buffer was
   * detached), or another error from the controller or the owner of the buffer.
   * @throws {Deno.errors.BadResource} If it is detached, or the function is or
   * gets closed.
   */
  transfer(
    length: number = this.buffer.size,
    options: DmabufTransferOptions = {},
  ): Promise<void> {
    return this.#owner.transfer(this, length, options);
  }

  /** Whether it was detached. */
  get detached(): boolean {
    return this.#detaching.begun;
  }

  /**
   * Detaches the buffer from the endpoint. Transfers that wait or are in the
   * controller fail with ECONNRESET. Resolves when the controller is done with
   * the buffer. A second call returns the same promise; after a failure it
   * tries again.
   */
  detach(): Promise<void> {
    return this.#detaching.run(() => this.#owner.detach(this));
  }

  /** Detaches the buffer; see {@linkcode detach}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.detach();
  }

  /** @ignore The endpoint is closed, and has detached it. */
  end(): void {
    this.#detaching.skip();
  }
}
