/**
 * One request ahead of the reader of a stream, and what has come in it.
 *
 * @module
 */
import { addressOf } from "../../../ffi/memory.ts";
import { type ReadOwner, ReadRequest } from "./read_request.ts";
import type { Transfer } from "../transfer/request.ts";
import type { TransferQueue } from "../transfer/queue.ts";

/** No packet of any speed is larger. */
const LARGEST_PACKET = 1024;

/** A request, used again and again. */
export class ReadSlot extends ReadRequest {
  readonly #size: number;
  readonly #transfer: Transfer;
  /** Whether memory that is well filled goes to the reader as it is. */
  readonly #lends: boolean;
  /** Bytes that have come; -1 while it is under way. */
  #filled = 0;
  #taken = 0;

  /**
   * @param size Bytes to ask for at most.
   * @param isPacket Whether that is one packet: then its data is copied.
   */
  constructor(
    owner: ReadOwner,
    queue: TransferQueue,
    size: number,
    isPacket: boolean,
  ) {
    super(owner, queue);
    this.#size = size;
    this.#lends = !isPacket && size > LARGEST_PACKET;
    this.#transfer = queue.take(this, NOTHING);
  }

  /** Whether the kernel has it, or it waits for the host. */
  get isUnderWay(): boolean {
    return this.#filled < 0;
  }

  /** Bytes that have come and were not taken. */
  get left(): number {
    return this.#filled - this.#taken;
  }

  /** Whether it has come, and nothing is left of it. */
  get isRead(): boolean {
    return this.#filled === this.#taken;
  }

  /** Whether the reader should get the memory itself in place of a copy. */
  get isWorthLending(): boolean {
    return this.#lends && this.#taken === 0 && 4 * this.#filled >= this.#size;
  }

  /** Asks for data. */
  ask(): void {
    const transfer = this.#transfer;
    if (transfer.memory.byteLength === 0) {
      transfer.memory = new Uint8Array(this.#size);
      transfer.address = addressOf(transfer.memory);
    }
    transfer.wanted = this.#size;
    this.#filled = -1;
    this.#taken = 0;
    this.queue.push(transfer);
  }

  /** Ends it early. */
  cancel(): void {
    if (this.isUnderWay) this.queue.cancel(this.#transfer);
  }

  /** Takes the data with its memory. */
  lend(): Uint8Array<ArrayBuffer> {
    const bytes = this.#transfer.memory.subarray(0, this.#filled);
    this.#transfer.memory = NOTHING;
    this.#taken = this.#filled;
    return bytes;
  }

  /** Takes as much as there is room for; returns how much. */
  copyInto(room: Uint8Array): number {
    const count = Math.min(this.left, room.byteLength);
    const from = this.#taken;
    room.set(this.#transfer.memory.subarray(from, from + count));
    this.#taken += count;
    return count;
  }

  /** Takes a copy of what is left. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.left);
    this.copyInto(bytes);
    return bytes;
  }

  /** @ignore */
  override onEnd(_: Transfer, result: number | Error): void {
    this.#filled = typeof result === "number" ? Math.max(0, result) : 0;
    this.owner.onEnd(result, this);
  }
}

const NOTHING = new Uint8Array(0);
