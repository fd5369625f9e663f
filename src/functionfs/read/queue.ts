/**
 * The reads of one OUT endpoint: calls that wait for data, kernel requests for
 * them, and data that arrived before a call wanted it.
 *
 * Kernel requests and readers are two queues in the same order: the first
 * request serves the first reader, and so on. Requests beyond the last reader
 * are *ahead*: because `transfers()` wants them, or because their reader was
 * aborted. Such a request stays in the kernel, so that data the host has begun
 * to send is not lost. The next reader gets it if it wants exactly that size;
 * otherwise the request is withdrawn.
 *
 * A request is always a multiple of the packet size. A reader that wants any
 * other size is alone in the kernel: data beyond its size is kept for the next
 * reader, which must not have its own request by then.
 *
 * @module
 */
import { Errno } from "../../../ffi/errno.ts";
import { addressOf } from "../../../ffi/memory.ts";
import { Fifo } from "../transfer/fifo.ts";
import { MAX_REQUEST_SIZE, PacketSizes } from "../transfer/packet_sizes.ts";
import type { Reader, ReadPort } from "./reader.ts";
import type { KernelRequest, RequestOwner } from "../transfer/request.ts";

/** How much to request beyond what readers want. */
export interface AheadOptions {
  /** Bytes per request. */
  readonly size: number;
  /** How many requests, including those with unread data. */
  readonly depth: number;
  /** Called when the connection ends. */
  readonly onDisable?: () => void;
}

/** Readers, and the kernel requests for them. */
export class ReadQueue implements RequestOwner {
  readonly #port: ReadPort;
  /** Calls that wait for data, in order. */
  readonly #readers = new Fifo<Reader>();
  /** Kernel requests, in order. */
  readonly #requests = new Fifo<KernelRequest>();
  /** Data that waits for calls, in order. While there is any, no call waits. */
  readonly #kept: Uint8Array<ArrayBuffer>[];
  #ahead: AheadOptions | undefined;
  /** Whether every request is known to fit its reader. */
  #allFitSurely = true;
  /** Why a request ahead of readers has failed, for the next reader. */
  #failure: number | Error = 0;
  #withdrawing = false;
  #onNoRequests: (() => void)[] = [];

  /** For the port of an endpoint. */
  constructor(port: ReadPort) {
    this.#port = port;
    this.#kept = port.kept;
  }

  /** Adds a call that waits for data. */
  add(reader: Reader): void {
    if (this.#failure !== 0 && this.#kept.length === 0) {
      reader.fail(this.#failure);
      this.#failure = 0;
      return;
    }
    // It may meet a request that is ahead of readers.
    if (this.#requests.length > this.#readers.length) {
      this.#allFitSurely = false;
    }
    this.#readers.push(reader);
    this.#serve();
    this.#ask();
  }

  /** Sets how much to request beyond what readers want. */
  setAhead(options: AheadOptions | undefined): void {
    this.#ahead = options;
    this.#ask();
  }

  /** Whether a reader would find data at once. */
  get hasData(): boolean {
    return this.#kept.length > 0;
  }

  /**
   * A connection has ended. Call this before the queue's method of the same
   * name: requests that end let the next readers queue theirs.
   */
  onDisable(ended: number): void {
    this.#ahead?.onDisable?.();
    // Readers with a request end with it.
    const waiting = this.#readers.splice(this.#requests.length);
    for (const reader of waiting) {
      const goesOn = reader.resumes || reader.connection > ended;
      if (goesOn) this.#readers.push(reader);
      else reader.fail(-Errno.ESHUTDOWN);
    }
  }

  /** Withdraws requests ahead of readers. Resolves when no request is left. */
  withdrawAhead(): Promise<void> {
    this.#ahead = undefined;
    this.#cancelFrom(this.#readers.length);
    this.#ask();
    if (this.#requests.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onNoRequests.push(resolve));
  }

  /** A reader's signal is aborted. */
  abort(reader: Reader): void {
    const index = this.#readers.indexOf(reader);
    if (index < 0) return;
    if (index < this.#requests.length && !this.#moveUp(index)) {
      // It ends when the kernel has returned the memory.
      reader.aborted = true;
      this.#port.queue.cancel(this.#requests.at(index)!);
      return;
    }
    this.#readers.removeAt(index);
    this.#allFitSurely = false;
    this.#keep(reader);
    reader.fail(-Errno.ECANCELED);
    this.#serve();
    this.#ask();
  }

  /** @ignore */
  prepare(request: KernelRequest): boolean {
    request.length = PacketSizes.request(
      request.wanted,
      this.#port.maxPacketSize,
      request.memory.byteLength,
    );
    return true;
  }

  /** @ignore */
  resumes(request: KernelRequest): boolean {
    const reader = this.#readers.at(this.#requests.indexOf(request));
    return reader?.resumes ?? false;
  }

  /** @ignore */
  onEnd(request: KernelRequest, result: number | Error): void {
    const index = this.#requests.indexOf(request);
    const reader = this.#readers.at(index);
    this.#requests.removeAt(index);
    const readers = this.#readers.length;
    if (typeof result === "number" && result >= 0) {
      this.#receive(request, result, reader);
    } else if (reader !== undefined && this.#endsReader(request, reader)) {
      this.#readers.removeAt(index);
      this.#keep(reader);
      reader.fail(result);
    } else if (
      reader === undefined && !request.cancelled &&
      result !== -Errno.ESHUTDOWN
    ) {
      this.#failure = result;
      this.#ahead = undefined;
    }
    // Unless both queues have moved up by one, neighbours have changed.
    if (index > 0 || this.#readers.length !== readers - 1) {
      this.#allFitSurely = false;
    }
    this.#port.queue.give(request);
    this.#serve();
    this.#ask();
    if (this.#requests.length === 0 && this.#onNoRequests.length > 0) {
      for (const resolve of this.#onNoRequests.splice(0)) resolve();
    }
  }

  /** Whether a request's error ends the reader in its place. */
  #endsReader(request: KernelRequest, reader: Reader): boolean {
    return reader.request === request || reader.aborted ||
      !request.cancelled;
  }

  /** A request has received data. */
  #receive(request: KernelRequest, count: number, reader?: Reader): void {
    const { memory } = request;
    const bytes = count === memory.byteLength
      ? memory
      : memory.subarray(0, count);
    if (reader === undefined || !fits(request, reader)) {
      this.#kept.push(bytes);
      return;
    }
    const rest = reader.receive(bytes, reader.request === request);
    reader.request = undefined;
    if (rest.byteLength > 0) this.#kept.push(rest);
    const done = count < request.length || reader.remaining === 0;
    if (!done && !reader.aborted) return;
    this.#readers.remove(reader);
    if (done) return reader.finish();
    // The abort came too late for this request, but not for the next one.
    this.#keep(reader);
    reader.fail(-Errno.ECANCELED);
  }

  /** Gives kept data to the calls that wait. */
  #serve(): void {
    while (this.#kept.length > 0 && this.#readers.length > 0) {
      const reader = this.#readers.at(0)!;
      // Its own request is in flight; this data follows an earlier error.
      if (reader.request !== undefined) return;
      const rest = reader.receive(this.#kept.shift()!, false);
      if (rest.byteLength > 0) this.#kept.unshift(rest);
      this.#readers.shift();
      reader.finish();
    }
  }

  /** Queues kernel requests for what readers lack and may request. */
  #ask(): void {
    if (this.#withdrawing || !this.#allFit()) return;
    while (this.#requests.length < this.#readers.length) {
      const index = this.#requests.length;
      const reader = this.#readers.at(index)!;
      if (
        index > 0 &&
        (this.#isAlone(reader) || this.#isAlone(this.#readers.at(index - 1)!))
      ) return;
      reader.request = this.#request(
        reader.nextMemory(),
        reader.remaining,
        reader.connection,
      );
    }
    if (this.#ahead === undefined) return;
    const last = this.#readers.at(this.#readers.length - 1);
    if (last !== undefined && this.#isAlone(last)) return;
    const { size, depth } = this.#ahead;
    while (this.#requests.length + this.#kept.length < depth) {
      this.#request(new Uint8Array(size), size);
    }
  }

  /** Whether every request is for its reader; withdraws those that are not. */
  #allFit(): boolean {
    if (this.#allFitSurely) return true;
    const index = this.#firstMisfit();
    this.#allFitSurely = index < 0;
    if (index < 0) return true;
    // It was ahead of readers, and the next reader wants another size.
    this.#cancelFrom(index);
    // Requests that were not in the kernel have ended at once.
    return this.#firstMisfit() < 0;
  }

  #firstMisfit(): number {
    const count = Math.min(this.#readers.length, this.#requests.length);
    for (let index = 0; index < count; index++) {
      const reader = this.#readers.at(index)!;
      if (!fits(this.#requests.at(index)!, reader)) return index;
    }
    return -1;
  }

  #request(
    memory: Uint8Array<ArrayBuffer>,
    wanted: number,
    connection?: number,
  ): KernelRequest {
    const request = this.#port.queue.take(this, memory);
    request.address = addressOf(memory);
    request.wanted = wanted;
    this.#requests.push(request);
    this.#port.queue.push(request, connection);
    return request;
  }

  /** Whether a reader may leave data behind, or needs several requests. */
  #isAlone(reader: Reader): boolean {
    return reader.size > MAX_REQUEST_SIZE ||
      !this.#port.packetSizes.areWhole(reader.size);
  }

  /**
   * Passes the requests from `index` on to the readers behind it, so that the
   * last one is ahead of readers. Returns whether that is possible.
   */
  #moveUp(index: number): boolean {
    const last = Math.min(this.#readers.length, this.#requests.length);
    for (let at = index; at < last; at++) {
      if (this.#readers.at(at)!.lends) return false;
      const next = this.#readers.at(at + 1);
      if (next !== undefined && !fits(this.#requests.at(at)!, next)) {
        return false;
      }
    }
    for (let at = index; at < last; at++) this.#readers.at(at)!.letGo();
    return true;
  }

  #cancelFrom(index: number): void {
    // A request that ends at once must not queue more before all are cancelled.
    this.#withdrawing = true;
    for (const each of this.#requests.slice(index).reverse()) {
      this.#port.queue.cancel(each);
    }
    this.#withdrawing = false;
  }

  /** Keeps data that an ended reader has received for the next reader. */
  #keep(reader: Reader): void {
    const bytes = reader.received();
    if (bytes.byteLength > 0) this.#kept.unshift(bytes);
  }
}

/** Whether a request is what a reader would ask for. */
function fits(request: KernelRequest, reader: Reader): boolean {
  return request === reader.request || request.wanted === reader.remaining;
}
