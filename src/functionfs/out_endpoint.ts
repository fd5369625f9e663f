/**
 * Endpoints that receive from the host.
 *
 * @module
 */
import { IOCB_CMD_PREAD } from "../../ffi/abi.ts";
import { Errno, systemError } from "../../ffi/errno.ts";
import { addressOf } from "../../ffi/memory.ts";
import {
  closedError,
  Endpoint,
  type EndpointResources,
  type TransferOptions,
} from "./endpoint.ts";
import { connectionOf, MAX_REQUEST_SIZE } from "./in_endpoint.ts";
import { LARGEST_PACKET, ReadAhead } from "./read_ahead.ts";
import { makeReadable } from "./streams.ts";
import { Transfer, TransferQueue } from "./transfer_queue.ts";

/** One call of {@linkcode OutEndpoint.read} that waits for data. */
interface Reader {
  readonly size: number;
  /** Where its own kernel requests put the data. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (reason: unknown) => void;
  /** Its kernel request that is under way. */
  transfer: Transfer | undefined;
  filled: number;
}

/** An endpoint that receives from the host. */
export class OutEndpoint extends Endpoint {
  /** @ignore */
  protected readonly queue: TransferQueue;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  /** Calls that wait for data, in order. */
  #readers: Reader[] = [];
  /** Data that waits for calls, in order. One of the two is always empty. */
  readonly #segments: Uint8Array<ArrayBuffer>[] = [];

  /** Made by {@linkcode FunctionFs.open}. */
  constructor(resources: EndpointResources) {
    super(resources);
    this.queue = new TransferQueue({
      aio: resources.aio,
      fd: resources.fd,
      opcode: IOCB_CMD_PREAD,
      connection: connectionOf(resources),
      prepare: (transfer) => {
        // A request that is no multiple of the packet size would lose data.
        const packet = this.maxPacketSize;
        transfer.length = transfer.wanted > MAX_REQUEST_SIZE
          ? Math.floor(MAX_REQUEST_SIZE / packet) * packet
          : Math.ceil(transfer.wanted / packet) * packet;
      },
    });
  }

  /**
   * Receives one transfer of up to `size` bytes.
   *
   * Resolves when `size` bytes have come, or when the host ends its transfer
   * with a short packet. An empty array means that the host has sent a
   * zero-length packet. What a packet brings beyond `size` bytes is kept, and
   * returned by the next read at once: nothing is lost.
   *
   * Several reads may be under way at once; they get data in the order of the
   * calls. Before a host has enabled the endpoint a read waits.
   *
   * @param size Bytes to receive at most, 1 or more. The kernel is asked for
   * the next multiple of the packet size, and for 1 MiB at once at most.
   * @returns A new array with what has come.
   * @throws {Error} What the kernel reports, such as EOVERFLOW.
   * @throws {Deno.errors.BadResource} If the function is or gets closed.
   */
  read(
    size: number,
    options: TransferOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      this.assertOpen("read from");
      if (!Number.isSafeInteger(size) || size < 1) {
        throw new RangeError(
          `Cannot read from endpoint "${this.name}": the size must be a positive integer, is ${size}`,
        );
      }
      signal?.throwIfAborted();
      const reader: Reader = {
        size,
        memory: new Uint8Array(this.#roundUp(size)),
        signal,
        abort: () => this.#abort(reader),
        resolve,
        reject,
        transfer: undefined,
        filled: 0,
      };
      this.#readers.push(reader);
      if (this.#segments.length > 0) {
        this.#deliver(this.#segments.shift()!);
        return;
      }
      signal?.addEventListener("abort", reader.abort);
      this.#request(reader);
    });
  }

  /**
   * A byte stream of all that the host sends, without the borders between
   * transfers. Packets reach the reader as they come, whether or not the host
   * ends its transfers with a short one. Up to 64 packets are taken from the
   * host ahead of the reader; then the host has to wait. Cancelling the stream
   * leaves the endpoint open.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= makeReadable(
      new ReadAhead(this.queue, this.#segments),
      () => this.#readable = undefined,
    );
  }

  /** Memory that holds a read at every speed that the host may choose. */
  #roundUp(size: number): number {
    const { full, high, super: superSpeed } =
      this.resources.compiled.maxPacketSize;
    const sizes = [full, high, superSpeed].filter((each) => each !== undefined)
      .map((packet) => Math.ceil(size / packet) * packet);
    // A long read is several requests; the speed may change between them.
    const slack = size > MAX_REQUEST_SIZE ? LARGEST_PACKET : 0;
    return Math.max(...sizes) + slack;
  }

  /** Asks the kernel for what a reader still lacks. */
  #request(reader: Reader): void {
    const memory = reader.memory.subarray(reader.filled);
    const transfer = new Transfer(
      memory,
      addressOf(memory),
      (result) => this.#onEnd(transfer, result),
    );
    transfer.wanted = reader.size - reader.filled;
    reader.transfer = transfer;
    this.queue.push(transfer);
  }

  #onEnd(transfer: Transfer, result: number | Error): void {
    const owner = this.#readers.find((each) => each.transfer === transfer);
    if (owner !== undefined) owner.transfer = undefined;
    if (typeof result === "number" && result >= 0) {
      this.#deliver(transfer.memory.subarray(0, result), transfer);
      // Its data went to a reader before it: it is still waiting.
      if (
        owner !== undefined && owner.transfer === undefined &&
        this.#readers.includes(owner)
      ) this.#request(owner);
    } else if (owner !== undefined) {
      this.#fail(owner, this.#failure(result, owner.signal));
    }
  }

  /**
   * Gives data to the reader that has waited longest.
   *
   * @param transfer The kernel request that has brought the data just now.
   */
  #deliver(bytes: Uint8Array<ArrayBuffer>, transfer?: Transfer): void {
    const reader = this.#readers[0];
    if (reader === undefined) {
      // Its reader was served with older data. The memory is not shared.
      this.#segments.push(bytes);
      return;
    }
    const count = Math.min(reader.size - reader.filled, bytes.byteLength);
    let result: Uint8Array<ArrayBuffer>;
    if (transfer !== undefined && bytes.buffer === reader.memory.buffer) {
      // Its own request: the bytes lie where they belong.
      reader.filled += count;
      const { length, wanted } = transfer;
      if (bytes.byteLength === length && wanted > length) {
        this.#request(reader);
        return;
      }
      result = reader.memory.subarray(0, reader.filled);
    } else {
      // The kernel may still write into the reader's own memory.
      result = new Uint8Array(reader.filled + count);
      result.set(reader.memory.subarray(0, reader.filled));
      result.set(bytes.subarray(0, count), reader.filled);
    }
    // Copied, because the receiver of the result may detach its memory.
    const rest = bytes.slice(count);
    if (rest.byteLength > 0) this.#segments.unshift(rest);
    this.#readers.shift();
    reader.signal?.removeEventListener("abort", reader.abort);
    reader.resolve(result);
    while (this.#segments.length > 0 && this.#readers.length > 0) {
      this.#deliver(this.#segments.shift()!);
    }
  }

  #abort(reader: Reader): void {
    if (reader.transfer !== undefined) this.queue.cancel(reader.transfer);
  }

  #fail(reader: Reader, reason: unknown): void {
    this.#readers = this.#readers.filter((each) => each !== reader);
    reader.signal?.removeEventListener("abort", reader.abort);
    if (reader.filled > 0) {
      this.#segments.unshift(reader.memory.slice(0, reader.filled));
    }
    reader.reject(reason);
  }

  #failure(result: number | Error, signal: AbortSignal | undefined): unknown {
    if (typeof result !== "number") return result;
    if (result === -Errno.ECANCELED) {
      return signal?.aborted
        ? signal.reason
        : closedError("read from", this.name);
    }
    return systemError(-result, {
      action: `read from endpoint "${this.name}"`,
      syscall: "read",
      path: this.path,
    });
  }
}
