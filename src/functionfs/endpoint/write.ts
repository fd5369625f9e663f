/**
 * One call of `InEndpoint.write`: a transfer to the host in one or more kernel
 * requests.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";
import { byteLengthOf, viewOf } from "../../arguments/bytes.ts";
import type { WriteOptions } from "./in_endpoint.ts";
import type { Transfer, TransferOwner } from "../transfer/request.ts";
import { transferError } from "../transfer/error.ts";
import type { TransferQueue } from "../transfer/queue.ts";
import type { ZeroLengthMode, ZeroLengthPackets } from "./zero_length.ts";

/**
 * The largest kernel request. FunctionFS copies each into contiguous memory:
 * above 4 MiB that fails always, and large pieces become scarce with time.
 */
export const MAX_REQUEST_SIZE = 1 << 20;

/** What a write needs to know of its endpoint. */
export interface WritePort {
  readonly name: string;
  readonly path: string;
  readonly maxPacketSize: number;
  /** Bytes that one call may send: what goes in an isochronous interval. */
  readonly largestTransfer: number;
  /** Bytes of the requests of a larger transfer: whole packets. */
  readonly pieceSize: number;
  readonly queue: TransferQueue;
  readonly zeroLengthPackets: ZeroLengthPackets;
}

/** A transfer to the host. */
export class Write implements TransferOwner, EventListenerObject {
  readonly #port: WritePort;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #total: number;
  readonly #signal: AbortSignal | undefined;
  readonly #resumes: boolean;
  readonly #resolve: (count: number) => void;
  readonly #reject: (reason: unknown) => void;
  /** The first piece, and those behind it. All have to end before the write. */
  #first: Transfer | undefined;
  #others: Transfer[] | undefined;
  /** The piece that wants a zero-length packet if it ends on a border. */
  #last: Transfer | undefined;
  #mode: ZeroLengthMode = "kernel";
  /** The empty request that is that packet, on kernels before 7.3. */
  #terminator: Transfer | undefined;
  #left = 0;
  #sent = 0;
  #failure: number | Error = 0;
  #cancelling = false;
  #settled = false;

  /** Describes a write of `bytes`; see {@linkcode start}. */
  constructor(
    port: WritePort,
    bytes: Uint8Array<ArrayBuffer>,
    { signal, reconnect }: WriteOptions,
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
   * @throws {RangeError} If it is more than the endpoint can send.
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
    let last: Transfer;
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
  #cut(bytes: Uint8Array<ArrayBuffer>, address: bigint): Transfer {
    const { queue, pieceSize } = this.#port;
    let last!: Transfer;
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

  /** Ends it early. Its end is told with what the kernel makes of that. */
  cancel(): void {
    this.#cancelRest();
  }

  /** @ignore */
  prepare(transfer: Transfer): boolean {
    const { maxPacketSize, zeroLengthPackets } = this.#port;
    const onBorder = this.#total % maxPacketSize === 0;
    if (transfer === this.#terminator) return onBorder;
    if (byteLengthOf(transfer.memory) !== transfer.length) {
      // Detached: its memory may belong to somebody else, or to nobody.
      this.#failure ||= new TypeError(
        `Cannot write to endpoint "${this.#port.name}": the data was detached before it was sent`,
      );
      return false;
    }
    const ends = transfer === this.#last;
    // A request that ends with a short packet has no use for the flag, but the
    // flag stays as the last request of a transfer has left it.
    const short = transfer.length === 0 || transfer.length % maxPacketSize > 0;
    if (short && !ends) return true;
    try {
      if (ends && onBorder && this.#mode === "request") {
        this.#terminate(transfer);
      }
      zeroLengthPackets.set(ends);
      return true;
    } catch (error) {
      this.#failure ||= error as Error;
      return false;
    }
  }

  /**
   * Puts an empty request behind the last piece. Not before its turn comes:
   * only then the packet size is known, which says whether there is to be one.
   */
  #terminate(last: Transfer): void {
    if (this.#terminator?.queued) return;
    if (this.#terminator === undefined) {
      this.#terminator = this.#port.queue.take(this, NOTHING, 0);
      (this.#others ??= []).push(this.#terminator);
    }
    this.#left++;
    this.#port.queue.pushBehind(this.#terminator, last);
  }

  /** @ignore */
  resumes(transfer: Transfer): boolean {
    // Without the data before it, it would be an empty transfer of its own.
    if (transfer === this.#terminator && this.#left === 1) return false;
    return this.#resumes && this.#failure === 0;
  }

  /** @ignore */
  onEnd(transfer: Transfer, result: number | Error): void {
    this.#left--;
    if (typeof result === "number" && result >= 0) {
      this.#sent += result;
    } else if (transfer === this.#terminator && result === -Errno.ESHUTDOWN) {
      // The host has got the data, and a new start is an end, too.
    } else if (this.#failure === 0) {
      this.#failure = result;
    }
    if (this.#failure !== 0) this.#cancelRest();
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

  #cancelRest(): void {
    if (this.#cancelling) return;
    this.#cancelling = true;
    const { queue } = this.#port;
    // The last one first: otherwise it would begin when those before it end,
    // and the host would get it without them. The end of one can be that of
    // the write, which gives them all back.
    for (let index = this.#others?.length ?? 0; index > 0; index--) {
      const piece = this.#others?.[index - 1];
      if (piece !== undefined) queue.cancel(piece);
    }
    if (this.#first !== undefined) queue.cancel(this.#first);
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
