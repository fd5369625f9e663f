/**
 * One kernel request of an endpoint.
 *
 * @module
 */
import { AioRequest } from "../../../ffi/aio/context.ts";

/** Whoever has put a transfer into a queue. */
export interface TransferOwner {
  /**
   * The transfer is about to be submitted, for the first time or again: the
   * length and the address for the connection of now can be set.
   *
   * @returns Whether it is needed at all; if not, it ends with 0.
   */
  prepare(transfer: Transfer): boolean;
  /** Whether it goes on in the next connection when one ends under it. */
  resumes(transfer: Transfer): boolean;
  /**
   * Told once about the end: a count, a negative error number, or an error of
   * our own for a transfer that never reached the kernel.
   */
  onEnd(transfer: Transfer, result: number | Error): void;
}

/** A kernel request of an endpoint. After its end it may be pushed again. */
export class Transfer {
  owner!: TransferOwner;
  /** Where the data is or goes. Belongs to the kernel while it is in flight. */
  memory!: Uint8Array<ArrayBuffer>;
  /** Address of the memory. */
  address = 0n;
  /** Bytes that are wanted: all of the memory by default. */
  wanted = 0;
  /** Bytes that the kernel is asked for. */
  length = 0;
  /** Its place among the transfers of the endpoint. */
  sequence = 0;
  /** Whether it waits in a queue or is in the kernel. */
  queued = false;
  /** Somebody has asked for its end. */
  cancelled = false;
  /** The queue has asked for its return, to submit it again. */
  calledBack = false;
  /** The connection for which it was submitted. */
  connection = 0;
  /** What carries it into the kernel. */
  readonly request: AioRequest;

  /** Made by a queue. */
  constructor(onComplete: (transfer: Transfer, result: number) => void) {
    this.request = new AioRequest((result) => onComplete(this, result));
  }
}
