/**
 * Endpoints that send to the host.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { bufferOf, bytesProblem } from "../../arguments/bytes.ts";
import {
  checkArgument,
  checkOptions,
  FLAG,
  NUMBER,
  oneOf,
  type Rules,
} from "../../arguments/rules.ts";
import { Endpoint } from "./endpoint.ts";
import {
  assertDepth,
  checkTransferOptions,
  type EndpointResources,
  RECONNECT,
  type TransferOptions,
} from "./options.ts";
import { PacketSizes } from "./packet_sizes.ts";
import { AbortedTransferError, transferError } from "../transfer/error.ts";
import { TransferQueue } from "../transfer/queue.ts";
import { makeWritable, type WritableOptions } from "../stream/writable.ts";
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
   * @param data The bytes, a `Uint8Array` of any memory. They must not change until the promise settles:
   * the kernel copies them when the write's turn comes. Above 1 MiB they are
   * cut into several kernel requests, which are in flight together up to 4 MiB.
   * @returns How many bytes were sent: all.
   * @throws {AbortedTransferError} If the signal is aborted; its `transferred`
   * says how much had gone.
   * @throws {TypeError} If the data is something else, or its memory was
   * transferred before it was sent. Nothing is sent then.
   * @throws {RangeError} If an isochronous endpoint is to send more than goes in
   * one interval.
   * @throws {Error} What the kernel reports, such as ENOMEM, or ESHUTDOWN with
   * `reconnect: "end"`. It has a field `transferred`, too.
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
   * @throws {TypeError} If the endpoint has an open one already, or an option is
   * of another type.
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
        `Cannot ${action}: it has one that was neither closed nor aborted`,
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

/** Bytes with an address that stays: a copy where the memory may move. */
function stableBytes(data: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const problem = bytesProblem(data);
  if (problem !== undefined) {
    throw new TypeError(
      `Cannot write to endpoint "${name}": the data ${problem}`,
    );
  }
  const buffer = bufferOf(data);
  if (buffer instanceof ArrayBuffer && !buffer.resizable) {
    return data as Uint8Array<ArrayBuffer>;
  }
  return new Uint8Array(data);
}

/** One object for all calls without options. */
const DEFAULTS = {};
