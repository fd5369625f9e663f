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
import { Endpoint, type EndpointResources } from "./endpoint.ts";
import {
  assertDepth,
  checkTransferOptions,
  RECONNECT,
  type TransferOptions,
} from "../transfer/options.ts";
import { MAX_REQUEST_SIZE, PacketSizes } from "../transfer/packet_sizes.ts";
import { ReadAhead } from "../read/ahead.ts";
import { Reader, type ReadPort } from "../read/reader.ts";
import { ReadQueue } from "../read/queue.ts";
import { makeReadable, type ReadableOptions } from "../read/readable.ts";
import { AbortedTransferError } from "../transfer/error.ts";
import { TransferIterator, type TransfersOptions } from "../read/transfers.ts";
import { RequestQueue } from "../transfer/queue.ts";

/**
 * How a transfer from the host is received.
 * @category Endpoints
 */
export type ReadOptions = TransferOptions;

/**
 * An endpoint that receives from the host.
 *
 * @priority 8
 * @category Endpoints
 */
export class OutEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: RequestQueue;
  readonly #port: ReadPort;
  readonly #reads: ReadQueue;
  /** That of the current or the last stream. */
  #readAhead: ReadAhead | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    const { aio, transferFd, path, compiled } = resources;
    this.queue = new RequestQueue({
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
      kept: [],
    };
    this.#reads = new ReadQueue(this.#port);
  }

  /**
   * Receives one transfer of up to `size` bytes, or as many as fit into
   * `buffer`.
   *
   * Resolves when that many bytes have arrived, or when the host ends its
   * transfer with a short packet. An empty array means that the host has sent a
   * zero-length packet. Data of a packet beyond the size is kept, and the next
   * read returns it at once: nothing is lost, and a read never waits while
   * there is data.
   *
   * Several reads may be in flight at once; they get data in the order of the
   * calls. Those whose size is a multiple of the packet size at every speed
   * (1024 for bulk endpoints), up to 1 MiB, wait in the kernel side by side;
   * any other waits there alone. A read waits for a host to enable the
   * endpoint. If the host disables it midway, the data that the kernel had
   * received for an unfinished request is lost; the read continues when the
   * endpoint is enabled again, or fails: see
   * {@linkcode TransferOptions.reconnect}. A halt only delays it.
   *
   * An aborted read of a `size` loses nothing: its request stays in the kernel
   * for the next read of the same size. If the next read has another size, the
   * request is withdrawn, and FunctionFS drops what it had received of an
   * unfinished transfer. The same applies to an aborted read into a buffer. If
   * a read was already done, the abort has no effect.
   *
   * @param sizeOrBuffer The most bytes to receive, 1 or more; or the memory to
   * receive into. Its ArrayBuffer is transferred, as by a BYOB reader of web
   * streams, and returned with the result. If its size is a multiple of the
   * packet size at every speed, the kernel writes straight into it.
   * @returns A view of the data, in the memory of `buffer` if there was one.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {Error} What the kernel reports: EOVERFLOW, if the host has sent a
   * packet larger than the endpoint's descriptor allows, which loses earlier
   * data of this read; ESHUTDOWN with `reconnect: "end"`. Its field
   * `transferred` is the number of bytes received before.
   * @throws {TypeError} If the argument has another type, or the buffer is
   * shared or cannot be transferred.
   * @throws {RangeError} If the size is not a positive integer, or there is not
   * enough memory.
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
   * Iterates over the host's transfers, each in its own array; a zero-length
   * packet is an empty array. A transfer larger than `size` arrives in several
   * pieces. Only the last piece is shorter than `size`, or empty if the host
   * has sent a zero-length packet at the end.
   *
   * While a piece is processed, the kernel receives up to `depth` others.
   * Leaving the loop loses none of them: the next iteration of the same size
   * gets them. There can be one iteration at a time.
   *
   * Ends when the function is closed; with `reconnect: "end"` also when the
   * host disables the endpoint, after earlier transfers.
   *
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
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
    return new TransferIterator(
      this.#reads,
      (size, options) => this.read(size, options),
      { size: rounded, depth },
      options,
    );
  }

  /**
   * The endpoint's byte stream of everything that the host sends, without
   * borders between transfers. Every packet reaches the reader as it arrives,
   * whether or not the host ends its transfers with a short one, and up to 64
   * packets are received ahead of the reader.
   *
   * Opened on first access, or earlier with other options by
   * {@linkcode openReadable}. It stays the same until it ends; cancelling it
   * leaves the endpoint open, and the next access opens another.
   *
   * @throws {Deno.errors.BadResource} If a stream has to be opened, and the
   * function is closed.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ?? this.openReadable();
  }

  /**
   * Opens the endpoint's byte stream, which {@linkcode readable} then returns.
   * Nothing is received before the first read. Then the stream gets everything
   * that the host sends: do not call {@linkcode read} meanwhile.
   *
   * The kernel writes straight into a BYOB reader's memory if that holds at
   * least one packet at the function's fastest speed (1024 bytes for a bulk
   * endpoint at super speed); smaller memory gets a copy. Nothing is received
   * ahead of a BYOB reader. A default reader gets the memory that the kernel
   * has written into, or a copy if that is not well filled.
   *
   * The stream closes with the function. Cancelling it withdraws its requests
   * from the kernel; unread data goes to the next reader.
   *
   * @throws {TypeError} If the endpoint already has an open stream, or an
   * option has the wrong type.
   * @throws {RangeError} If an option is out of range.
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
        `Cannot ${action}: it has one that is neither cancelled nor at its end`,
      );
    }
    if (transferSize !== undefined) this.#assertPiece(transferSize);
    assertDepth(depth, action);
    const { packetSizes } = this.#port;
    const previous = this.#readAhead;
    const readAhead = new ReadAhead(this.#port, {
      depth,
      transferSize: transferSize && packetSizes.roundUp(transferSize),
      resumes: options.reconnect !== "end",
      ready: async () => {
        await previous?.finished;
        await this.#reads.withdrawAhead();
      },
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
   * Transfers the caller's memory, which could otherwise be moved or freed
   * while the kernel writes into it.
   */
  #takeOver(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const offset = byteOffsetOf(bytes);
    const length = byteLengthOf(bytes);
    try {
      const buffer = bufferOf(bytes) as ArrayBuffer;
      return new Uint8Array(buffer.transferToFixedLength(), offset, length);
    } catch (cause) {
      throw new TypeError(
        `Cannot read from endpoint "${this.name}": the buffer cannot be transferred, like that of a WebAssembly memory or a DmaBuffer`,
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
