/**
 * Endpoints that send to the host.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import { Errno, errorOf } from "../../../ffi/errno.ts";
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  oneOf,
  type Rules,
} from "../../arguments/rules.ts";
import { AbortedTransferError, transferError } from "../transfer/error.ts";
import {
  assertDepth,
  checkTransferOptions,
  RECONNECT,
  type TransferOptions,
} from "../transfer/options.ts";
import { PacketSizes } from "../transfer/packet_sizes.ts";
import { RequestQueue } from "../transfer/queue.ts";
import { makeWritable, type WritableOptions } from "../write/writable.ts";
import { stableBytes, Write, type WritePort } from "../write/write.ts";
import { ZeroLengthPackets } from "../write/zero_length.ts";
import {
  Endpoint,
  type EndpointResources,
  type ZeroLengthControl,
} from "./endpoint.ts";

/**
 * How a transfer to the host is made.
 * @category Endpoints
 */
export type WriteOptions = TransferOptions;

/**
 * An endpoint that sends to the host.
 *
 * @priority 8
 * @category Endpoints
 */
export class InEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: RequestQueue;
  readonly #port: WritePort;
  #autoZlp = false;
  #writable: WritableStream<Uint8Array> | undefined;
  /** Ends a stream that belongs to one connection, when that has ended. */
  #loseWritable: ((connection: number) => void) | undefined;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    const { aio, fd, transferFd, path, compiled } = resources;
    this.queue = new RequestQueue({
      aio,
      fd: transferFd,
      opcode: IOCB_CMD_PWRITE,
      connection: this.connection,
    });
    const packetSize = () => this.packetSize;
    const packetSizes = new PacketSizes(compiled);
    const { transferType, bytesPerInterval } = compiled;
    this.#port = {
      name: this.name,
      path,
      get maxPacketSize() {
        return packetSize();
      },
      largestTransfer: transferType === "isochronous"
        ? Math.max(...Object.values(bytesPerInterval))
        : Infinity,
      get pieceSize() {
        return packetSizes.largestRequest(packetSize());
      },
      queue: this.queue,
      zeroLengthPackets: new ZeroLengthPackets(fd, path, aio),
    };
  }

  /**
   * Whether a zero-length packet terminates a transfer that ends on a packet
   * border, so that the host sees its end whatever its size. False by default.
   * May be changed at any time; a change applies to later writes.
   *
   * A write that sends a zero-length packet is done when the host has taken
   * that packet, too. A host that asks for exactly the bytes of the transfer
   * has them, but the write continues until the host asks once more.
   *
   * Linux 7.3 and later do this in the kernel (FUNCTIONFS_ENDPOINT_ENABLE_ZLP),
   * also when other programs write to the endpoint's files. On an older kernel,
   * an empty request follows the last one. There is no difference on the bus.
   *
   * @throws {Deno.errors.NotSupported} On an isochronous endpoint, whose
   * transfers have no end.
   * @throws {Error} ENODEV if the function's files are gone.
   */
  get autoZlp(): boolean {
    return this.#autoZlp;
  }

  set autoZlp(on: boolean) {
    const action = `switch zero-length packets of endpoint "${this.name}"`;
    checkArgument(action, '"autoZlp"', on, FLAG);
    this.assertOpen("switch zero-length packets of");
    if (this.resources.compiled.transferType === "isochronous") {
      throw errorOf(
        Errno.EOPNOTSUPP,
        `Cannot switch zero-length packets of endpoint "${this.name}": isochronous transfers have no end`,
        { syscall: "ioctl", path: this.path },
      );
    }
    this.#port.zeroLengthPackets.set(on);
    this.#autoZlp = on;
  }

  /** @ignore */
  protected override get zeroLength(): ZeroLengthControl {
    return { on: this.#autoZlp, packets: this.#port.zeroLengthPackets };
  }

  /**
   * Sends one transfer, and resolves when the host has taken all of it. (Some
   * device controllers buffer the last packet and report it early: dummy_hcd
   * does so for up to 64 bytes.)
   *
   * Several writes may be in flight at once; the host gets them in the order of
   * the calls. A write waits for a host to enable the endpoint. If the host
   * disables it midway (a reset, another setting, an unplugged cable), the
   * write continues when it is enabled again, from the first unfinished kernel
   * request, or fails: see {@linkcode TransferOptions.reconnect}. A halt only
   * delays it.
   *
   * The host cannot see the end of a transfer whose size is a multiple of the
   * packet size, unless {@linkcode autoZlp} is on. Writing an empty array sends
   * one zero-length packet.
   *
   * An aborted write is withdrawn from the kernel. The host keeps what it has
   * received, and no short packet indicates that the rest will not arrive. If
   * the write was already done, the abort has no effect.
   *
   * @param data The bytes. They must not change until the promise settles: the
   * kernel copies them when it is the write's turn. Above 1 MiB they are split
   * into several kernel requests, of which up to 4 MiB are in flight.
   * @returns The number of bytes sent: all of them.
   * @throws {AbortedTransferError} If the signal is aborted; its `transferred`
   * is the number of bytes sent so far.
   * @throws {TypeError} If the data is not a `Uint8Array`, or was detached
   * before it was sent. Nothing is sent then.
   * @throws {RangeError} If the data does not fit into one interval of an
   * isochronous endpoint.
   * @throws {Error} What the kernel reports, such as ENOMEM, or ESHUTDOWN with
   * `reconnect: "end"`. It also has a field `transferred`.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  write(data: Uint8Array, options: WriteOptions = DEFAULTS): Promise<number> {
    return new Promise((resolve, reject) => {
      const bytes = stableBytes(data, this.name);
      if (options !== DEFAULTS) {
        checkTransferOptions("write to", this.name, options);
      }
      this.assertOpen("write to");
      const { signal } = options;
      if (signal?.aborted) {
        throw AbortedTransferError.before("write to", this.name, signal);
      }
      new Write(this.#port, bytes, options, resolve, reject)
        .start(this.#autoZlp);
    });
  }

  /**
   * The endpoint's stream to the host. Its chunks are transfers: each write of
   * the stream is one {@linkcode write}, and is done when the host has taken
   * the chunk, so that a slow host slows the producer. An empty chunk is a
   * zero-length packet.
   *
   * Opened on first access, or earlier with other options by
   * {@linkcode openWritable}. It stays the same until it ends; closing or
   * aborting it leaves the endpoint open, and the next access opens another.
   *
   * @throws {Deno.errors.BadResource} If a stream has to be opened, and the
   * function is closed.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ?? this.openWritable();
  }

  /**
   * Opens the endpoint's stream to the host, which {@linkcode writable} then
   * returns. Aborting it withdraws from the kernel what the host has not taken.
   * A failed transfer ends the stream with its error.
   *
   * @throws {TypeError} If the endpoint already has an open stream, or an
   * option has the wrong type.
   * @throws {RangeError} If the depth is not a positive integer.
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  openWritable(options: WritableOptions = {}): WritableStream<Uint8Array> {
    const action = `open a stream to endpoint "${this.name}"`;
    checkOptions(action, options, STREAM_OPTIONS);
    const { depth = 1, zlp, reconnect } = options;
    this.assertOpen("open a stream to");
    if (this.#writable !== undefined) {
      throw new TypeError(
        `Cannot ${action}: it has one that is neither closed nor aborted`,
      );
    }
    assertDepth(depth, action);
    const lost = new AbortController();
    let connection: number | undefined;
    const stream = makeWritable({
      name: this.name,
      begin: (data, resolve, reject) => {
        const bytes = stableBytes(data, this.name);
        this.assertOpen("write to");
        connection ??= this.queue.nextConnection;
        const options = { reconnect };
        const write = new Write(this.#port, bytes, options, resolve, reject);
        write.start(zlp === undefined ? this.#autoZlp : zlp === "auto");
        return write;
      },
      lost: lost.signal,
      onOver: () => {
        if (this.#writable !== stream) return;
        this.#writable = undefined;
        this.#loseWritable = undefined;
      },
    }, depth);
    if (reconnect === "end") {
      this.#loseWritable = (ended) => {
        if (connection !== undefined && connection <= ended) {
          lost.abort(this.#shutdownError());
        }
      };
    }
    return this.#writable = stream;
  }

  /** @ignore */
  override onDisable(): void {
    const ended = this.queue.knownConnection;
    super.onDisable();
    this.#loseWritable?.(ended);
  }

  #shutdownError(): Error {
    return transferError({
      action: "write to",
      endpoint: this,
      result: -Errno.ESHUTDOWN,
      signal: undefined,
      transferred: 0,
    });
  }
}

const STREAM_OPTIONS: Rules<WritableOptions> = {
  depth: NUMBER,
  zlp: oneOf("auto", "never"),
  reconnect: RECONNECT,
};

/** One object for all calls without options. */
const DEFAULTS = {};
