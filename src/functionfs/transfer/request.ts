/**
 * The kernel requests that make up transfers.
 *
 * @module
 */
import { AioRequest } from "../../../ffi/aio/ring.ts";

/** A read or write of the user, which owns kernel requests. */
export interface RequestOwner {
  /**
   * The request is about to be submitted, for the first time or again. Its
   * length and address can be set for the current connection.
   *
   * @returns Whether it is needed at all; if not, it ends with 0.
   */
  prepare(request: KernelRequest): boolean;
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
  /** Whether it waits in a queue or is in the kernel. */
  queued = false;
  /** Whether its owner has cancelled it. */
  cancelled = false;
  /** Whether the queue has called it back, to submit it again. */
  calledBack = false;
  /** The connection in which it was submitted. */
  connection = 0;

  /** Made by a queue. */
  constructor(onEnd: (request: KernelRequest, result: number) => void) {
    super((result) => onEnd(this, result));
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
  /**
   * Adds a request at the end. It is submitted at the end of this turn.
   *
   * @param connection The first connection that it may belong to.
   */
  push(request: KernelRequest, connection?: number): void;
  /** Adds a request right behind one that is being prepared. */
  pushBehind(request: KernelRequest, before: KernelRequest): void;
  /** Ends a request early: with -ECANCELED, or with its result. */
  cancel(request: KernelRequest): void;
}
