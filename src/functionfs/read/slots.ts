/**
 * The requests of a stream from the host: into slots, queued ahead of the
 * reader, or into the reader's own memory.
 *
 * @module
 */
import { addressOf } from "../../../ffi/memory.ts";
import { appendAll } from "../transfer/fifo.ts";
import type {
  KernelRequest,
  RequestOwner,
  RequestPort,
} from "../transfer/request.ts";

/** The largest packet at any speed. */
const LARGEST_PACKET = 1024;

/** The stream that requests belong to. */
export interface SlotOwner {
  /** Bytes to request into `room` bytes of memory, at the current speed. */
  requestSize(room: number): number;
  /** Whether requests continue in the next connection. */
  readonly resumes: boolean;
  /** A request has ended: with a count, a negative error number or an error. */
  onEnd(result: number | Error, slot?: ReadSlot): void;
}

/** A request whose size follows the speed of the connection. */
abstract class StreamRequest implements RequestOwner {
  protected readonly owner: SlotOwner;
  protected readonly queue: RequestPort;

  constructor(owner: SlotOwner, queue: RequestPort) {
    this.owner = owner;
    this.queue = queue;
  }

  prepare(request: KernelRequest): boolean {
    request.length = this.owner.requestSize(request.memory.byteLength);
    return true;
  }

  resumes(): boolean {
    return this.owner.resumes;
  }

  abstract onEnd(request: KernelRequest, result: number | Error): void;
}

/** A request into the memory of a stream's reader. */
export class DirectRead extends StreamRequest {
  /** Bytes received; 0 if it has failed or received nothing. Never rejects. */
  readonly ended: Promise<number>;
  readonly #request: KernelRequest;
  readonly #end: (count: number) => void;

  /** Queued at once. */
  constructor(
    owner: SlotOwner,
    queue: RequestPort,
    memory: Uint8Array<ArrayBuffer>,
  ) {
    super(owner, queue);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#end = resolve;
    this.#request = queue.take(this, memory);
    this.#request.address = addressOf(memory);
    queue.push(this.#request);
  }

  /** Ends it early. */
  cancel(): void {
    // After its end, the request may belong to another owner.
    if (this.#request.owner === this) this.queue.cancel(this.#request);
  }

  /** @ignore */
  override onEnd(_: KernelRequest, result: number | Error): void {
    this.queue.give(this.#request);
    this.#end(typeof result === "number" ? Math.max(0, result) : 0);
    this.owner.onEnd(result);
  }
}

/** A reusable request, and the data it has received. */
export class ReadSlot extends StreamRequest {
  readonly #size: number;
  readonly #request: KernelRequest;
  /** Whether the reader may get the memory itself instead of a copy. */
  readonly #lends: boolean;
  /** Bytes received; -1 while in flight. */
  #filled = 0;
  #taken = 0;

  /**
   * @param size The most bytes to request.
   * @param isPacket Whether that is one packet, whose data is copied.
   */
  constructor(
    owner: SlotOwner,
    queue: RequestPort,
    size: number,
    isPacket: boolean,
  ) {
    super(owner, queue);
    this.#size = size;
    this.#lends = !isPacket && size > LARGEST_PACKET;
    this.#request = queue.take(this, NOTHING);
  }

  /** Whether it is queued or in the kernel. */
  get isUnderWay(): boolean {
    return this.#filled < 0;
  }

  /** Bytes received and not yet taken. */
  get left(): number {
    return this.#filled - this.#taken;
  }

  /** Whether it has ended, and all its data was taken. */
  get isRead(): boolean {
    return this.#filled === this.#taken;
  }

  /** Whether the reader should get the memory itself instead of a copy. */
  get isWorthLending(): boolean {
    return this.#lends && this.#taken === 0 && 4 * this.#filled >= this.#size;
  }

  /** Queues its request. */
  ask(): void {
    const request = this.#request;
    if (request.memory.byteLength === 0) {
      request.memory = new Uint8Array(this.#size);
      request.address = addressOf(request.memory);
    }
    request.wanted = this.#size;
    this.#filled = -1;
    this.#taken = 0;
    this.queue.push(request);
  }

  /** Ends it early. */
  cancel(): void {
    if (this.isUnderWay) this.queue.cancel(this.#request);
  }

  /** Takes the data with its memory. */
  lend(): Uint8Array<ArrayBuffer> {
    const bytes = this.#request.memory.subarray(0, this.#filled);
    this.#request.memory = NOTHING;
    this.#taken = this.#filled;
    return bytes;
  }

  /** Copies as much as fits; returns how much. */
  copyInto(room: Uint8Array): number {
    const count = Math.min(this.left, room.byteLength);
    const from = this.#taken;
    room.set(this.#request.memory.subarray(from, from + count));
    this.#taken += count;
    return count;
  }

  /** Takes a copy of the rest. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.left);
    this.copyInto(bytes);
    return bytes;
  }

  /** @ignore */
  override onEnd(_: KernelRequest, result: number | Error): void {
    this.#filled = typeof result === "number" ? Math.max(0, result) : 0;
    this.owner.onEnd(result, this);
  }
}

/** Slots in a row: queued and read in the same order. */
export class ReadSlots {
  readonly #make: () => ReadSlot;
  readonly #row: ReadSlot[] = [];
  readonly #spare: ReadSlot[] = [];
  /** The first slot that is not for this stream. */
  #end: ReadSlot | undefined;

  /** @param make Makes a slot when one is needed. */
  constructor(make: () => ReadSlot) {
    this.#make = make;
  }

  /** The number of slots; may include some that have been read. */
  get length(): number {
    return this.#row.length;
  }

  /** Whether any is queued or in the kernel. */
  get areUnderWay(): boolean {
    return this.#row.some((slot) => slot.isUnderWay);
  }

  /** Queues unused slots, up to `count` slots in total. */
  ask(count: number): void {
    this.#dropRead();
    while (this.#row.length < count) {
      const slot = this.#spare.pop() ?? this.#make();
      this.#row.push(slot);
      slot.ask();
    }
  }

  /** Leaves a slot and those behind it, or all, to the next reader. */
  endAt(slot: ReadSlot | undefined): void {
    this.#end = slot ?? this.#row[0];
  }

  /** Ends all early. */
  cancel(): void {
    // Last one first: otherwise a slot could receive data meant for another.
    for (const slot of this.#row.toReversed()) slot.cancel();
  }

  /** Takes out the remaining data, for the next reader. */
  takeRest(): Uint8Array<ArrayBuffer>[] {
    const end = this.#end === undefined ? -1 : this.#row.indexOf(this.#end);
    const rest = end < 0 ? [] : this.#row.splice(end);
    this.#dropRead();
    return rest.filter((slot) => !slot.isRead).map((slot) => slot.copy());
  }

  /**
   * Takes the data that has arrived: the memory of the first slot if it is well
   * filled, or a copy of all slots before the next well-filled one.
   */
  collect(): Uint8Array<ArrayBuffer> | undefined {
    let total = 0;
    for (const slot of this.#readable()) {
      if (slot.isWorthLending) {
        if (total === 0) return slot.lend();
        break;
      }
      total += slot.left;
    }
    if (total === 0) return undefined;
    const bytes = new Uint8Array(total);
    this.copyInto(bytes);
    return bytes;
  }

  /** Copies as much of the data as fits; returns how much. */
  copyInto(room: Uint8Array): number {
    let filled = 0;
    for (const slot of this.#readable()) {
      if (filled === room.byteLength) break;
      filled += slot.copyInto(room.subarray(filled));
    }
    this.#dropRead();
    return filled;
  }

  /** Slots with data, oldest first. */
  *#readable(): Generator<ReadSlot, void> {
    for (const slot of this.#row) {
      if (slot.isUnderWay || slot === this.#end) return;
      yield slot;
    }
  }

  /** Sets aside the slots at the head that have been read. */
  #dropRead(): void {
    let read = 0;
    while (this.#row[read]?.isRead && this.#row[read] !== this.#end) read++;
    if (read > 0) appendAll(this.#spare, this.#row.splice(0, read));
  }
}

const NOTHING = new Uint8Array(0);
