/**
 * The kernel requests of one endpoint, in order.
 *
 * Requests wait here while the host has not enabled the endpoint. When the
 * host disables it (reset, SET_CONFIGURATION, SET_INTERFACE, unplug), the
 * kernel ends all that are in flight with ESHUTDOWN; they are put back in
 * order and submitted again once the endpoint is enabled.
 *
 * @module
 */
import { type AioContext, AioRequest } from "../../ffi/aio.ts";
import { Errno } from "../../ffi/errno.ts";

/**
 * Told about the end of a transfer: a count, a negative error number, or an
 * error of our own for one that never reached the kernel.
 */
export type TransferEnd = (result: number | Error) => void;

/** A kernel request of an endpoint. After its end it may be pushed again. */
export class Transfer {
  readonly address: bigint;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly onEnd: TransferEnd;
  /** Bytes that are wanted: all of the memory by default. */
  wanted: number;
  /** Bytes to ask for; an OUT queue sets it when the packet size is known. */
  length: number;
  /** Somebody has asked for its end. */
  cancelled = false;
  /** What carries it into the kernel. */
  readonly request: AioRequest = new AioRequest((result) =>
    this.queue!.onComplete(this, result)
  );
  /** Where it waits or flies. */
  queue: TransferQueue | undefined;
  /** The connection for which it was submitted. */
  connection = 0;

  /** Describes a request on all of `memory`, whose address is known. */
  constructor(
    memory: Uint8Array<ArrayBuffer>,
    address: bigint,
    onEnd: TransferEnd,
  ) {
    this.memory = memory;
    this.address = address;
    this.wanted = memory.byteLength;
    this.length = memory.byteLength;
    this.onEnd = onEnd;
  }
}

/** What a queue asks about the function that it belongs to. */
export interface Connection {
  /** Whether the last event said that endpoints work. */
  readonly enabled: boolean;
  /** How often they were enabled. */
  readonly enableCount: number;
}

/** The kernel copies each write into contiguous memory: not too much at once. */
const MAX_BYTES_IN_FLIGHT = 4 << 20;
const MAX_REQUESTS_IN_FLIGHT = 256;

/** The requests of one endpoint: those that wait, and those in the kernel. */
export class TransferQueue {
  readonly #aio: AioContext;
  readonly #fd: number;
  readonly #opcode: number;
  readonly #connection: Connection;
  /** Sets a transfer's length for the current connection. */
  readonly #prepare: (transfer: Transfer) => void;
  #waiting: Transfer[] = [];
  #bytesInFlight = 0;
  /** Those that a disable has ended, until all that were in flight are back. */
  #returned: Transfer[] = [];
  /** The connection that ended under a request; wait for a later one. */
  #lostConnection = 0;
  #closed = false;
  #idle: (() => void) | undefined;
  readonly #flying = new Set<Transfer>();

  /** Makes a queue of reads or writes on an endpoint file. */
  constructor(options: {
    aio: AioContext;
    fd: number;
    opcode: number;
    connection: Connection;
    prepare?: (transfer: Transfer) => void;
  }) {
    this.#aio = options.aio;
    this.#fd = options.fd;
    this.#opcode = options.opcode;
    this.#connection = options.connection;
    this.#prepare = options.prepare ?? (() => {});
  }

  /** How many transfers wait or are in the kernel. */
  get pending(): number {
    return this.#waiting.length + this.#flying.size + this.#returned.length;
  }

  /** Adds a transfer at the end. */
  push(transfer: Transfer): void {
    transfer.cancelled = false;
    if (this.#closed) {
      queueMicrotask(() => transfer.onEnd(-Errno.ECANCELED));
      return;
    }
    transfer.queue = this;
    this.#waiting.push(transfer);
    this.pump();
  }

  /**
   * Submits what may be submitted. To be called when the endpoint has become
   * enabled.
   */
  pump(): void {
    if (
      !this.#connection.enabled || this.#returned.length > 0 ||
      this.#connection.enableCount === this.#lostConnection
    ) return;
    while (this.#waiting.length > 0 && this.#hasRoom(this.#waiting[0])) {
      this.#submit(this.#waiting.shift()!);
    }
  }

  /** Ends a transfer early. Its end is told with -ECANCELED, or its result. */
  cancel(transfer: Transfer): void {
    if (transfer.cancelled || transfer.queue !== this) return;
    transfer.cancelled = true;
    if (transfer.request.pending) {
      this.#aio.cancel(transfer.request);
      return;
    }
    for (const list of [this.#waiting, this.#returned]) {
      const index = list.indexOf(transfer);
      if (index >= 0) list.splice(index, 1);
    }
    this.#end(transfer, -Errno.ECANCELED);
    this.#afterReturn();
  }

  /** Ends all transfers with -ECANCELED. Resolves when none is in the kernel. */
  close(): Promise<void> {
    this.#closed = true;
    for (const transfer of [...this.#waiting, ...this.#returned]) {
      this.cancel(transfer);
    }
    for (const transfer of this.#flying) this.cancel(transfer);
    if (this.#flying.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }

  /** The kernel has ended a transfer. */
  onComplete(transfer: Transfer, result: number): void {
    this.#flying.delete(transfer);
    this.#bytesInFlight -= transfer.length;
    const disabled = result === -Errno.ESHUTDOWN || result === -Errno.EAGAIN;
    if (disabled && !transfer.cancelled && !this.#closed) {
      this.#returned.push(transfer);
      this.#lostConnection = Math.max(
        this.#lostConnection,
        transfer.connection,
      );
    } else {
      const cancelled = transfer.cancelled && result < 0;
      this.#end(transfer, cancelled ? -Errno.ECANCELED : result);
    }
    this.#afterReturn();
    if (this.#flying.size === 0) this.#idle?.();
  }

  #hasRoom(next: Transfer): boolean {
    if (this.#flying.size === 0) return true;
    return this.#flying.size < MAX_REQUESTS_IN_FLIGHT &&
      this.#bytesInFlight + next.wanted <= MAX_BYTES_IN_FLIGHT;
  }

  #submit(transfer: Transfer): void {
    this.#prepare(transfer);
    transfer.connection = this.#connection.enableCount;
    try {
      this.#aio.submit(
        transfer.request,
        this.#opcode,
        this.#fd,
        transfer.address,
        transfer.length,
        transfer.memory,
      );
    } catch (error) {
      // No room for more requests in the whole system.
      queueMicrotask(() => this.#end(transfer, error as Error));
      return;
    }
    this.#flying.add(transfer);
    this.#bytesInFlight += transfer.length;
  }

  #end(transfer: Transfer, result: number | Error): void {
    transfer.queue = undefined;
    transfer.onEnd(result);
  }

  /** Once all are back that were in flight, they go to the head of the queue. */
  #afterReturn(): void {
    if (this.#flying.size > 0 && this.#returned.length > 0) return;
    if (this.#returned.length > 0) {
      this.#waiting.unshift(...this.#returned);
      this.#returned = [];
    }
    this.pump();
  }
}
