/**
 * One call of `InEndpoint.write`: a transfer to the host in one or more kernel
 * requests.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";
import {
  bufferOf,
  byteLengthOf,
  bytesProblem,
  viewOf,
} from "../../arguments/bytes.ts";
import { transferError } from "../transfer/error.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { MAX_REQUEST_SIZE } from "../transfer/packet_sizes.ts";
import type {
  KernelRequest,
  RequestOwner,
  RequestPort,
} from "../transfer/request.ts";
import type { ZeroLengthMode, ZeroLengthPackets } from "./zero_length.ts";

/** What writing needs from an endpoint. */
export interface WritePort {
  readonly name: string;
  readonly path: string;
  readonly maxPacketSize: number;
  /** The most bytes of one call: those of one isochronous interval. */
  readonly largestTransfer: number;
  /** Bytes per request of a larger transfer: whole packets. */
  readonly pieceSize: number;
  readonly queue: RequestPort;
  readonly zeroLengthPackets: ZeroLengthPackets;
}

/** Bytes at a stable address: a copy where the memory may move. */
export function stableBytes(
  data: Uint8Array,
  name: string,
): Uint8Array<ArrayBuffer> {
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

/** A transfer to the host. */
export class Write implements RequestOwner, EventListenerObject {
  readonly #port: WritePort;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #total: number;
  readonly #signal: AbortSignal | undefined;
  readonly #resumes: boolean;
  readonly #resolve: (count: number) => void;
  readonly #reject: (reason: unknown) => void;
  /** The first piece, and those behind it. All must end before the write. */
  #first: KernelRequest | undefined;
  #others: KernelRequest[] | undefined;
  /** The piece that gets a zero-length packet if it ends on a packet border. */
  #last: KernelRequest | undefined;
  #mode: ZeroLengthMode = "kernel";
  /** The empty request for that packet, on kernels before 7.3. */
  #terminator: KernelRequest | undefined;
  #left = 0;
  #sent = 0;
  #failure: number | Error = 0;
  #cancelling = false;
  #settled = false;

  /** @param bytes See {@linkcode stableBytes}. */
  constructor(
    port: WritePort,
    bytes: Uint8Array<ArrayBuffer>,
    { signal, reconnect }: TransferOptions,
    resolve: (count: number) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#port = port;
    this.#bytes = bytes;
    this.#total = byteLengthOf(bytes);
    this.#signal = signal;
    this.#resumes = reconnect !== "end";
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /**
   * Queues it.
   *
   * @throws {RangeError} If the data is more than the endpoint can send.
   */
  start(autoZlp: boolean): void {
    const { name, largestTransfer } = this.#port;
    const bytes = this.#bytes;
    const total = this.#total;
    if (total > largestTransfer) {
      throw new RangeError(
        `Cannot write to endpoint "${name}": an isochronous transfer is what goes in one interval, ${largestTransfer} bytes at most, the data has ${total}`,
      );
    }
    const address = total === 0 ? 0n : addressOf(bytes);
    const { queue } = this.#port;
    let last: KernelRequest;
    if (total <= MAX_REQUEST_SIZE) {
      last = this.#first = queue.take(this, bytes, total);
      last.address = address;
    } else {
      last = this.#cut(bytes, address);
    }
    if (autoZlp && total > 0) {
      this.#last = last;
      this.#mode = this.#port.zeroLengthPackets.mode;
    }
    this.#left = 1 + (this.#others?.length ?? 0);
    this.#signal?.addEventListener("abort", this);
    queue.push(this.#first!);
    if (this.#others === undefined) return;
    for (const piece of this.#others) queue.push(piece);
  }

  /** Makes several pieces, and returns the last one. */
  #cut(bytes: Uint8Array<ArrayBuffer>, address: bigint): KernelRequest {
    const { queue, pieceSize } = this.#port;
    let last!: KernelRequest;
    const whole = viewOf(bytes);
    this.#others = [];
    for (let at = 0; at < whole.byteLength; at += pieceSize) {
      const memory = whole.subarray(at, at + pieceSize);
      last = queue.take(this, memory, memory.byteLength);
      last.address = address + BigInt(at);
      if (at === 0) this.#first = last;
      else this.#others.push(last);
    }
    return last;
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.cancel();
  }

  /** Ends it early. What the kernel has already sent stays sent. */
  cancel(): void {
    if (this.#cancelling) return;
    this.#cancelling = true;
    const { queue } = this.#port;
    // Last one first: otherwise it would begin when the earlier ones end, and
    // the host would get it without them. The end of one piece can be the end
    // of the write, which returns all of them.
    for (let index = this.#others?.length ?? 0; index > 0; index--) {
      const piece = this.#others?.[index - 1];
      if (piece !== undefined) queue.cancel(piece);
    }
    if (this.#first !== undefined) queue.cancel(this.#first);
  }

  /** @ignore */
  prepare(request: KernelRequest): boolean {
    const { maxPacketSize, zeroLengthPackets } = this.#port;
    const onBorder = this.#total % maxPacketSize === 0;
    if (request === this.#terminator) return onBorder;
    if (byteLengthOf(request.memory) !== request.length) {
      // Detached: its memory may have another owner, or be freed.
      this.#failure ||= new TypeError(
        `Cannot write to endpoint "${this.#port.name}": the data was detached before it was sent`,
      );
      return false;
    }
    const ends = request === this.#last;
    // A request that ends with a short packet does not need the flag. The last
    // request of a transfer sets it anyway.
    const short = request.length === 0 || request.length % maxPacketSize > 0;
    if (short && !ends) return true;
    try {
      if (ends && onBorder && this.#mode === "request") {
        this.#terminate(request);
      }
      zeroLengthPackets.set(ends);
      return true;
    } catch (error) {
      this.#failure ||= error as Error;
      return false;
    }
  }

  /**
   * Puts an empty request behind the last piece. Only when it is submitted: the
   * packet size is not known earlier.
   */
  #terminate(last: KernelRequest): void {
    if (this.#terminator?.queued) return;
    if (this.#terminator === undefined) {
      this.#terminator = this.#port.queue.take(this, NOTHING, 0);
      (this.#others ??= []).push(this.#terminator);
    }
    this.#left++;
    this.#port.queue.pushBehind(this.#terminator, last);
  }

  /** @ignore */
  resumes(request: KernelRequest): boolean {
    // Without the data before it, it would be a transfer.
    if (request === this.#terminator && this.#left === 1) return false;
    return this.#resumes && this.#failure === 0;
  }

  /** @ignore */
  onEnd(request: KernelRequest, result: number | Error): void {
    this.#left--;
    if (typeof result === "number" && result >= 0) {
      this.#sent += result;
    } else if (request === this.#terminator && result === -Errno.ESHUTDOWN) {
      // The host has the data, and a new connection also ends the transfer.
    } else if (this.#failure === 0) {
      this.#failure = result;
    }
    if (this.#failure !== 0) this.cancel();
    if (this.#left > 0 || this.#settled) return;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    this.#giveBack();
    if (this.#failure === 0) this.#resolve(this.#sent);
    else this.#reject(this.#error());
  }

  #giveBack(): void {
    const { queue } = this.#port;
    queue.give(this.#first!);
    this.#first = undefined;
    if (this.#others === undefined) return;
    for (const piece of this.#others) queue.give(piece);
    this.#others = undefined;
  }

  #error(): Error {
    return transferError({
      action: "write to",
      endpoint: this.#port,
      result: this.#failure,
      signal: this.#signal,
      transferred: this.#sent,
    });
  }
}

const NOTHING = new Uint8Array(0);
