/**
 * Endpoints that receive from the host.
 *
 * @module
 */
import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  bytesProblem,
} from "../../arguments/bytes.ts";
import { show } from "../../arguments/show.ts";
import {
  checkArgument,
  checkOptions,
  NUMBER,
  type Rules,
  SIGNAL,
} from "../../arguments/rules.ts";
import { makeReadable, type ReadableOptions } from "../read/readable.ts";
import {
  ExactReader,
  type ReaderLife,
  type Settlers,
  TransferReader,
} from "../read/reader.ts";
import { TransferIterator, type TransfersOptions } from "../read/transfers.ts";
import type { SessionLife } from "../session.ts";
import { AbortedTransferError } from "../transfer/error.ts";
import {
  assertDepth,
  checkTransferOptions,
  type EndpointOptions,
} from "../transfer/options.ts";
import { MAX_REQUEST_SIZE } from "../transfer/packet_sizes.ts";
import { Endpoint } from "./endpoint.ts";
import type { OutEndpointCore } from "./out_core.ts";

/**
 * An endpoint that receives from the host.
 *
 * @priority 8
 * @category Endpoints
 */
export class OutEndpoint extends Endpoint {
  /** @ignore */
  declare protected readonly core: OutEndpointCore;
  /** For calls without a signal. */
  readonly #life: ReaderLife;

  /** Made by {@linkcode FunctionFs.open}, and for each session. */
  constructor(core: OutEndpointCore, session?: SessionLife) {
    super(core, session);
    this.#life = { session };
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
   * received for an unfinished request is lost, and the read continues when the
   * endpoint is enabled again; on an endpoint of a session it fails. A halt only
   * delays it.
   *
   * An aborted read of a `size` loses nothing: its request stays in the kernel
   * for the next read of the same size. If the next read has another size, the
   * request is withdrawn, and FunctionFS drops what it had received of an
   * unfinished transfer. The same applies at once to an aborted read into a
   * buffer, and to one on an endpoint of a session, where the request could
   * swallow the next command. If a read was already done, the abort has no
   * effect.
   *
   * @param sizeOrBuffer The most bytes to receive, 1 or more; or the memory to
   * receive into. Its ArrayBuffer is transferred, as by a BYOB reader of web
   * streams, and returned with the result. If its size is a multiple of the
   * packet size at every speed, the kernel writes straight into it.
   * @returns A view of the data, in the memory of `buffer` if there was one.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {Error} What the kernel reports: EOVERFLOW, if the host has sent a
   * packet larger than the endpoint's descriptor allows, which loses earlier
   * data of this read. Its field `transferred` is the number of bytes received
   * before.
   * @throws {SessionEndedError} On an endpoint of a session that has ended.
   * @throws {TypeError} If the argument has another type, or the buffer is
   * shared or cannot be transferred.
   * @throws {RangeError} If the size is not a positive integer, or there is not
   * enough memory.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  read(
    sizeOrBuffer: number | Uint8Array,
    options: EndpointOptions = DEFAULTS,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) =>
      this.#read(sizeOrBuffer, options, { resolve, reject })
    );
  }

  /** Begins a read. */
  #read(
    sizeOrBuffer: number | Uint8Array,
    options: EndpointOptions,
    settlers: Settlers<Uint8Array<ArrayBuffer>>,
  ): void {
    this.#assertTarget(sizeOrBuffer);
    const signal = this.#beginRead(options);
    const target = typeof sizeOrBuffer === "number"
      ? sizeOrBuffer
      : this.#takeOver(sizeOrBuffer);
    const { reads } = this.core;
    const life = signal === undefined
      ? this.#life
      : { signal, session: this.session };
    reads.add(new TransferReader(reads, target, life, settlers));
  }

  /**
   * Receives exactly `size` bytes, over any number of transfers; where these
   * end makes no difference, and zero-length packets are ignored. What comes
   * beyond the size is kept for the next call.
   *
   * From the first call on, up to 64 requests of one packet each stand in the
   * kernel, also between two calls: a host that ends a transfer with a
   * zero-length packet does not have to wait for the next call, and small
   * frames cost no round trip each. After 64 unread packets, the host waits.
   * {@linkcode read} withdraws these requests; then each packet that has come
   * is a transfer of its own.
   *
   * Several calls may be made at once; they get data in their order. If the
   * host disables the endpoint midway, the call continues with what comes when
   * it is enabled again; on an endpoint of a session it fails.
   *
   * @param size Bytes to receive. For 0, an empty array is returned at once.
   * @throws {AbortedTransferError} If the signal is aborted. What had come is
   * kept for the next call.
   * @throws {SessionEndedError} On an endpoint of a session that has ended. Its
   * field `transferred` is the number of bytes that had come.
   * @throws {TypeError} If the size is not a number.
   * @throws {RangeError} If the size is negative or not an integer, or there is
   * not enough memory.
   * @throws {Error} What the kernel reports, such as EOVERFLOW.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  readExactly(
    size: number,
    options: EndpointOptions = DEFAULTS,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      checkArgument(
        `read from endpoint "${this.name}"`,
        "the size",
        size,
        NUMBER,
      );
      if (size !== 0) this.#assertSize(size);
      const signal = this.#beginRead(options);
      if (size === 0) return resolve(new Uint8Array(0));
      const { reads, stream } = this.core;
      const { session } = this;
      const reader = new ExactReader(reads, size, { signal, session }, {
        resolve,
        reject,
      });
      reads.add(reader);
      const { ahead } = reads;
      if (
        stream === undefined &&
        !(ahead?.takesBytes && ahead.session === session)
      ) {
        reads.ahead = { takesBytes: true, size: undefined, depth: 64, session };
      }
    });
  }

  /**
   * Withdraws from the kernel what waits for the host, and drops what has come
   * and was not read. Pending reads fail with {@linkcode AbortedTransferError}.
   * Resolves when the kernel has none of this endpoint's requests; reads called
   * meanwhile begin then.
   *
   * What the host sends later is received as usual, even if it belongs to a
   * transfer whose beginning was dropped.
   *
   * @throws {Deno.errors.BadResource} If the function is closed.
   */
  async discard(): Promise<void> {
    this.assertOpen("discard the data of");
    await this.core.reads.discard();
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
   * Ends when the function is closed. On an endpoint of a session, it throws
   * when that ends.
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
    const { reads, packetSizes } = this.core;
    const rounded = packetSizes.roundUp(size);
    const { signal } = options;
    const { session } = this;
    return new TransferIterator(
      reads,
      (settlers) => this.#read(rounded, { signal }, settlers),
      { takesBytes: false, size: rounded, depth, session },
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
    return this.core.stream ?? this.openReadable();
  }

  /**
   * Opens the endpoint's byte stream, which {@linkcode readable} then returns.
   * Nothing is received before the first read. Then the stream gets everything
   * that the host sends: do not call {@linkcode read} meanwhile.
   *
   * A default reader gets the memory that the kernel has written into, or a copy
   * if that is not well filled. A BYOB reader gets a copy in its own memory, or
   * exchanges that with the kernel's: if it is a whole ArrayBuffer of
   * `transferSize` bytes, and full.
   *
   * The stream closes with the function; on an endpoint of a session, it fails
   * with {@linkcode SessionEndedError} when that ends. Cancelling it withdraws
   * its requests from the kernel; unread data goes to the next reader.
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
    const core = this.core;
    if (core.stream !== undefined) {
      throw new TypeError(
        `Cannot ${action}: it has one that is neither cancelled nor at its end`,
      );
    }
    if (transferSize !== undefined) this.#assertPiece(transferSize);
    assertDepth(depth, action);
    const { reads, packetSizes } = core;
    const { session } = this;
    const stream = makeReadable({
      reads,
      size: transferSize && packetSizes.roundUp(transferSize),
      depth,
      session,
      onEnd: (callback) => core.onOver(session, callback),
      onOver: () => {
        if (core.stream === stream) core.stream = undefined;
      },
    });
    return core.stream = stream;
  }

  /** Checks that a read with these options may begin; returns its signal. */
  #beginRead(options: EndpointOptions): AbortSignal | undefined {
    if (options !== DEFAULTS) {
      checkTransferOptions("read from", this.name, options);
    }
    this.assertOpen("read from");
    const { signal } = options;
    if (signal?.aborted) {
      throw AbortedTransferError.before("read from", this.name, signal);
    }
    return signal;
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
};
const STREAM_OPTIONS: Rules<ReadableOptions> = {
  depth: NUMBER,
  transferSize: NUMBER,
};

/** One object for all calls without options. */
const DEFAULTS = {};
