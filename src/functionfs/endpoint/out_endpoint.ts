/**
 * Endpoints that receive from the host.
 *
 * @module
 */
import { IOCB_CMD_PREAD } from "../../../ffi/abi.ts";
import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  bytesProblem,
} from "../../arguments/bytes.ts";
import { show } from "../../arguments/show.ts";
import {
  checkOptions,
  NUMBER,
  type Rules,
  SIGNAL,
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
import { ReadAhead, type ReadAheadSource } from "../stream/read_ahead.ts";
import { type ReadPort, ReadQueue } from "./read_queue.ts";
import { makeReadable, type ReadableOptions } from "../stream/readable.ts";
import { Reader } from "./reader.ts";
import { AbortedTransferError } from "../transfer/error.ts";
import { TransferQueue } from "../transfer/queue.ts";
import { TransferIterator, type TransfersOptions } from "./transfers.ts";
import { MAX_REQUEST_SIZE } from "./write.ts";

/** How a transfer from the host is received. */
export type ReadOptions = TransferOptions;

/** An endpoint that receives from the host. */
export class OutEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: TransferQueue;
  readonly #port: ReadPort & ReadAheadSource;
  readonly #reads: ReadQueue;
  /** What has come and nobody has asked for. */
  readonly #segments: Uint8Array<ArrayBuffer>[] = [];
  /** What the stream reads from, or has read from last. */
  #readAhead: ReadAhead | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    const { aio, transferFd, path, compiled } = resources;
    this.queue = new TransferQueue({
      aio,
      fd: transferFd,
      opcode: IOCB_CMD_PREAD,
      connection: this.connection,
    });
    const packetSizes = new PacketSizes(compiled);
    const packetSize = compiled.transferType === "isochronous"
      ? () => packetSizes.largest
      : () => this.packetSize;
    this.#port = {
      name: this.name,
      path,
      get maxPacketSize() {
        return packetSize();
      },
      packetSizes,
      queue: this.queue,
      ready: () => this.#reads.withdrawAhead(),
    };
    this.#reads = new ReadQueue(this.#port, this.#segments);
  }

  /**
   * Receives one transfer of up to `size` bytes, or as many as fit into
   * `buffer`.
   *
   * Resolves when that many bytes have come, or when the host ends its
   * transfer with a short packet. An empty array means that the host has sent
   * a zero-length packet. What a packet brings beyond the size is kept, and
   * returned by the next read at once: nothing is lost, and a read never waits
   * while there is data.
   *
   * Several reads may be under way at once; they get data in the order of the
   * calls. Those whose size is a multiple of the packet size of every speed
   * (1024 for bulk endpoints), up to 1 MiB, wait in the kernel side by side;
   * another one waits there alone. Before a host has enabled the endpoint a
   * read waits. When the host disables the endpoint in the middle, what the
   * kernel had received for an unfinished request is lost; the read goes on
   * when the endpoint is enabled again, or fails: see
   * {@linkcode TransferOptions.reconnect}. A halt only delays it.
   *
   * An aborted read of a `size` loses nothing: its request stays with the
   * kernel for the next read that wants as much. For one that wants more or
   * less, it is withdrawn; what it had received of an unfinished transfer is
   * lost then, since FunctionFS does not hand it over. The same is true of an
   * aborted read into a buffer. Where a read was done already, the abort
   * changes nothing.
   *
   * @param sizeOrBuffer Bytes to receive at most, 1 or more; or the memory to
   * receive into. The memory is taken away from the caller (its ArrayBuffer is
   * transferred, as by a BYOB reader of web streams) and comes back with the
   * result. Where its size is a multiple of the packet size of every speed,
   * the kernel writes straight into it.
   * @returns A view of what has come, at the place of `buffer` if there was one.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {Error} What the kernel reports: EOVERFLOW, if the host has sent a
   * packet that is larger than the endpoint's descriptor allows, which loses
   * what had come for this read; ESHUTDOWN with `reconnect: "end"`. Its field
   * `transferred` says how much had come before.
   * @throws {TypeError} If it is given something else, or a buffer that is
   * shared, or cannot be transferred.
   * @throws {RangeError} If the size is no positive integer, or there is no
   * memory for it.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  read(
    sizeOrBuffer: number | Uint8Array,
    options: ReadOptions = DEFAULTS,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      this.#assertTarget(sizeOrBuffer);
      if (options !== DEFAULTS) {
        checkTransferOptions("read from", this.name, options);
      }
      this.assertOpen("read from");
      const { signal } = options;
      if (signal?.aborted) {
        throw AbortedTransferError.before("read from", this.name, signal);
      }
      const target = typeof sizeOrBuffer === "number"
        ? sizeOrBuffer
        : this.#takeOver(sizeOrBuffer);
      this.#reads.add(
        new Reader(this.#reads, this.#port, target, options, resolve, reject),
      );
    });
  }

  /**
   * The host's transfers, one after the other, each as an array of its own;
   * a zero-length packet is an empty one. A transfer that is larger than
   * `size` comes in several pieces, of which only the last one is shorter than
   * that (or empty, if the host has sent a zero-length packet at its end).
   *
   * While a piece is looked at, the kernel already receives the next ones, as
   * many as `depth` says. Leaving the loop loses none of them: the next
   * iteration of the same size gets them. One iteration at a time.
   *
   * Ends when the function is closed; with `reconnect: "end"` also when the
   * host disables the endpoint, after what had come before.
   *
   * @throws {TypeError} If an option is of another type.
   * @throws {RangeError} If an option is out of its range.
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  transfers(
    options: TransfersOptions = {},
  ): AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined> {
    const action = `read from endpoint "${this.name}"`;
    checkOptions(action, options, TRANSFERS_OPTIONS);
    this.assertOpen("read from");
    const { size = 65_536, depth = 4 } = options;
    this.#assertPiece(size);
    assertDepth(depth, action);
    const rounded = this.#port.packetSizes.roundUp(size);
    const reads = this.#reads;
    const source = {
      read: (size: number, options: ReadOptions) => this.read(size, options),
      setAhead: reads.setAhead.bind(reads),
      get hasData() {
        return reads.hasData;
      },
    };
    return new TransferIterator(source, { size: rounded, depth }, options);
  }

  /**
   * The endpoint's byte stream of all that the host sends, without the borders
   * between transfers. Every packet reaches the reader when it comes, whether
   * or not the host ends its transfers with a short one, and up to 64 packets
   * are taken from the host ahead of the reader.
   *
   * Opened by the first look, or before with other options by
   * {@linkcode openReadable}. Always the same one until it has ended; cancelling
   * it leaves the endpoint open, and the next look opens another.
   *
   * @throws {Deno.errors.BadResource} If another is to be opened, and the
   * function is closed.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ?? this.openReadable();
  }

  /**
   * Opens the endpoint's byte stream; {@linkcode readable} is that one then.
   * Nothing is taken from the host before the first read. The stream has no
   * queue of its own. While it is read it gets what the host sends: do not call
   * {@linkcode read} beside it.
   *
   * A BYOB reader's memory of at least one packet of the function's fastest
   * speed (1024 bytes for a bulk endpoint at super speed) is what the kernel
   * writes into; a smaller one gets a copy. Nothing is taken ahead of a BYOB
   * reader. Another reader gets the memory that the kernel has written into,
   * unless little has come: that is copied together.
   *
   * The stream is closed when the function is. Cancelling it takes back what was
   * asked of the kernel; what had come already is for whoever reads next.
   *
   * @throws {TypeError} If the endpoint has an open one already, or an option is
   * of another type.
   * @throws {RangeError} If an option is out of its range.
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  openReadable(
    options: ReadableOptions = {},
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const action = `open a stream of endpoint "${this.name}"`;
    checkOptions(action, options, STREAM_OPTIONS);
    const { transferSize, depth = transferSize === undefined ? 64 : 4 } =
      options;
    this.assertOpen("open a stream of");
    if (this.#readable !== undefined) {
      throw new TypeError(
        `Cannot ${action}: it has one that was not cancelled and has not ended`,
      );
    }
    if (transferSize !== undefined) this.#assertPiece(transferSize);
    assertDepth(depth, action);
    const { packetSizes } = this.#port;
    const readAhead = new ReadAhead(this.#port, this.#segments, {
      depth,
      transferSize: transferSize && packetSizes.roundUp(transferSize),
      resumes: options.reconnect !== "end",
      after: this.#readAhead?.finished,
    });
    const stream = makeReadable(readAhead, () => {
      if (this.#readable === stream) this.#readable = undefined;
    });
    this.#readAhead = readAhead;
    return this.#readable = stream;
  }

  /** @ignore */
  override onDisable(): void {
    const ended = this.queue.knownConnection;
    this.#reads.onDisable(ended);
    this.queue.onDisable();
    this.#readAhead?.onDisable(ended);
  }

  /** @ignore */
  override close(): Promise<void> {
    this.#readAhead?.onClose();
    return super.close();
  }

  #assertPiece(size: number): void {
    this.#assertSize(size);
    if (size > MAX_REQUEST_SIZE) {
      throw new RangeError(
        `Cannot read from endpoint "${this.name}": transfers come in pieces of 1 MiB at most, the size is ${size}`,
      );
    }
  }

  #assertSize(size: number): void {
    if (Number.isSafeInteger(size) && size > 0) return;
    throw new RangeError(
      `Cannot read from endpoint "${this.name}": the size must be a positive integer, is ${size}`,
    );
  }

  #assertTarget(sizeOrBuffer: unknown): void {
    if (typeof sizeOrBuffer === "number") return this.#assertSize(sizeOrBuffer);
    const action = `Cannot read from endpoint "${this.name}"`;
    if (!ArrayBuffer.isView(sizeOrBuffer)) {
      throw new TypeError(
        `${action}: give a size, or a Uint8Array to read into, not ${
          show(sizeOrBuffer)
        }`,
      );
    }
    const problem = bytesProblem(sizeOrBuffer);
    if (problem !== undefined) {
      throw new TypeError(`${action}: the buffer ${problem}`);
    }
    const bytes = sizeOrBuffer as Uint8Array;
    if (!(bufferOf(bytes) instanceof ArrayBuffer)) {
      throw new TypeError(`${action}: the buffer is shared memory`);
    }
    this.#assertSize(byteLengthOf(bytes));
  }

  /**
   * Takes memory away from the caller, who could otherwise move or free it
   * while the kernel writes there.
   */
  #takeOver(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const offset = byteOffsetOf(bytes);
    const length = byteLengthOf(bytes);
    try {
      const buffer = bufferOf(bytes) as ArrayBuffer;
      return new Uint8Array(buffer.transferToFixedLength(), offset, length);
    } catch (cause) {
      throw new TypeError(
        `Cannot read from endpoint "${this.name}": the buffer cannot be transferred, as that of a WebAssembly memory or a DmaBuffer`,
        { cause },
      );
    }
  }
}

const TRANSFERS_OPTIONS: Rules<TransfersOptions> = {
  size: NUMBER,
  depth: NUMBER,
  signal: SIGNAL,
  reconnect: RECONNECT,
};
const STREAM_OPTIONS: Rules<ReadableOptions> = {
  depth: NUMBER,
  transferSize: NUMBER,
  reconnect: RECONNECT,
};

/** One object for all calls without options. */
const DEFAULTS = {};
