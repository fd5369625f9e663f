/**
 * One call of `InEndpoint.write`: a transfer to the host in one or more kernel
 * requests.
 *
 * The requests of an array are queued at once. Those of parts are made one by
 * one, when the queue has room for them (`more`); a request that stays open
 * keeps their place.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";
import { byteLengthOf, viewOf } from "../../arguments/bytes.ts";
import { transferError } from "../transfer/error.ts";
import type { SessionLife } from "../session.ts";
import { MAX_REQUEST_SIZE } from "../transfer/packet_sizes.ts";
import type {
  KernelRequest,
  RequestOwner,
  RequestPort,
} from "../transfer/request.ts";
import type { DataPort } from "./data.ts";
import { type PartsOwner, Thrown } from "./part_source.ts";
import { Parts } from "./parts.ts";
import type { ZeroLengthMode, ZeroLengthPackets } from "./zero_length.ts";

/** What writing needs from an endpoint. */
export interface WritePort extends DataPort {
  readonly path: string;
  readonly maxPacketSize: number;
  readonly queue: RequestPort;
  readonly zeroLengthPackets: ZeroLengthPackets;
}

/** What ends a write early. */
export interface WriteLife {
  readonly signal?: AbortSignal;
  /** The only connection in which it may be sent. */
  readonly session?: SessionLife;
}

/** A transfer to the host. */
export class Write implements RequestOwner, PartsOwner, EventListenerObject {
  readonly #port: WritePort;
  readonly #signal: AbortSignal | undefined;
  readonly #session: SessionLife | undefined;
  readonly #resolve: (count: number) => void;
  readonly #reject: (reason: unknown) => void;
  /** Bytes in requests: in the end, all. */
  #total = 0;
  #parts: Parts | undefined;
  /** The first piece, and those behind it. All must end before the write. */
  #first: KernelRequest | undefined;
  #others: KernelRequest[] | undefined;
  /** The piece that gets a zero-length packet if it ends on a packet border. */
  #last: KernelRequest | undefined;
  #autoZlp = false;
  #mode: ZeroLengthMode = "kernel";
  /**
   * The empty request for that packet: on kernels before 7.3, and behind parts
   * that have ended with a full piece.
   */
  #terminator: KernelRequest | undefined;
  #left = 1;
  #sent = 0;
  /** The connection that has got the last piece so far. */
  #connection = 0;
  #failure: number | Error | Thrown = 0;
  #cancelling = false;
  #settled = false;

  /** A transfer that is not queued yet. */
  constructor(
    port: WritePort,
    { signal, session }: WriteLife,
    resolve: (count: number) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#port = port;
    this.#signal = signal;
    this.#session = session;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /**
   * Queues it.
   *
   * @param data See `transferData`.
   * @param held Whether the caller is going to wake the queue.
   * @throws {RangeError} If the data is more than the endpoint can send.
   */
  start(
    data: Uint8Array<ArrayBuffer> | Parts,
    autoZlp: boolean,
    held = false,
  ): void {
    this.#autoZlp = autoZlp;
    if (autoZlp) this.#mode = this.#port.zeroLengthPackets.mode;
    if (data instanceof Parts) {
      this.#assertFits(data.total);
      this.#keepPlace(data);
    } else {
      this.#assertFits(this.#total = byteLengthOf(data));
      const last = this.#cut(data);
      if (autoZlp && this.#total > 0) this.#last = last;
    }
    const { queue } = this.#port;
    this.#signal?.addEventListener("abort", this);
    if (this.#first !== undefined) {
      this.#first.held = held;
      queue.push(this.#first);
    }
    if (this.#others === undefined) return;
    for (const piece of this.#others) queue.push(piece);
  }

  /** Whether it is settled. */
  get ended(): boolean {
    return this.#settled;
  }

  /** @ignore */
  get size(): number {
    return this.#parts?.total ?? this.#total;
  }

  #assertFits(total: number): void {
    const { name, largestTransfer } = this.#port;
    if (total <= largestTransfer) return;
    throw new RangeError(
      `Cannot write to endpoint "${name}": an isochronous transfer is what goes in one interval, ${largestTransfer} bytes at most, the data has ${total}`,
    );
  }

  /** Makes the pieces of an array, and returns the last one. */
  #cut(bytes: Uint8Array<ArrayBuffer>): KernelRequest {
    const { queue, pieceSize } = this.#port;
    const total = this.#total;
    const address = total === 0 ? 0n : addressOf(bytes);
    if (total <= MAX_REQUEST_SIZE) {
      this.#first = queue.take(this, bytes, total);
      this.#first.address = address;
      return this.#first;
    }
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
    this.#left = 1 + this.#others.length;
    return last;
  }

  /** Keeps the place of the pieces of parts. */
  #keepPlace(parts: Parts): void {
    const { queue, pieceSize } = this.#port;
    parts.owner = this;
    this.#parts = parts;
    const rest = queue.take(this, NOTHING, 0);
    rest.wanted = Math.min(pieceSize, parts.total);
    rest.open = true;
    this.#others = [rest];
  }

  /** @ignore */
  more(rest: KernelRequest): KernelRequest | undefined {
    const parts = this.#parts!;
    const piece = parts.next(this.#left === 1);
    if (piece === undefined) return undefined;
    const length = piece.byteLength;
    this.#total += length;
    let request = rest;
    if (parts.ended) {
      rest.use(piece, length);
      if (length === 0 && this.#total > 0) this.#terminator = rest;
      if (this.#autoZlp && this.#total > 0) this.#last = rest;
    } else {
      request = this.#port.queue.take(this, piece, length);
      this.#others!.splice(-1, 0, request); // `rest` is the last one
      this.#left++;
    }
    request.address = length === 0 ? 0n : addressOf(piece);
    return request;
  }

  /** @ignore */
  onPart(): void {
    this.#port.queue.wake();
  }

  /** @ignore */
  onPartsFailure(reason: Error | Thrown): void {
    this.#failure ||= reason;
    this.cancel();
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
    if (request === this.#terminator) {
      // A new connection has also ended the transfer.
      const { nextConnection } = this.#port.queue;
      const begun = this.#left > 1 || this.#connection === nextConnection;
      if (!this.#autoZlp || !onBorder || !begun) return false;
    }
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
    return this.#session?.ended === undefined && this.#failure === 0;
  }

  /** @ignore */
  onEnd(request: KernelRequest, result: number | Error): void {
    this.#left--;
    if (typeof result === "number" && result >= 0) {
      this.#sent += result;
      this.#connection = request.connection;
    } else if (request === this.#terminator && result === -Errno.ESHUTDOWN) {
      // The host has the data, and a new connection also ends the transfer.
    } else if (this.#failure === 0) {
      this.#failure = result;
    }
    if (this.#failure !== 0) this.cancel();
    if (this.#left > 0) return this.#forget(request);
    if (this.#settled) return;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    this.#giveBack();
    // An ended session's write fails, even if the next host has taken it.
    const done = this.#failure === 0 && this.#session?.ended === undefined;
    if (done) this.#resolve(this.#sent);
    else this.#reject(this.#error());
  }

  /** A piece of parts has ended, of which there can be any number. */
  #forget(piece: KernelRequest): void {
    if (this.#parts === undefined || piece === this.#terminator) return;
    this.#others!.splice(this.#others!.indexOf(piece), 1);
    this.#release(piece);
  }

  #giveBack(): void {
    if (this.#first !== undefined) this.#release(this.#first);
    this.#first = undefined;
    if (this.#others !== undefined) {
      for (const piece of this.#others) this.#release(piece);
      this.#others = undefined;
    }
    this.#parts?.stop();
  }

  #release(piece: KernelRequest): void {
    this.#parts?.give(piece.memory);
    this.#port.queue.give(piece);
  }

  #error(): unknown {
    if (this.#failure instanceof Thrown) return this.#failure.reason;
    return transferError({
      action: "write to",
      endpoint: this.#port,
      result: this.#failure,
      signal: this.#signal,
      session: this.#session,
      transferred: this.#sent,
    });
  }
}

const NOTHING = new Uint8Array(0);
