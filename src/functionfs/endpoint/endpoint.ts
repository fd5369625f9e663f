/**
 * The common part of IN and OUT endpoints: their file, its ioctls, halts and
 * DMABUFs.
 *
 * @module
 */
import { Errno, isSystemError, systemError } from "../../../ffi/errno.ts";
import { ioctl } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { checkArgument, type Rule } from "../../arguments/rules.ts";
import { decodeList } from "../../inspect/decode_descriptors.ts";
import type { EndpointNode } from "../../inspect/descriptor_nodes.ts";
import { USB_ENDPOINT_MAXP_MASK } from "../../usb/endpoint_attributes.ts";
import {
  FUNCTIONFS_CLEAR_HALT,
  FUNCTIONFS_ENDPOINT_DESC,
  FUNCTIONFS_FIFO_FLUSH,
  FUNCTIONFS_FIFO_STATUS,
} from "../../compile/functionfs_abi.ts";
import {
  type Connection,
  connectionOf,
  nextTry,
} from "../transfer/connection.ts";
import { DmaBuffer } from "../dmabuf/buffer.ts";
import type { DmaBufferAttachment } from "../dmabuf/attachment.ts";
import { DmabufEndpoint } from "../dmabuf/endpoint.ts";
import { type DmabufSupport, dmabufSupport } from "../dmabuf/support.ts";
import { checkSignal, type EndpointOptions } from "../transfer/options.ts";
import { haltEndpoint, settled } from "./halt.ts";
import { closedError } from "../transfer/error.ts";
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { AioContext } from "../../../ffi/aio/context.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { RequestQueue } from "../transfer/queue.ts";
import type { ZeroLengthPackets } from "../write/zero_length.ts";

/** What an endpoint is made from. */
export interface EndpointResources {
  /** Open file of the endpoint, O_RDWR and O_NONBLOCK. */
  readonly fd: number;
  /** The file for transfers: the same file, or that of its pair. */
  readonly transferFd: number;
  /** Path of the endpoint's file. */
  readonly path: string;
  readonly aio: AioContext;
  readonly lifecycle: Lifecycle;
  readonly compiled: CompiledEndpoint;
}

/** The zero-length packets of an IN endpoint. */
export interface ZeroLengthControl {
  /** Whether transfers end with them. */
  readonly on: boolean;
  readonly packets: ZeroLengthPackets;
}

/**
 * An endpoint of a function.
 *
 * @priority 7
 * @category Endpoints
 */
export abstract class Endpoint {
  /** The name of the endpoint in the definition. */
  readonly name: string;
  /** The endpoint's file, such as `/run/usb-gadget/echo/ep1`. */
  readonly path: string;
  /** @ignore */
  protected readonly resources: EndpointResources;
  /** @ignore */
  protected readonly connection: Connection;
  #maxPacketSize = 0;
  #knownFor = 0;
  #dmabufs: DmabufEndpoint | undefined;
  /** Resolves when the last {@linkcode halt} is set or has failed. */
  #lastHalt: Promise<void> = Promise.resolve();

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    const { lifecycle, compiled, path } = resources;
    this.resources = resources;
    this.name = compiled.name;
    this.path = path;
    this.connection = connectionOf(
      lifecycle,
      () => this.#readDescriptor() > 0,
    );
  }

  /**
   * Bytes in a full packet at the speed of the current connection, or 0 before
   * the host has enabled the endpoint for the first time.
   */
  get maxPacketSize(): number {
    const { lifecycle } = this.resources;
    if (lifecycle.enableCount !== this.#knownFor) {
      // On failure the endpoint is disabled again, and the event is unread. The
      // old size will do: nothing is transferred until the next ENABLE.
      if (this.#readDescriptor() > 0) {
        const value = DESCRIPTOR[4] | DESCRIPTOR[5] << 8;
        this.#maxPacketSize = value & USB_ENDPOINT_MAXP_MASK;
        this.#knownFor = lifecycle.enableCount;
      }
    }
    return this.#maxPacketSize;
  }

  /** @ignore The packet size, or a guess before the first connection. */
  protected get packetSize(): number {
    return this.maxPacketSize || this.largestPacketSize;
  }

  /** @ignore The largest packet size at any speed. */
  protected get largestPacketSize(): number {
    return Math.max(...Object.values(this.resources.compiled.maxPacketSize));
  }

  /** @ignore The queue of the endpoint's kernel requests. */
  protected abstract get queue(): RequestQueue;

  /** @ignore Whether an IN endpoint sends zero-length packets, and how. */
  protected get zeroLength(): ZeroLengthControl | undefined {
    return undefined;
  }

  /**
   * Attaches a DMABUF, so that the device controller sends from or receives
   * into its memory without a copy (FUNCTIONFS_DMABUF_ATTACH, Linux 6.9). Waits
   * until the function is bound to a controller.
   *
   * The controller's driver must support scatter-gather, see
   * {@linkcode FunctionFs.dmabufSupport}. Closing the function detaches all
   * buffers. The kernel also detaches them when any program closes the
   * endpoint's file; they are then attached again before the next transfer. No
   * other program may close the file during a transfer: the kernel would free
   * memory that it still uses (docs/dmabuf.md).
   *
   * @throws {Deno.errors.NotSupported} If the controller has no scatter-gather,
   * or the kernel is older.
   * @throws {Deno.errors.AlreadyExists} If the buffer is already attached to
   * the endpoint, under this or another descriptor.
   * @throws {Error} What the owner of the buffer reports, such as ENOMEM.
   * @throws {Deno.errors.BadResource} If the buffer is closed, or the function
   * is or gets closed.
   */
  async attach(
    buffer: DmaBuffer,
    options: EndpointOptions = {},
  ): Promise<DmaBufferAttachment> {
    const action = `attach a DMABUF to endpoint "${this.name}"`;
    checkArgument(action, "the buffer", buffer, A_DMABUF);
    checkSignal(action, options);
    this.assertOpen("attach a DMABUF to");
    this.#dmabufs ??= this.#makeDmabufs();
    return await this.#dmabufs.attach(buffer, options.signal);
  }

  /**
   * Halts the endpoint: it answers every transfer of the host with a STALL,
   * until the host or {@linkcode clearHalt} clears the halt, or the endpoint is
   * enabled again. Waits for a host to enable it. Resolves when it is halted.
   *
   * On an IN endpoint, a halt is queued among the writes: it is set when the
   * host has taken all earlier writes, and later ones continue when it is
   * cleared. On an OUT endpoint, it is set at once; pending reads stay, and
   * continue when it is cleared.
   *
   * The kernel does not report when the host clears the halt.
   *
   * @throws {Deno.errors.NotSupported} On an isochronous endpoint.
   * @throws The signal's reason, if it is aborted before the halt is set.
   */
  async halt(options: EndpointOptions = {}): Promise<void> {
    checkSignal(`halt endpoint "${this.name}"`, options);
    const halted = haltEndpoint({
      endpoint: this,
      fd: this.resources.fd,
      direction: this.resources.compiled.direction,
      transferType: this.resources.compiled.transferType,
      queue: this.queue,
      signal: options.signal,
    });
    this.#lastHalt = halted.catch(() => {});
    return await halted;
  }

  /**
   * Clears a halt; transfers continue. Resets the data toggle on this side
   * only, so a real host should clear its side, too. Waits for a host to enable
   * the endpoint.
   */
  async clearHalt(options: EndpointOptions = {}): Promise<void> {
    checkSignal(`clear the halt of endpoint "${this.name}"`, options);
    await settled(this.#lastHalt, options.signal);
    await this.#control("clear the halt of", FUNCTIONFS_CLEAR_HALT, options);
  }

  /**
   * Returns the number of bytes in the endpoint's FIFO: on an IN endpoint, what
   * the host has not taken yet. Waits for a host to enable the endpoint.
   *
   * @throws {Deno.errors.NotSupported} If the controller does not support it.
   * Most do not, dummy_hcd among them.
   */
  fifoStatus(options: EndpointOptions = {}): Promise<number> {
    return this.#control(
      "read the FIFO status of",
      FUNCTIONFS_FIFO_STATUS,
      options,
    );
  }

  /**
   * Discards the contents of the endpoint's FIFO. Pending transfers stay. Has
   * no effect if the controller does not support it. Waits for a host to enable
   * the endpoint.
   */
  async flush(options: EndpointOptions = {}): Promise<void> {
    await this.#control("flush", FUNCTIONFS_FIFO_FLUSH, options);
  }

  /**
   * Returns the endpoint's descriptor for the current speed, with the address
   * that the host uses. (FUNCTIONFS_ENDPOINT_REVMAP is of no use here: it
   * returns 255 on all kernels up to 7.3.) Waits for a host to enable the
   * endpoint.
   */
  async descriptor(options: EndpointOptions = {}): Promise<EndpointNode> {
    const bytes = new Uint8Array(DESCRIPTOR.byteLength);
    await this.#control(
      "read the descriptor of",
      FUNCTIONFS_ENDPOINT_DESC,
      options,
      bytes,
    );
    return decodeList([bytes.subarray(0, bytes[0])])[0] as EndpointNode;
  }

  /** @ignore The function's host has enabled the endpoint. */
  onEnable(): void {
    this.queue.onEnable();
  }

  /** @ignore The host has disabled the endpoint. */
  onDisable(): void {
    this.queue.onDisable();
  }

  /**
   * @ignore Ends all transfers; resolves when the kernel holds none of them.
   */
  async close(): Promise<void> {
    await Promise.all([this.queue.close(), this.#dmabufs?.close()]);
  }

  /** Throws if the function is closed. */
  protected assertOpen(action: string): void {
    if (this.resources.lifecycle.state === "closed") {
      throw closedError(action, this.name);
    }
  }

  /** Makes an ioctl that fails with EAGAIN until the endpoint is enabled. */
  async #control(
    action: string,
    request: number,
    options: EndpointOptions,
    argument: Uint8Array<ArrayBuffer> | number = 0,
  ): Promise<number> {
    const { lifecycle, fd } = this.resources;
    const call = {
      action: `${action} endpoint "${this.name}"`,
      syscall: "ioctl",
      path: this.path,
    };
    checkSignal(call.action, options);
    const { signal } = options;
    const closed = () => closedError(action, this.name);
    for (;;) {
      signal?.throwIfAborted();
      this.assertOpen(action);
      try {
        return ioctl(fd, request, argument, call);
      } catch (error) {
        if (isSystemError(error, "EOPNOTSUPP", "ENOTTY")) {
          const hint = "the device controller does not support it";
          throw systemError(Errno.EOPNOTSUPP, { ...call, hint });
        }
        if (!isSystemError(error, "EAGAIN", "ESHUTDOWN")) throw error;
        await nextTry(lifecycle, closed, signal);
      }
    }
  }

  /** @ignore See {@linkcode FunctionFs.dmabufSupport}. */
  async dmabufSupport(options: EndpointOptions = {}): Promise<DmabufSupport> {
    checkSignal("find out whether DMABUFs can be transferred", options);
    const { connection } = this;
    const { fd, lifecycle } = this.resources;
    return await dmabufSupport({
      fd,
      lifecycle,
      probe: () => connection.probe(),
      closedError: () => closedError("transfer DMABUFs on", this.name),
    }, options.signal);
  }

  #makeDmabufs(): DmabufEndpoint {
    const { name, path, connection } = this;
    const { fd, aio, lifecycle, compiled } = this.resources;
    const packetSize = () => this.packetSize;
    const zeroLength = () => this.zeroLength;
    return new DmabufEndpoint({
      name,
      path,
      fd,
      direction: compiled.direction,
      aio,
      lifecycle,
      connection,
      get packetSize() {
        return packetSize();
      },
      get autoZlp() {
        return zeroLength()?.on ?? false;
      },
      zeroLengthPackets: zeroLength()?.packets,
      support: (signal) => this.dmabufSupport({ signal }),
    });
  }

  /** Reads the descriptor; returns its length, or 0 if the endpoint is disabled. */
  #readDescriptor(): number {
    const { fd } = this.resources;
    const request = BigInt(FUNCTIONFS_ENDPOINT_DESC);
    return libc().ioctl_pointer(fd, request, DESCRIPTOR) < 0
      ? 0
      : DESCRIPTOR[0];
  }
}

const A_DMABUF: Rule = {
  expected: "a DmaBuffer",
  accepts: (value) => value instanceof DmaBuffer,
};

/** An endpoint descriptor, of 7 or 9 bytes. Read and decoded in one turn. */
const DESCRIPTOR = new Uint8Array(9);
