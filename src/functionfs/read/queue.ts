/**
 * The reads of one OUT endpoint: calls that wait for data, kernel requests for
 * them, and data that has come before a call wanted it.
 *
 * A kernel request ends when it is full, or when a short packet arrives. That
 * makes two ways to read, of which one is in use at a time:
 *
 * - *Transfers*: each call has a request of its size. Requests and readers are
 *   two queues in the same order. Requests beyond the last reader are *ahead*:
 *   because `transfers()` wants them, or because their reader was aborted. The
 *   next reader gets such a request if it wants exactly that size; otherwise
 *   the request is withdrawn.
 * - *Bytes*: requests stand in the kernel, and calls take what has come. Each
 *   request is one packet, as in the kernel's own serial function
 *   (`gs_alloc_requests()` in `u_serial.c`): a larger one would hold back full
 *   packets until the host sends more, and FunctionFS drops what a cancelled
 *   request has received. It may be larger where a reader lacks more anyway.
 *
 * A request is always a multiple of the packet size. A reader of transfers that
 * wants any other size is alone in the kernel: data beyond its size is kept for
 * the next reader, which must not have its own request by then.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";
import type { SessionLife } from "../session.ts";
import type { Fifo } from "../transfer/fifo.ts";
import { PacketSizes } from "../transfer/packet_sizes.ts";
import type { KernelRequest, RequestOwner } from "../transfer/request.ts";
import { Kept } from "./kept.ts";
import { ByteRequests } from "./byte_requests.ts";
import { ReadPairs } from "./pairs.ts";
import { Refill } from "./refill.ts";
import { SpareMemory } from "./spare_memory.ts";
import {
  ArrivalReader,
  type Reader,
  type ReaderQueue,
  type ReadPort,
  TransferReader,
} from "./reader.ts";

/** What to request beyond what waiting calls lack. */
export interface Ahead {
  /** Whether it is read as bytes, or each request as a transfer. */
  readonly takesBytes: boolean;
  /** Bytes per request; undefined for one packet. */
  readonly size: number | undefined;
  /** How many requests, including those with unread data. */
  readonly depth: number;
  /** The only connection to read from. */
  readonly session: SessionLife | undefined;
}

/** Readers, and the kernel requests for them. */
export class ReadQueue implements ReaderQueue, RequestOwner {
  /** @ignore */
  readonly port: ReadPort;
  /** @ignore */
  readonly spareMemory: SpareMemory = new SpareMemory();
  readonly #pairs: ReadPairs;
  /** Calls that wait for data, in order. */
  readonly #readers: Fifo<Reader>;
  /** Kernel requests, in order. */
  readonly #requests: Fifo<KernelRequest>;
  readonly #bytes: ByteRequests;
  /** Data that waits for calls. While there is any, no call waits. */
  readonly #kept = new Kept((request) => this.#bytes.give(request));
  #ahead: Ahead | undefined;
  readonly #refill = new Refill(() => this.#ask());
  /** Whether the requests in the kernel are for bytes. */
  #takesBytes = false;
  /** Why a request ahead of readers has failed, for the next reader. */
  #failure: number | Error = 0;
  #withdrawing = false;
  /** Whether data that comes is dropped. */
  #discarding = false;
  #closed = false;
  #onNoRequests: (() => void)[] = [];

  /** For the port of an endpoint. */
  constructor(port: ReadPort) {
    this.port = port;
    this.#pairs = new ReadPairs(port.packetSizes);
    ({ readers: this.#readers, requests: this.#requests } = this.#pairs);
    this.#bytes = new ByteRequests(port);
  }

  /** Adds a call that waits for data. */
  add(reader: Reader): void {
    this.#pairs.add(reader);
    this.#advance();
  }

  /** Removes a call that waits. */
  remove(reader: Reader): void {
    this.#readers.remove(reader);
    this.#pairs.change();
    this.#advance();
  }

  /** What to request beyond what readers want. */
  get ahead(): Ahead | undefined {
    return this.#ahead;
  }

  set ahead(ahead: Ahead | undefined) {
    this.#ahead = ahead;
    this.#advance();
  }

  /** Whether nothing waits before a call made now. */
  get idle(): boolean {
    return this.#readers.length === 0;
  }

  /**
   * Data to take, if no reader waits for it; then call {@linkcode refill}.
   *
   * @param session Of the reader: what earlier ones have left is dropped.
   */
  kept(session: SessionLife | undefined): Kept {
    if (session !== undefined) this.#kept.dropBefore(session.firstConnection);
    return this.#kept;
  }

  /** Requests as much as was taken. */
  refill(): void {
    this.#ask();
  }

  /**
   * A connection has ended. Call this before the queue's method of the same
   * name: requests that end let the next readers queue theirs.
   */
  endSession(session: SessionLife): void {
    if (this.#ahead?.session === session) this.#ahead = undefined;
    const ended = [...this.#readers].filter((each) => each.session === session);
    // The kernel returns their requests by itself.
    for (const reader of ended) {
      this.#readers.remove(reader);
      reader.request = undefined;
      reader.fail(-Errno.ESHUTDOWN);
    }
    if (ended.length > 0) this.#pairs.change();
    this.#advance();
  }

  /**
   * Withdraws the requests that no reader has. Resolves when that is done.
   */
  withdrawAhead(): Promise<void> {
    this.#ahead = undefined;
    this.#cancelFrom(this.#takesBytes ? 0 : this.#readers.length);
    this.#advance();
    return this.#noRequests();
  }

  /**
   * Fails all readers, withdraws all requests and drops all data. Resolves when
   * the kernel has none of the requests.
   */
  async discard(): Promise<void> {
    this.#discarding = true;
    for (const reader of this.#readers.splice(0)) {
      if (reader instanceof ArrivalReader) this.#readers.push(reader);
      else reader.fail(-Errno.ECONNRESET);
    }
    this.#kept.clear();
    this.#failure = 0;
    this.#cancelFrom(0);
    await this.#noRequests();
    this.#discarding = false;
    this.#advance();
  }

  /** Fails the readers that have no request in the kernel, and requests no more. */
  close(): void {
    this.#closed = true;
    for (const reader of [...this.#readers]) {
      if (reader.request !== undefined) continue;
      this.#readers.remove(reader);
      reader.fail(-Errno.ECANCELED);
    }
    this.#pairs.change();
  }

  /** @ignore */
  abort(reader: Reader): void {
    const index = this.#readers.indexOf(reader);
    if (index < 0) return;
    const isInKernel = !this.#takesBytes && index < this.#requests.length;
    if (
      isInKernel && reader instanceof TransferReader &&
      !this.#pairs.moveUp(index)
    ) {
      // It ends when the kernel has returned the memory.
      reader.aborted = true;
      this.port.queue.cancel(this.#requests.at(index)!);
      return;
    }
    this.#readers.removeAt(index);
    this.#pairs.change();
    this.#putBack(reader);
    reader.fail(-Errno.ECANCELED);
    this.#advance();
  }

  /** @ignore */
  prepare(request: KernelRequest): boolean {
    request.length = PacketSizes.request(
      request.wanted,
      this.port.maxPacketSize,
      request.memory.byteLength,
    );
    return true;
  }

  /** @ignore */
  resumes(request: KernelRequest): boolean {
    if (this.#discarding) return false;
    const reader = this.#takesBytes
      ? undefined
      : this.#readers.at(this.#requests.indexOf(request));
    // What belongs to a session waits for the event that ends it.
    const owner = reader ?? this.#ahead;
    return owner !== undefined && owner.session?.ended === undefined;
  }

  /** @ignore */
  onEnd(request: KernelRequest, result: number | Error): void {
    const index = this.#requests.indexOf(request);
    this.#requests.removeAt(index);
    if (this.#takesBytes) this.#endBytes(request, result);
    else this.#endTransfer(request, index, result);
    this.#advance();
    if (this.#requests.length === 0 && this.#onNoRequests.length > 0) {
      for (const resolve of this.#onNoRequests.splice(0)) resolve();
    }
  }

  /** A request for bytes has ended. */
  #endBytes(request: KernelRequest, result: number | Error): void {
    this.#bytes.end(request);
    const received = typeof result === "number" && result > 0;
    if (received && !this.#discarding) {
      // A zero-length packet ends a transfer, and adds nothing to the bytes.
      const bytes = request.memory.subarray(0, result);
      const { connection } = request;
      this.#kept.push({ bytes, connection, request });
      return;
    }
    this.#bytes.give(request);
    if (typeof result === "number" && result >= 0) return;
    this.#fail(request, result);
  }

  /** A request for a transfer has ended. */
  #endTransfer(
    request: KernelRequest,
    index: number,
    result: number | Error,
  ): void {
    const waiting = this.#readers.at(index);
    const reader = waiting instanceof TransferReader ? waiting : undefined;
    const readers = this.#readers.length;
    if (typeof result === "number" && result >= 0) {
      this.#receive(request, result, reader);
    } else if (reader !== undefined && this.#endsReader(request, reader)) {
      this.#readers.removeAt(index);
      this.#putBack(reader);
      reader.fail(result);
    } else if (reader === undefined) {
      this.#fail(request, result);
    }
    // Unless both queues have moved up by one, neighbours have changed.
    if (index > 0 || this.#readers.length !== readers - 1) {
      this.#pairs.change();
    }
    this.port.queue.give(request);
  }

  /** A request that belongs to no reader has failed. */
  #fail(request: KernelRequest, result: number | Error): void {
    if (request.cancelled || result === -Errno.ESHUTDOWN) return;
    this.#failure = result;
    this.#ahead = undefined;
  }

  /** Whether a request's error ends the reader in its place. */
  #endsReader(request: KernelRequest, reader: TransferReader): boolean {
    return reader.request === request || reader.aborted || !request.cancelled;
  }

  #receive(
    request: KernelRequest,
    count: number,
    reader: TransferReader | undefined,
  ): void {
    if (this.#discarding) return;
    const { memory, connection } = request;
    const bytes = count === memory.byteLength
      ? memory
      : memory.subarray(0, count);
    if (reader === undefined || reader.request !== request) {
      // The next call gets it: usually the reader in this place.
      this.#kept.push({ bytes, connection, memory });
      return;
    }
    reader.request = undefined;
    reader.connection ||= connection;
    const rest = reader.receive(bytes);
    if (rest.byteLength > 0) this.#kept.push({ bytes: rest, connection });
    const done = count < request.length || reader.missing === 0;
    if (!done && !reader.aborted) return;
    this.#readers.remove(reader);
    if (done) return reader.finish();
    // The abort came too late for this request, but not for the next one.
    this.#putBack(reader);
    reader.fail(-Errno.ECANCELED);
  }

  /** Serves the calls that wait, and requests what they lack. */
  #advance(): void {
    this.#serve();
    this.#ask();
  }

  /** Gives kept data to the calls that wait. */
  #serve(): void {
    for (;;) {
      const reader = this.#readers.at(0);
      // With its own request in flight, this data follows an earlier error.
      if (reader === undefined || reader.request !== undefined) return;
      const kept = this.kept(reader.session);
      if (kept.length > 0) {
        if (!reader.take(kept)) {
          if (kept.length > 0) return;
          continue;
        }
        this.#readers.shift();
        reader.finish();
      } else if (this.#failure !== 0) {
        this.#readers.shift();
        this.#putBack(reader);
        reader.fail(this.#failure);
        this.#failure = 0;
      } else {
        return;
      }
    }
  }

  /** Queues kernel requests for what readers lack and may request. */
  #ask(): void {
    if (this.#withdrawing || this.#discarding || this.#closed) return;
    const next = this.#readers.at(0) ?? this.#ahead;
    if (next === undefined) return;
    if (next.takesBytes !== this.#takesBytes) {
      this.#cancelFrom(0);
      if (this.#requests.length > 0) return;
      this.#takesBytes = next.takesBytes;
      this.#pairs.change();
    }
    if (this.#takesBytes) this.#askForBytes();
    else this.#askForTransfers();
  }

  #askForBytes(): void {
    if (!this.#ahead?.takesBytes) return;
    const { size } = this.#ahead;
    for (let left = this.#due(this.#ahead); left > 0; left--) {
      this.#push(this.#bytes.take(this, size, this.#readers.at(0)));
    }
  }

  #askForTransfers(): void {
    if (!this.#allFit()) return;
    while (this.#requests.length < this.#readers.length) {
      const index = this.#requests.length;
      const reader = this.#readers.at(index)!;
      if (!(reader instanceof TransferReader)) return;
      if (
        index > 0 &&
        (this.#pairs.isAlone(index) || this.#pairs.isAlone(index - 1))
      ) {
        return;
      }
      const memory = reader.nextMemory();
      reader.request = this.#requestTransfer(memory, reader.missing);
    }
    if (this.#ahead === undefined || this.#ahead.takesBytes) return;
    if (
      this.#readers.length > 0 && this.#pairs.isAlone(this.#readers.length - 1)
    ) {
      return;
    }
    const { size } = this.#ahead;
    for (let left = this.#due(this.#ahead); left > 0; left--) {
      const memory = this.spareMemory.take(size!) ?? new Uint8Array(size!);
      this.#requestTransfer(memory, size!);
    }
  }

  /** How many requests to make ahead of readers now. */
  #due({ depth }: Ahead): number {
    return this.#refill.due(depth, this.#requests.length, this.#kept.length);
  }

  #requestTransfer(
    memory: Uint8Array<ArrayBuffer>,
    wanted: number,
  ): KernelRequest {
    const request = this.port.queue.take(this, memory);
    request.address = addressOf(memory);
    request.wanted = wanted;
    this.#push(request);
    return request;
  }

  #push(request: KernelRequest): void {
    this.#requests.push(request);
    this.port.queue.push(request);
  }

  /** Whether every request is for its reader; withdraws those that are not. */
  #allFit(): boolean {
    const index = this.#pairs.firstMisfit();
    if (index < 0) return true;
    // It was ahead of readers, and the next reader wants another size.
    this.#cancelFrom(index);
    // Requests that were not in the kernel have ended at once.
    return this.#pairs.firstMisfit() < 0;
  }

  #cancelFrom(index: number): void {
    // A request that ends at once must not queue more before all are cancelled.
    this.#withdrawing = true;
    // Last one first: otherwise it could receive data meant for another.
    for (const each of this.#requests.slice(index).reverse()) {
      this.port.queue.cancel(each);
    }
    this.#withdrawing = false;
  }

  #noRequests(): Promise<void> {
    if (this.#requests.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onNoRequests.push(resolve));
  }

  /** Keeps data that an ended reader has received for the next reader. */
  #putBack(reader: Reader): void {
    const { connection } = reader;
    this.#kept.unshift({ bytes: reader.received(), connection });
  }
}
