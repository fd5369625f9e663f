/**
 * One endpoint of the kernel. The endpoint objects of a function and of its
 * sessions share it.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import type { CompiledEndpoint } from "../../compile/compile.ts";
import { FUNCTIONFS_ENDPOINT_DESC } from "../../compile/functionfs_abi.ts";
import { USB_ENDPOINT_MAXP_MASK } from "../../usb/endpoint_attributes.ts";
import { DmabufEndpoint } from "../dmabuf/endpoint.ts";
import { type DmabufSupport, dmabufSupport } from "../dmabuf/support.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { SessionLife } from "../session.ts";
import { type Connection, connectionOf } from "../transfer/connection.ts";
import { closedError } from "../transfer/error.ts";
import type { Interceptor } from "../transfer/interception.ts";
import { RequestQueue } from "../transfer/queue.ts";
import type { RequestPort } from "../transfer/request.ts";
import type { ZeroLengthPackets } from "../write/zero_length.ts";
import { type EndpointFile, kernelFile } from "./file.ts";
import { tryHalt } from "./halt.ts";

/** What an endpoint is made from. */
export interface EndpointResources {
  /** Open file of the endpoint, O_RDWR and O_NONBLOCK. */
  readonly fd: number;
  /** The file for transfers: the same file, or that of its pair. */
  readonly transferFd: number;
  /** Path of the endpoint's file. */
  readonly path: string;
  /** Other calls than those of the kernel on `fd`. */
  readonly file?: EndpointFile;
  readonly aio: AioContext;
  readonly lifecycle: Lifecycle;
  readonly compiled: CompiledEndpoint;
  /** What stands before its requests, if anything. */
  readonly intercept?: ReturnType<Interceptor["open"]>;
}

/** The zero-length packets of an IN endpoint. */
export interface ZeroLengthControl {
  /** Whether transfers end with them. */
  readonly on: boolean;
  readonly packets: ZeroLengthPackets;
}

/** What the objects of an endpoint share. */
export abstract class EndpointCore {
  /** The name of the endpoint in the definition. */
  readonly name: string;
  readonly resources: EndpointResources;
  readonly file: EndpointFile;
  readonly connection: Connection;
  /** The kernel requests of the endpoint. */
  readonly queue: RequestQueue;
  /** Where reads and writes queue them: there, unless something intercepts. */
  readonly requests: RequestPort;
  /** The largest packet size at any speed. */
  readonly largestPacketSize: number;
  /** Resolves when the last halt is set or has failed. */
  lastHalt: Promise<void> = Promise.resolve();
  #packetSize: number;
  #knownFor = 0;
  #dmabufs: DmabufEndpoint | undefined;

  constructor(resources: EndpointResources, opcode: number) {
    const { aio, fd, transferFd, lifecycle, compiled } = resources;
    this.resources = resources;
    this.file = resources.file ?? kernelFile(fd);
    this.name = compiled.name;
    this.largestPacketSize = this.#packetSize = Math.max(
      ...Object.values(compiled.maxPacketSize),
    );
    const connection = this.connection = connectionOf(
      lifecycle,
      () => this.#readDescriptor() > 0,
    );
    const queue = new RequestQueue({ aio, fd: transferFd, opcode, connection });
    this.queue = queue;
    const { intercept } = resources;
    const { name, direction } = compiled;
    const halt = () => tryHalt(this.file, direction);
    this.requests = intercept?.({ name, direction, queue, halt }) ?? queue;
  }

  /** Path of the endpoint's file. */
  get path(): string {
    return this.resources.path;
  }

  /**
   * Bytes in a full packet at the speed of the current connection; the largest
   * size before the first one.
   */
  get packetSize(): number {
    const { enableCount } = this.resources.lifecycle;
    if (enableCount !== this.#knownFor) {
      // On failure the endpoint is disabled again, and the event is unread. The
      // old size will do: nothing is transferred until the next ENABLE.
      if (this.#readDescriptor() > 0) {
        const value = DESCRIPTOR[4] | DESCRIPTOR[5] << 8;
        this.#packetSize = value & USB_ENDPOINT_MAXP_MASK;
        this.#knownFor = enableCount;
      }
    }
    return this.#packetSize;
  }

  /** Whether the kernel has requests for data of the host. */
  get isReceiving(): boolean {
    return false;
  }

  /** Whether an IN endpoint sends zero-length packets, and how. */
  get zeroLength(): ZeroLengthControl | undefined {
    return undefined;
  }

  /** Its attached DMABUFs. */
  get dmabufs(): DmabufEndpoint {
    return this.#dmabufs ??= this.#makeDmabufs();
  }

  /** See `FunctionFs.dmabufSupport`. */
  dmabufSupport(signal: AbortSignal | undefined): Promise<DmabufSupport> {
    const { connection, name } = this;
    const { fd, lifecycle } = this.resources;
    return dmabufSupport({
      fd,
      lifecycle,
      probe: () => connection.probe(),
      closedError: () => closedError("transfer DMABUFs on", name),
    }, signal);
  }

  /**
   * Calls back when the session ends, with its error; or, without one, when the
   * function is closed. Returns a function that ends that.
   */
  onOver(
    session: SessionLife | undefined,
    callback: (error?: Error) => void,
  ): () => void {
    return session === undefined
      ? this.resources.lifecycle.events.listen(() => {}, () => callback())
      : session.onEnd(() => callback(session.signal.reason));
  }

  /** The function's host has enabled the endpoint. */
  onEnable(): void {
    this.queue.onEnable();
  }

  /** The host has disabled the endpoint. */
  onDisable(_session: SessionLife): void {
    this.queue.onDisable();
  }

  /** Ends all transfers; resolves when the kernel holds none of them. */
  async close(): Promise<void> {
    await Promise.all([this.queue.close(), this.#dmabufs?.close()]);
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
      support: (signal) => this.dmabufSupport(signal),
    });
  }

  /** Reads the descriptor; returns its length, or 0 if the endpoint is disabled. */
  #readDescriptor(): number {
    return this.file.ioctl(FUNCTIONFS_ENDPOINT_DESC, DESCRIPTOR) < 0
      ? 0
      : DESCRIPTOR[0];
  }
}

/** An endpoint descriptor, of 7 or 9 bytes. Read and decoded in one turn. */
const DESCRIPTOR = new Uint8Array(9);
