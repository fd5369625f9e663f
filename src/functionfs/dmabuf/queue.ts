/**
 * The transfers of the DMABUFs of one endpoint, in order.
 *
 * They wait here while the host has not enabled the endpoint, and while their
 * buffer is in another transfer. The kernel gets a transfer only when nothing
 * holds it up any more.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import type { AioContext } from "../../../ffi/aio/context.ts";
import { AioRequest } from "../../../ffi/aio/ring.ts";
import { type CpuAccessMode, idleEvent, isIdle } from "../../../ffi/dmabuf.ts";
import { Errno, isSystemError } from "../../../ffi/errno.ts";
import { type Watch, watch } from "../../../ffi/reactor.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";
import { type Connection, Retry } from "../transfer/connection.ts";
import type { DmaBufferAttachment } from "./attachment.ts";
import { attachDmabuf, detachDmabuf, transferDmabuf } from "./calls.ts";
import { DmabufFence, type FenceResult } from "./fence.ts";
import { type DmabufSupport, unsupportedError } from "./support.ts";
import {
  type DmabufCancellation,
  type DmabufTransfer,
  TRANSFER,
} from "./transfer.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { ZeroLengthPackets } from "../write/zero_length.ts";

/** What the DMABUFs of an endpoint need to know of it. */
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
  /** Whether transfers are to end with zero-length packets. */
  readonly autoZlp: boolean;
  /** What sends those, on an IN endpoint. */
  readonly zeroLengthPackets: ZeroLengthPackets | undefined;
  /** Waits until the function is bound, and tells what can be done then. */
  support(signal?: AbortSignal): Promise<DmabufSupport>;
}

/** The transfers of one endpoint that wait or are in the kernel. */
export class DmabufQueue {
  readonly #port: DmabufPort;
  readonly #waiting: DmabufTransfer[] = [];
  readonly #flying = new Set<DmabufTransfer>();
  readonly #retry: Retry;
  #pumping = false;
  /** While the first transfer waits for devices that we do not know. */
  #others: Watch | undefined;
  /** The connection that has ended, unless the event is to be read yet. */
  #lostConnection = 0;
  #closed = false;

  /** For an endpoint whose file is open. */
  constructor(port: DmabufPort) {
    this.#port = port;
    this.#retry = new Retry(() => this.pump());
    port.lifecycle.onEnable(() => this.pump());
  }

  /** The transfers of an attachment. */
  of(attachment: DmaBufferAttachment): DmabufTransfer[] {
    return [...this.#waiting, ...this.#flying].filter((transfer) =>
      transfer.attachment === attachment
    );
  }

  /** Adds a transfer at the end. */
  push(transfer: DmabufTransfer): void {
    this.#waiting.push(transfer);
    this.pump();
  }

  /** All buffers are about to be detached: nobody may look at fences then. */
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
      // There is no other way to take a request back. The buffer is attached
      // again when it is needed. Without a UDC the request has ended already.
      const detached = detachDmabuf(this.#port.fd, attachment.buffer.fd);
      if (detached !== "unbound") {
        attachment.inKernel = false;
        fence.abandon();
      }
    }
    if (terminator?.pending) this.#port.aio.cancel(terminator);
  }

  /** Begins what may be begun. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#beginFirst());
    } finally {
      this.#pumping = false;
    }
  }

  /** Begins the first transfer; tells whether to look at the next one. */
  #beginFirst(): boolean {
    const transfer = this.#waiting[0];
    if (transfer === undefined || this.#closed) return false;
    const { enabled, enableCount } = this.#port.connection;
    if (!enabled || enableCount === this.#lostConnection) {
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

  /** Hands a transfer to the kernel; tells whether to look at the next one. */
  #begin(transfer: DmabufTransfer): boolean {
    const { fd } = this.#port;
    const { attachment } = transfer;
    const dmabuf = attachment.buffer.fd;
    if (!attachment.inKernel) {
      const errno = attachDmabuf(fd, dmabuf);
      if (errno !== 0) return this.#onRefused(transfer, errno);
      attachment.inKernel = true;
    }
    let terminate: boolean;
    let length: number;
    try {
      length = this.#wireLength(transfer);
      terminate = this.#prepareEnd(transfer, length);
    } catch (error) {
      this.#drop(transfer, error);
      return true;
    }
    const result = transferDmabuf(fd, dmabuf, length);
    if (result === Errno.EPERM) {
      // Detached behind our back, or attached to another UDC.
      attachment.inKernel = false;
      if (transfer.reattached) this.#drop(transfer, result);
      transfer.reattached = true;
      return true;
    }
    if (result !== 0) return this.#onRefused(transfer, result);
    this.#waiting.shift();
    this.#flying.add(transfer);
    this.#retry.reset();
    if (terminate) this.#terminate(transfer);
    transfer.fence = new DmabufFence(dmabuf, this.#fenceMode);
    transfer.fence.follow(this.#fenceMode, (result) => {
      this.#onFence(transfer, result);
    });
    return true;
  }

  /** An OUT request takes whole packets: what is more in one would be lost. */
  #wireLength({ length, attachment }: DmabufTransfer): number {
    const { direction, packetSize, name } = this.#port;
    if (direction === "in") return length;
    const whole = Math.ceil(length / packetSize) * packetSize;
    if (whole <= attachment.buffer.size) return whole;
    throw new RangeError(
      `Cannot ${TRANSFER} endpoint "${name}": it takes whole packets of ${packetSize} bytes, and ${whole} do not fit into ${attachment.buffer.size}`,
    );
  }

  /**
   * Sees to it that a zero-length packet follows where one is wanted; tells
   * whether it has to be a request of its own.
   */
  #prepareEnd({ autoZlp }: DmabufTransfer, length: number): boolean {
    const { zeroLengthPackets, packetSize } = this.#port;
    if (zeroLengthPackets === undefined) return false;
    const wanted = autoZlp && length % packetSize === 0;
    zeroLengthPackets.set(wanted);
    return wanted && zeroLengthPackets.mode === "request";
  }

  /** Sends an empty request right behind the transfer. */
  #terminate(transfer: DmabufTransfer): void {
    const { aio, fd } = this.#port;
    transfer.terminator = new AioRequest((result) => {
      transfer.terminated = result;
      if (transfer.result !== undefined) this.#settle(transfer);
    });
    try {
      aio.submit(transfer.terminator, IOCB_CMD_PWRITE, fd, 0n, 0, undefined);
    } catch (error) {
      // No room for more requests in the whole system.
      transfer.terminated = isSystemError(error) ? -error.errno : -Errno.EIO;
      return;
    }
    aio.flush();
  }

  /** The kernel did not take the first transfer; tells whether to go on. */
  #onRefused(transfer: DmabufTransfer, why: number | "unbound"): boolean {
    const { connection, name, path } = this.#port;
    const enabled = connection.probe();
    switch (why) {
      case "unbound":
      case Errno.EPERM:
        if (!enabled) break;
        this.#drop(
          transfer,
          unsupportedError(
            `${TRANSFER} endpoint "${name}"`,
            path,
            "no scatter-gather",
          ),
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
    // The event that says so is on the way.
    this.#lostConnection = connection.enableCount;
    transfer.leaveGate();
    return false;
  }

  /** Other devices use the buffer, or have it locked. */
  #waitForOthers(dmabuf: number): void {
    const mode: CpuAccessMode = this.#port.direction === "in"
      ? "read"
      : "write";
    if (isIdle(dmabuf, mode)) return this.#retry.later();
    this.#others = watch(dmabuf, idleEvent(mode), () => {
      this.#others?.stop();
      this.#others = undefined;
      this.pump();
    });
  }

  /** Whose fences show the end of a transfer. */
  get #fenceMode(): CpuAccessMode {
    return this.#port.direction === "in" ? "write" : "read";
  }

  #onFence(transfer: DmabufTransfer, result: FenceResult): void {
    transfer.result = result;
    transfer.leaveGate();
    const { terminator } = transfer;
    if (!terminator?.pending) return this.#settle(transfer);
    // Without the transfer before it, it would be one of its own.
    if (result.status < 0) this.#port.aio.cancel(terminator);
  }

  /** All that belongs to a transfer has ended. */
  #settle(transfer: DmabufTransfer): void {
    const { status, early, failure } = transfer.result!;
    if (failure !== undefined) {
      this.#finish(transfer, failure);
    } else if (status < 0) {
      this.#finish(transfer, -status);
    } else if (early && !this.#port.connection.probe()) {
      // The fence was signalled at once, and could not be asked for its error.
      this.#finish(transfer, Errno.ESHUTDOWN);
    } else {
      this.#finish(transfer, this.#terminatorError(transfer));
    }
  }

  #terminatorError({ terminated }: DmabufTransfer): number {
    if (terminated >= 0) return 0;
    // The host has got the data, and a new start is an end, too.
    const over = terminated === -Errno.ESHUTDOWN ||
      terminated === -Errno.EAGAIN;
    return over ? 0 : -terminated;
  }

  #finish(transfer: DmabufTransfer, failure: unknown): void {
    this.#flying.delete(transfer);
    if (failure === 0) transfer.succeed();
    else transfer.fail(failure);
    this.pump();
  }

  /** Ends a transfer that is not in the kernel. */
  #drop(transfer: DmabufTransfer, failure: unknown): void {
    const index = this.#waiting.indexOf(transfer);
    if (index >= 0) this.#waiting.splice(index, 1);
    const others = index === 0 ? this.#others : undefined;
    if (others === undefined) return this.#end(transfer, failure);
    // The buffer may be closed after this: nothing may look at it any more.
    this.#others = undefined;
    others.stop().then(() => this.#end(transfer, failure));
  }

  #end(transfer: DmabufTransfer, failure: unknown): void {
    transfer.leaveGate();
    transfer.fail(failure);
  }
}
