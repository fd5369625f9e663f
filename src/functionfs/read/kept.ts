/**
 * Data that has come before a call wanted it, in order.
 *
 * @module
 */
import { addressOf } from "../../../ffi/memory.ts";
import { Fifo } from "../transfer/fifo.ts";
import type { KernelRequest } from "../transfer/request.ts";

/** What one kernel request has received, or what a call has left of it. */
export interface Arrival {
  bytes: Uint8Array<ArrayBuffer>;
  /** The connection in which it came. */
  readonly connection: number;
  /** The request whose memory this is, if it is used again. */
  readonly request?: KernelRequest;
  /** The array that this is a part of, if nothing else refers to that. */
  readonly memory?: Uint8Array<ArrayBuffer>;
}

/** Data of large requests is copied only if that would waste their memory. */
const LENT_FROM = 4096;

/** A row of arrivals. */
export class Kept {
  readonly #arrivals = new Fifo<Arrival>();
  readonly #free: (request: KernelRequest) => void;

  /** @param free Called when the memory of a request is no longer used. */
  constructor(free: (request: KernelRequest) => void) {
    this.#free = free;
  }

  /** The number of arrivals. */
  get length(): number {
    return this.#arrivals.length;
  }

  /** Adds what has come last. */
  push(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  /** Puts back what a call has received and does not return. */
  unshift(arrival: Arrival): void {
    if (arrival.bytes.byteLength > 0) this.#arrivals.unshift(arrival);
  }

  /** The oldest arrival. */
  get first(): Arrival | undefined {
    return this.#arrivals.at(0);
  }

  /** Drops data of connections before this one. */
  dropBefore(connection: number): void {
    while ((this.first?.connection ?? Infinity) < connection) this.#shift();
  }

  /** Drops everything. */
  clear(): void {
    while (this.length > 0) this.#shift();
  }

  /**
   * Takes at most `size` bytes of the oldest arrival, as an array of its own.
   */
  takeFirst(size: number): Uint8Array<ArrayBuffer> {
    const arrival = this.first!;
    const { bytes, request } = arrival;
    if (bytes.byteLength > size) {
      const taken = bytes.slice(0, size);
      arrival.bytes = bytes.subarray(size);
      return taken;
    }
    const taken = request === undefined ? bytes : bytes.slice();
    this.#shift();
    return taken;
  }

  /** Copies as much as fits into `room`; returns how much. */
  copyInto(room: Uint8Array): number {
    let filled = 0;
    for (let first = this.first; first !== undefined; first = this.first) {
      const { bytes } = first;
      const left = room.byteLength - filled;
      if (bytes.byteLength > left) {
        room.set(bytes.subarray(0, left), filled);
        first.bytes = bytes.subarray(left);
        return room.byteLength;
      }
      room.set(bytes, filled);
      filled += bytes.byteLength;
      this.#shift();
    }
    return filled;
  }

  /**
   * Exchanges memory: the oldest arrival is taken with its memory, and `room` is
   * used for its request instead. That makes no difference to a copy, and is
   * possible if both are whole arrays of the same size.
   *
   * @param room Memory that nothing else refers to.
   */
  exchange(room: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const { bytes, request } = this.first ?? {};
    const size = room.byteLength;
    if (
      request === undefined || size < LENT_FROM || room.buffer.resizable ||
      size !== bytes!.byteLength || !isWhole(room) || !isWhole(bytes!)
    ) return undefined;
    request.memory = room;
    request.address = addressOf(room);
    this.#shift();
    return bytes;
  }

  /**
   * Takes everything that lies before the next large arrival, as one array; or
   * that arrival with its memory.
   */
  collect(): Uint8Array<ArrayBuffer> | undefined {
    let total = 0;
    for (let index = 0; index < this.length; index++) {
      const arrival = this.#arrivals.at(index)!;
      if (isWorthLending(arrival)) {
        if (total > 0) break;
        if (arrival.request !== undefined) arrival.request.memory = NOTHING;
        this.#shift();
        return arrival.bytes;
      }
      total += arrival.bytes.byteLength;
    }
    if (total === 0) return undefined;
    const bytes = new Uint8Array(total);
    this.copyInto(bytes);
    return bytes;
  }

  #shift(): void {
    const { request } = this.#arrivals.shift()!;
    if (request !== undefined) this.#free(request);
  }
}

/** Whether its memory is large and well filled, and all of it is left. */
function isWorthLending({ bytes }: Arrival): boolean {
  const size = bytes.buffer.byteLength;
  return size >= LENT_FROM && bytes.byteOffset === 0 &&
    4 * bytes.byteLength >= size;
}

function isWhole({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength === buffer.byteLength;
}

const NOTHING = new Uint8Array(0);
