/**
 * The DMABUF transfers of one endpoint, in order.
 *
 * They wait here until the host has enabled the endpoint and no other transfer
 * uses their buffer. The kernel gets a transfer only when nothing holds it up.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import { type CpuAccessMode, idleEvent, isIdle } from "../../../ffi/dmabuf.ts";
import { Errno } from "../../../ffi/errno.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";
import type { ZeroLengthPackets } from "../write/zero_length.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { type Connection, Retry } from "../transfer/connection.ts";
import type { DmaBufferAttachment } from "./attachment.ts";
import { attachDmabuf, detachDmabuf, transferDmabuf } from "./calls.ts";
import { DmabufFence, type FenceResult } from "./fence.ts";
import { type DmabufSupport, unsupportedError } from "./support.ts";
import { Terminator } from "./terminator.ts";
import {
  type DmabufCancellation,
  type DmabufTransfer,
  TRANSFER_ACTION,
} from "./transfer.ts";

/** The endpoint, as its DMABUFs see it. */
export interface DmabufPort {
  readonly name: string;
  readonly path: string;
  /** Its open file, nonblocking. */
  readonly fd: number;
  readonly direction: Direction;
  readonly aio: AioContext;
  readonly lifecycle: Lifecycle;
  readonly connection: Connection;
  /** Bytes in a full packet at the speed of the connection. */
  readonly packetSize: number;
  /** Whether transfers end with zero-length packets. */
  readonly autoZlp: boolean;
  /** Sends these packets, on an IN endpoint. */
  readonly zeroLengthPackets: ZeroLengthPackets | undefined;
  /**
   * Waits until the function is bound; returns what the controller supports.
   */
  support(signal?: AbortSignal): Promise<DmabufSupport>;
}

/** The transfers of one endpoint that wait or are in the kernel. */
export class DmabufQueue {
  readonly #port: DmabufPort;
  readonly #waiting: DmabufTransfer[] = [];
  readonly #flying = new Set<DmabufTransfer>();
  readonly #retry: Retry;
  #pumping = false;
  /** While the first transfer waits for other devices. */
  #others: Watch | undefined;
  /** The connection that has ended, while its event is unread. */
  #lostConnection = 0;
  #closed = false;

  constructor(port: DmabufPort) {
    this.#port = port;
    this.#retry = new Retry(() => this.pump());
    port.lifecycle.onEnable(() => this.pump());
    port.lifecycle.onApply(() => this.pump());
  }

  /** The transfers of an attachment. */
  of(attachment: DmaBufferAttachment): DmabufTransfer[] {
    return [...this.#waiting, ...this.#flying].filter((transfer) =>
      transfer.attachment === attachment
    );
  }

  push(transfer: DmabufTransfer): void {
    this.#waiting.push(transfer);
    this.pump();
  }

  /** All buffers are about to be detached: fences must not be read after it. */
  sealFences(): void {
    for (const { fence } of this.#flying) fence?.seal();
  }

  /** Begins no more transfers. */
  close(): void {
    this.#closed = true;
    this.#retry.stop();
  }

  /** Ends a transfer early, unless it is done. */
  cancel(transfer: DmabufTransfer, why: DmabufCancellation): void {
    if (transfer.cancelled !== undefined) return;
    transfer.cancelled = why;
    if (!this.#flying.has(transfer)) {
      this.#drop(transfer, Errno.ECONNRESET);
      this.pump();
      return;
    }
    const { attachment, fence, result, terminator } = transfer;
    if (result === undefined && fence?.isSignalled === false) {
      // The only way to take a request back. The buffer is attached again when
      // needed. Without a UDC, the request has already ended.
      const detached = detachDmabuf(this.#port.fd, attachment.buffer.fd);
      if (detached !== "unbound") {
        attachment.inKernel = false;
        fence.abandon();
      }
    }
    terminator?.cancel();
  }

  /** Begins all transfers that may begin. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#beginFirst());
    } finally {
      this.#pumping = false;
    }
  }

  /** Begins the first transfer. Returns whether to continue with the next. */
  #beginFirst(): boolean {
    const transfer = this.#waiting[0];
    if (transfer === undefined || this.#closed) return false;
    const { enabled, enableCount, doubtful } = this.#port.connection;
    if (!enabled || doubtful || enableCount === this.#lostConnection) {
      transfer.leaveGate();
      return false;
    }
    if (this.#retry.waiting || this.#others !== undefined) return false;
    if (transfer.gate === "outside") {
      transfer.gate = "asked";
      transfer.attachment.buffer.gate.enter(transfer.admit);
    }
    return transfer.gate === "inside" && this.#begin(transfer);
  }

  /** Submits a transfer to the kernel. Returns whether to continue. */
  #begin(transfer: DmabufTransfer): boolean {
    const { fd, aio } = this.#port;
    const { attachment } = transfer;
    const dmabuf = attachment.buffer.fd;
    if (!attachment.inKernel) {
      const errno = attachDmabuf(fd, dmabuf);
      if (errno !== 0) return this.#onRefused(transfer, errno);
      attachment.inKernel = true;
    }
    let terminate: boolean, length: number;
    try {
      length = this.#wireLength(transfer);
      terminate = this.#prepareEnd(transfer, length);
    } catch (error) {
      this.#drop(transfer, error);
      return true;
    }
    const result = transferDmabuf(fd, dmabuf, length);
    if (result === Errno.EPERM) {
      // Detached by another program, or attached to another UDC.
      attachment.inKernel = false;
      if (transfer.reattached) this.#drop(transfer, result);
      transfer.reattached = true;
      return true;
    }
    if (result !== 0) return this.#onRefused(transfer, result);
    this.#waiting.shift();
    this.#flying.add(transfer);
    this.#retry.reset();
    if (terminate) {
      transfer.terminator = new Terminator(aio, fd, () => {
        if (transfer.result !== undefined) this.#settle(transfer);
      });
    }
    transfer.fence = new DmabufFence(dmabuf, this.#fenceMode);
    transfer.fence.follow(this.#fenceMode, (result) => {
      this.#onFence(transfer, result);
    });
    return true;
  }

  /** An OUT request takes whole packets: the rest of a packet would be lost. */
  #wireLength({ length, attachment }: DmabufTransfer): number {
    const { direction, packetSize, name } = this.#port;
    if (direction === "in") return length;
    const whole = Math.ceil(length / packetSize) * packetSize;
    if (whole <= attachment.buffer.size) return whole;
    throw new RangeError(
      `Cannot ${TRANSFER_ACTION} endpoint "${name}": it takes whole packets of ${packetSize} bytes, and ${whole} do not fit into ${attachment.buffer.size}`,
    );
  }

  /**
   * Makes the kernel append a zero-length packet where one is wanted. Returns
   * whether a separate request has to send it.
   */
  #prepareEnd({ autoZlp }: DmabufTransfer, length: number): boolean {
    const { zeroLengthPackets, packetSize } = this.#port;
    if (zeroLengthPackets === undefined) return false;
    const wanted = autoZlp && length % packetSize === 0;
    zeroLengthPackets.set(wanted);
    return wanted && zeroLengthPackets.mode === "request";
  }

  /** The kernel refused the first transfer. Returns whether to continue. */
  #onRefused(transfer: DmabufTransfer, why: number | "unbound"): boolean {
    const { connection, name, path } = this.#port;
    const action = `${TRANSFER_ACTION} endpoint "${name}"`;
    const enabled = connection.probe();
    switch (why) {
      case "unbound":
      case Errno.EPERM:
        if (!enabled) break;
        this.#drop(
          transfer,
          unsupportedError(action, path, "no scatter-gather"),
        );
        return true;
      case Errno.EAGAIN:
      case Errno.ESHUTDOWN:
        if (!enabled) break;
        this.#retry.later();
        return false;
      case Errno.EBUSY:
        this.#waitForOthers(transfer.attachment.buffer.fd);
        return false;
      default:
        this.#drop(transfer, why);
        return true;
    }
    // Disabled; the event is pending.
    this.#lostConnection = connection.enableCount;
    transfer.leaveGate();
    return false;
  }

  /** Other devices use the buffer, or have it locked. */
  #waitForOthers(dmabuf: number): void {
    const mode = this.#port.direction === "in" ? "read" : "write";
    if (isIdle(dmabuf, mode)) return this.#retry.later();
    this.#others = watch(dmabuf, idleEvent(mode), () => {
      this.#others?.stop();
      this.#others = undefined;
      this.pump();
    });
  }

  /** Which fences mark the end of a transfer. */
  get #fenceMode(): CpuAccessMode {
    return this.#port.direction === "in" ? "write" : "read";
  }

  #onFence(transfer: DmabufTransfer, result: FenceResult): void {
    transfer.result = result;
    transfer.leaveGate();
    const { terminator } = transfer;
    if (!terminator?.pending) return this.#settle(transfer);
    // Without the transfer before it, it would be a transfer itself.
    if (result.status < 0) terminator.cancel();
  }

  /** Every part of a transfer has ended. */
  #settle(transfer: DmabufTransfer): void {
    const { status, early, failure } = transfer.result!;
    const error = failure ?? Math.max(0, -status);
    this.#flying.delete(transfer);
    if (error !== 0) {
      transfer.fail(error);
    } else if (early && !this.#port.connection.probe()) {
      // The fence was signalled at once, and its error could not be read.
      transfer.fail(Errno.ESHUTDOWN);
    } else if (transfer.terminator?.error) {
      transfer.fail(transfer.terminator.error);
    } else {
      transfer.succeed();
    }
    this.pump();
  }

  /** Ends a transfer that is not in the kernel. */
  #drop(transfer: DmabufTransfer, failure: unknown): void {
    const index = this.#waiting.indexOf(transfer);
    if (index >= 0) this.#waiting.splice(index, 1);
    const others = index === 0 ? this.#others : undefined;
    if (others === undefined) return this.#end(transfer, failure);
    // The buffer may be closed after this, and must no longer be watched.
    this.#others = undefined;
    others.stop().then(() => this.#end(transfer, failure));
  }

  #end(transfer: DmabufTransfer, failure: unknown): void {
    transfer.leaveGate();
    transfer.fail(failure);
  }
}
