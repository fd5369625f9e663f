/**
 * The kernel requests that make up transfers.
 *
 * @module
 */
import { AioRequest } from "../../../ffi/aio/ring.ts";

/** A read or write of the user, which owns kernel requests. */
export interface RequestOwner {
  /** Bytes of the whole transfer, `Infinity` if that is not known. */
  readonly size?: number;
  /**
   * The request is about to be submitted, for the first time or again. Its
   * length and address can be set for the current connection.
   *
   * @returns Whether it is needed at all; if not, it ends with 0.
   */
  prepare(request: KernelRequest): boolean;
  /**
   * Makes the next request of a transfer that is not complete yet, when it can
   * be submitted.
   *
   * @param rest The request that keeps the place of the rest.
   * @returns A request that was taken from the queue; `rest`, no longer open,
   * if it is the last one; or `undefined` if there is nothing to send yet. Wake
   * the queue when there is.
   */
  more?(rest: KernelRequest): KernelRequest | undefined;
  /** Whether it is submitted again in the next connection if one ends. */
  resumes(request: KernelRequest): boolean;
  /**
   * Called once: with a count, a negative error number, or our own error for a
   * request that never reached the kernel.
   */
  onEnd(request: KernelRequest, result: number | Error): void;
}

/** A kernel request of an endpoint. After its end it may be pushed again. */
export class KernelRequest extends AioRequest {
  owner!: RequestOwner;
  /** Where the data is or goes. Belongs to the kernel while in flight. */
  memory!: Uint8Array<ArrayBuffer>;
  /** Address of the memory. */
  address = 0n;
  /** Bytes wanted: by default all of the memory. */
  wanted = 0;
  /** Bytes to request from the kernel. */
  length = 0;
  /** Its position among the requests of the endpoint. */
  sequence = 0;
  /** Its position among those with the same sequence. */
  part = 0;
  /**
   * Whether it keeps the place of requests that its owner has not made yet.
   * Later ones wait behind it.
   */
  open = false;
  /**
   * Whether its owner is going to wake the queue for it, and for others. Set
   * before it is pushed.
   */
  held = false;
  /** Whether it waits in a queue or is in the kernel. */
  queued = false;
  /** Whether its owner has cancelled it. */
  cancelled = false;
  /** Whether it was cancelled by `discard()`. */
  discarded = false;
  /** Whether the queue has called it back, to submit it again. */
  calledBack = false;
  /** The connection in which it was submitted, as far as was known then. */
  submittedIn = 0;
  /** The connection that its data belongs to. */
  connection = 0;
  /**
   * Whether that may be a later one: there were unread events at its submission,
   * and they have not been read since.
   */
  doubtful = false;

  /** Made by a queue. */
  constructor(onEnd: (request: KernelRequest, result: number) => void) {
    super((result) => onEnd(this, result));
  }

  /** Sets what it sends, or where it receives. */
  use(memory: Uint8Array<ArrayBuffer>, length: number): void {
    this.memory = memory;
    this.wanted = length;
    this.length = length;
    this.open = false;
  }

  /** Negative if it comes before another one of its endpoint. */
  compare(other: KernelRequest): number {
    return this.sequence - other.sequence || this.part - other.part;
  }
}

/** Where reads and writes of an endpoint queue their requests. */
export interface RequestPort {
  /** The first connection in which a request pushed now can be submitted. */
  readonly nextConnection: number;
  /** Returns an unused request for `memory`. */
  take(
    owner: RequestOwner,
    memory: Uint8Array<ArrayBuffer>,
    length?: number,
  ): KernelRequest;
  /** Returns a request that has ended and is no longer used. */
  give(request: KernelRequest): void;
  /** Adds a request at the end. It is submitted at the end of this turn. */
  push(request: KernelRequest): void;
  /** Adds a request right behind one that is being prepared. */
  pushBehind(request: KernelRequest, before: KernelRequest): void;
  /** Looks again for what can be submitted, at the end of this turn. */
  wake(): void;
  /** Ends a request early: with -ECANCELED, or with its result. */
  cancel(request: KernelRequest): void;
}
