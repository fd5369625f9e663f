/**
 * Packets that are asked for ahead of a reader.
 *
 * A kernel request ends when it is full or when a short packet comes. One that
 * is larger than a packet would hold back full packets until the host sends
 * more; a host that does not end its transfers with a short packet, as WebUSB
 * and libusb by default, would wait for an answer for ever. So each request
 * here is one packet, and there are many of them.
 *
 * @module
 */
import { Errno, systemError } from "../../ffi/errno.ts";
import { addressOf } from "../../ffi/memory.ts";
import type { Transfer, TransferOwner } from "./transfer.ts";
import type { TransferQueue } from "./transfer_queue.ts";

/** No packet of any speed is larger. */
export const LARGEST_PACKET = 1024;

/** How many packets are asked for ahead of the reader. */
export const READ_AHEAD_PACKETS = 64;

/** One packet's place in memory, used again and again. */
interface Slot {
  readonly transfer: Transfer;
  /** Bytes that have come, less what was taken; -1 while it is under way. */
  left: number;
  taken: number;
}

/** What it needs of its endpoint. */
export interface ReadAheadSource {
  readonly name: string;
  readonly path: string;
  /** Of the current connection. */
  readonly maxPacketSize: number;
  readonly queue: TransferQueue;
  /** Resolves when no other reader's requests are with the kernel any more. */
  ready(): Promise<void>;
}

/** Takes packets from an OUT endpoint in the order of the host. */
export class ReadAhead implements TransferOwner {
  readonly #source: ReadAheadSource;
  /** Data of the endpoint that came before. */
  readonly #before: Uint8Array<ArrayBuffer>[];
  /** In the order of submission, which is that of completion. */
  readonly #slots: Slot[] = [];
  readonly #slotOf = new Map<Transfer, Slot>();
  /** The oldest slot; those that follow it come next. */
  #head = 0;
  /** Bytes that have come and were not taken. */
  #available = 0;
  #underWay = 0;
  #failure: unknown;
  #over = false;
  #waiters: (() => void)[] = [];

  /**
   * @param source The endpoint.
   * @param before Data that a reader before has left; it comes first.
   */
  constructor(source: ReadAheadSource, before: Uint8Array<ArrayBuffer>[]) {
    this.#source = source;
    this.#before = before;
  }

  /**
   * Takes what has come, up to `limit` bytes; waits until there is something.
   *
   * @returns A new array, or `undefined` when the function is closed or the
   * reading was cancelled.
   */
  async take(limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#slots.length === 0 && !this.#over) await this.#source.ready();
    const first = this.#takeBefore(limit);
    if (first !== undefined) return first;
    if (this.#slots.length === 0 && !this.#over) this.#start();
    while (this.#available === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#over) return undefined;
      await this.#change();
    }
    return this.#collect(limit);
  }

  /**
   * Stops asking. What has come already is left for the next reader.
   *
   * @returns A promise that resolves when the kernel has none of the requests.
   */
  async cancel(): Promise<void> {
    this.#over = true;
    // The last one first: otherwise it could get what is meant for another.
    for (let index = this.#slots.length - 1; index >= 0; index--) {
      const at = (this.#head + index) % this.#slots.length;
      this.#source.queue.cancel(this.#slots[at].transfer);
    }
    while (this.#underWay > 0) {
      await this.#change();
    }
    if (this.#available > 0) {
      this.#before.push(this.#collect(this.#available));
    }
    this.#wake();
  }

  /** Resolves when something has come, or has ended. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #takeBefore(limit: number): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const bytes = this.#before.shift();
      if (bytes === undefined) return undefined;
      if (bytes.byteLength === 0) continue; // a zero-length packet
      if (bytes.byteLength <= limit) return bytes;
      this.#before.unshift(bytes.slice(limit));
      return bytes.slice(0, limit);
    }
  }

  #start(): void {
    const slab = new Uint8Array(READ_AHEAD_PACKETS * LARGEST_PACKET);
    const base = addressOf(slab);
    for (let index = 0; index < READ_AHEAD_PACKETS; index++) {
      const at = index * LARGEST_PACKET;
      const memory = slab.subarray(at, at + LARGEST_PACKET);
      const transfer = this.#source.queue.take(this, memory);
      transfer.address = base + BigInt(at);
      const slot: Slot = { transfer, left: -1, taken: 0 };
      this.#slots.push(slot);
      this.#slotOf.set(transfer, slot);
      this.#ask(slot);
    }
  }

  /** @ignore */
  prepare(transfer: Transfer): boolean {
    transfer.length = this.#source.maxPacketSize;
    return true;
  }

  /** @ignore */
  resumes(): boolean {
    return true;
  }

  #ask(slot: Slot): void {
    slot.left = -1;
    slot.taken = 0;
    this.#underWay++;
    this.#source.queue.push(slot.transfer);
  }

  /** @ignore */
  onEnd(transfer: Transfer, result: number | Error): void {
    const slot = this.#slotOf.get(transfer)!;
    this.#underWay--;
    slot.left = 0;
    if (typeof result !== "number") this.#failure ??= result;
    else if (result === -Errno.ECANCELED) this.#over = true;
    else if (result < 0) {
      this.#failure ??= systemError(-result, {
        action: `read from endpoint "${this.#source.name}"`,
        syscall: "read",
        path: this.#source.path,
      });
    } else {
      slot.left = result;
      this.#available += result;
      // A zero-length packet ends a transfer, and adds nothing to a stream.
      if (result === 0 && slot === this.#slots[this.#head]) this.#skipEmpty();
      if (this.#available === 0) return;
    }
    this.#wake();
  }

  /** Asks again with the slots at the head that are used up. */
  #skipEmpty(): void {
    while (this.#slots[this.#head].left === 0 && !this.#over) {
      const slot = this.#slots[this.#head];
      this.#head = (this.#head + 1) % this.#slots.length;
      this.#ask(slot);
    }
  }

  #collect(limit: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.min(limit, this.#available));
    let filled = 0;
    let at = this.#head;
    while (filled < bytes.byteLength) {
      const slot = this.#slots[at];
      const count = Math.min(slot.left, bytes.byteLength - filled);
      const { memory } = slot.transfer;
      bytes.set(memory.subarray(slot.taken, slot.taken + count), filled);
      filled += count;
      slot.taken += count;
      slot.left -= count;
      at = (at + 1) % this.#slots.length;
    }
    this.#available -= filled;
    this.#skipEmpty();
    return bytes;
  }
}
