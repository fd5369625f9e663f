/**
 * Endpoints that send to the host.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../ffi/abi.ts";
import { Errno } from "../../ffi/errno.ts";
import { Endpoint } from "./endpoint.ts";
import {
  assertDepth,
  type EndpointResources,
  type TransferOptions,
} from "./endpoint_options.ts";
import { PacketSizes } from "./packet_sizes.ts";
import { AbortedTransferError, transferError } from "./transfer_error.ts";
import { TransferQueue } from "./transfer_queue.ts";
import { makeWritable, type WritableOptions } from "./writable_stream.ts";
import { MAX_REQUEST_SIZE, Write, type WritePort } from "./write.ts";
import { type ZeroLengthControl, ZeroLengthPackets } from "./zero_length.ts";

/** How a transfer to the host is run. */
export type WriteOptions = TransferOptions;

/** An endpoint that sends to the host. */
export class InEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: TransferQueue;
  readonly #port: WritePort;
  #autoZlp = false;
  #writable: WritableStream<Uint8Array> | undefined;
  /** Ends the stream that belongs to one connection, when that has ended. */
  #loseWritable: ((connection: number) => void) | undefined;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    const { aio, fd, transferFd, path, compiled } = resources;
    this.queue = new TransferQueue({
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
        return packetSizes.wholeUpTo(MAX_REQUEST_SIZE, packetSize());
      },
      queue: this.queue,
      zeroLengthPackets: new ZeroLengthPackets(fd, path, aio),
    };
  }

  /**
   * Whether a transfer that ends on a packet border is terminated by a
   * zero-length packet, so that the host sees its end whatever its size is.
   * Off at first; a change holds for the writes that are called after it, and
   * may be made at any time, also before a host is there.
   *
   * A write that gets a zero-length packet is done when the host has taken
   * that too: a host that asks for exactly the bytes of the transfer has them,
   * and the write goes on until the host asks once more.
   *
   * Linux 7.3 and later do it in the kernel (FUNCTIONFS_ENDPOINT_ENABLE_ZLP),
   * also for what other programs write to the endpoint's files; on an older
   * one it is an empty request behind the last one. The bus shows no difference.
   *
   * @throws {Deno.errors.NotSupported} On an isochronous endpoint, whose packets
   * do not belong to anything that could end.
   * @throws {Error} ENODEV if the function's files are gone.
   */
  get autoZlp(): boolean {
    return this.#autoZlp;
  }

  set autoZlp(on: boolean) {
    this.assertOpen("switch zero-length packets of");
    if (this.resources.compiled.transferType === "isochronous") {
      throw new Deno.errors.NotSupported(
        `Cannot switch zero-length packets of endpoint "${this.name}": isochronous transfers have no end`,
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
   * device controllers take a last packet into a buffer of their own before:
   * dummy_hcd does up to 64 bytes.)
   *
   * Several writes may be under way at once; the host gets them in the order
   * of the calls. Before a host has enabled the endpoint a write waits. When
   * the host disables the endpoint in the middle (a reset, another setting, an
   * unplugged cable), the write goes on once it is enabled again, from the
   * last kernel request on that was not done, or fails: see
   * {@linkcode TransferOptions.reconnect}. A halt only delays it.
   *
   * A transfer whose size is a multiple of the packet size has no end that the
   * host could see, unless {@linkcode autoZlp} is on. Writing an empty array
   * sends one zero-length packet.
   *
   * An aborted write is withdrawn from the kernel. What the host has got of it
   * by then it keeps, and no short packet says that the rest will not come.
   * Where it was done already, the abort changes nothing.
   *
   * @param data The bytes, which must not change until the promise settles:
   * the kernel copies them when the write's turn comes. Above 1 MiB they are
   * cut into several kernel requests, which are in flight together up to 4 MiB.
   * @returns How many bytes were sent: all.
   * @throws {AbortedTransferError} If the signal is aborted; its `transferred`
   * says how much had gone.
   * @throws {RangeError} If an isochronous endpoint is to send more than goes in
   * one interval.
   * @throws {Error} What the kernel reports, such as ENOMEM, or ESHUTDOWN with
   * `reconnect: "end"`. It has a field `transferred`, too.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  write(data: Uint8Array, options: WriteOptions = DEFAULTS): Promise<number> {
    return new Promise((resolve, reject) => {
      this.assertOpen("write to");
      const { signal } = options;
      if (signal?.aborted) {
        throw AbortedTransferError.before("write to", this.name, signal);
      }
      new Write(this.#port, stableBytes(data), options, resolve, reject)
        .start(this.#autoZlp);
    });
  }

  /**
   * The endpoint's stream to the host, whose chunks are transfers: each write
   * of the stream is one {@linkcode write}, and is done when the host has taken
   * the chunk, so that a slow host slows the producer. An empty chunk is a
   * zero-length packet.
   *
   * Opened by the first look, or before with other options by
   * {@linkcode openWritable}. Always the same one until it has ended; closing or
   * aborting it leaves the endpoint open, and the next look opens another.
   *
   * @throws {Deno.errors.BadResource} If another is to be opened, and the
   * function is closed.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ?? this.openWritable();
  }

  /**
   * Opens the endpoint's stream to the host; {@linkcode writable} is that one
   * then. Aborting it withdraws what the host has not taken from the kernel. An
   * error of a transfer ends the stream.
   *
   * @throws {TypeError} If the endpoint has an open one already.
   * @throws {RangeError} If the depth is not a positive integer.
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  openWritable(options: WritableOptions = {}): WritableStream<Uint8Array> {
    const { depth = 1, zlp, reconnect } = options;
    this.assertOpen("open a stream to");
    if (this.#writable !== undefined) {
      throw new TypeError(
        `Cannot open a stream to endpoint "${this.name}": it has one that was neither closed nor aborted`,
      );
    }
    assertDepth(depth, `open a stream to endpoint "${this.name}"`);
    const lost = new AbortController();
    let connection: number | undefined;
    const stream = makeWritable({
      name: this.name,
      begin: (data, resolve, reject) => {
        this.assertOpen("write to");
        connection ??= this.queue.nextConnection;
        const bytes = stableBytes(data);
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

/** Bytes with an address that stays: a copy where the memory may move. */
function stableBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && !buffer.resizable) {
    return data as Uint8Array<ArrayBuffer>;
  }
  return new Uint8Array(data);
}

/** One object for all calls without options. */
const DEFAULTS = {};
