/**
 * What all requests of a stream have in common.
 *
 * @module
 */
import type { ReadSlot } from "./read_slot.ts";
import type { Transfer, TransferOwner } from "../transfer/request.ts";
import type { TransferQueue } from "../transfer/queue.ts";

/** Who asks, with slots or with a reader's own memory. */
export interface ReadOwner {
  /** Bytes to ask for into `room` bytes of memory, at the speed of now. */
  requestSize(room: number): number;
  /** Whether requests go on in the next connection. */
  readonly resumes: boolean;
  /** Told the end of a request: a count, a negative error number or an error. */
  onEnd(result: number | Error, slot?: ReadSlot): void;
}

/** A request whose size follows the speed of the connection. */
export abstract class ReadRequest implements TransferOwner {
  protected readonly owner: ReadOwner;
  protected readonly queue: TransferQueue;

  /** On the queue of an endpoint. */
  constructor(owner: ReadOwner, queue: TransferQueue) {
    this.owner = owner;
    this.queue = queue;
  }

  /** @ignore */
  prepare(transfer: Transfer): boolean {
    transfer.length = this.owner.requestSize(transfer.memory.byteLength);
    return true;
  }

  /** @ignore */
  resumes(): boolean {
    return this.owner.resumes;
  }

  /** @ignore */
  abstract onEnd(transfer: Transfer, result: number | Error): void;
}
