/**
 * A request into the memory of a stream's reader.
 *
 * @module
 */
import { addressOf } from "../../../ffi/memory.ts";
import { type ReadOwner, ReadRequest } from "./read_request.ts";
import type { Transfer } from "../transfer/request.ts";
import type { TransferQueue } from "../transfer/queue.ts";

/** A request into a reader's own memory. */
export class DirectRead extends ReadRequest {
  /** Bytes; 0 if it has failed, or has brought nothing. Never rejects. */
  readonly ended: Promise<number>;
  readonly #transfer: Transfer;
  readonly #end: (count: number) => void;

  /** Asks at once. */
  constructor(
    queue: TransferQueue,
    memory: Uint8Array<ArrayBuffer>,
    owner: ReadOwner,
  ) {
    super(owner, queue);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#end = resolve;
    this.#transfer = queue.take(this, memory);
    this.#transfer.address = addressOf(memory);
    queue.push(this.#transfer);
  }

  /** Ends it early. */
  cancel(): void {
    // After its end, the transfer may be somebody else's.
    if (this.#transfer.owner === this) this.queue.cancel(this.#transfer);
  }

  /** @ignore */
  override onEnd(_: Transfer, result: number | Error): void {
    this.queue.give(this.#transfer);
    this.#end(typeof result === "number" ? Math.max(0, result) : 0);
    this.owner.onEnd(result);
  }
}
