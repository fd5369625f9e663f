/**
 * A DMABUF that is attached to an endpoint.
 *
 * @module
 */
import type { DmaBuffer } from "./buffer.ts";
import type { DmabufEndpoint } from "./endpoint.ts";
import { Once } from "../once.ts";

/** How to transfer a DMABUF. */
export interface DmabufTransferOptions {
  /** Withdraws the transfer. */
  readonly signal?: AbortSignal;
}

/**
 * A DMABUF attached to an endpoint: the device controller reads or writes its
 * memory, and nothing is copied.
 *
 * Made by {@linkcode Endpoint.attach}. Detaching it, closing the buffer and
 * closing the function all end it.
 */
export class DmaBufferAttachment implements AsyncDisposable {
  /** The buffer. */
  readonly buffer: DmaBuffer;
  /** The endpoint that it is attached to. */
  readonly endpoint: { readonly name: string; readonly path: string };
  readonly #owner: DmabufEndpoint;
  readonly #detaching = new Once();
  /** @ignore Whether the kernel has it attached, as far as is known. */
  inKernel = true;

  /** Made by {@linkcode Endpoint.attach}. */
  constructor(
    buffer: DmaBuffer,
    { name, path }: { readonly name: string; readonly path: string },
    owner: DmabufEndpoint,
  ) {
    this.buffer = buffer;
    this.endpoint = { name, path };
    this.#owner = owner;
  }

  /**
   * Sends the first `length` bytes of the buffer as one transfer, or receives
   * one there. Resolves when the controller is done with it: when the host has
   * taken, or sent, all of it, or ended its transfer with a short packet.
   *
   * How much the host has sent is not told: FunctionFS does not say it. A
   * protocol over DMABUFs carries lengths in its data, or has fixed ones. On
   * an OUT endpoint `length` is rounded up to whole packets, since what is
   * more in a packet would be lost. On an IN endpoint
   * {@linkcode InEndpoint.autoZlp} applies.
   *
   * Transfers of one endpoint run in the order of the calls, whatever their
   * buffers are. A buffer is in one transfer at a time, also where it is
   * attached to several endpoints: another one waits for it, and those behind
   * that one on its endpoint. With two or more buffers in rotation the endpoint
   * is busy all the time. The order between `transfer` and `write` or `read` of
   * the same endpoint is not defined; await the one before the other.
   *
   * Before a host has enabled the endpoint it waits. When the host disables the
   * endpoint (a reset, another setting, an unplugged cable), what is with the
   * controller fails with ESHUTDOWN, and is not begun again; what still waits
   * for its turn waits on.
   *
   * Where a transfer was done already when it is aborted, it is done; what the
   * host does in that very moment is not known.
   *
   * @param length Bytes, from 1 to the size of the buffer.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {TypeError} If an argument is of another type.
   * @throws {RangeError} If the length is not in the buffer.
   * @throws {Deno.errors.Busy} While {@linkcode DmaBuffer.access} runs.
   * @throws {Error} ESHUTDOWN (see above), ECONNRESET (the buffer was
   * detached), or what else the controller or the owner of the buffer reports.
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
   * Takes the buffer away from the endpoint. Transfers that wait or are with
   * the controller fail with ECONNRESET. Resolves when the controller is done
   * with the buffer. A second call returns the same promise; after a failure it
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
