/**
 * The kernel requests of one endpoint, in order.
 *
 * Requests wait here until the host has enabled the endpoint. When the host
 * disables it (reset, SET_CONFIGURATION, SET_INTERFACE, unplug), the kernel
 * ends all requests in flight with ESHUTDOWN. Their owner decides: they end
 * with the connection, or return to the queue in order and are submitted again
 * once the endpoint is enabled.
 *
 * A disable and the next enable can happen within one call in the kernel, and
 * the completions of the disable arrive a little later, from a work queue.
 * Anything submitted in between goes into the new connection and would overtake
 * what the old one returns. So all completions are handled right before
 * anything is submitted. What was still submitted too early is called back from
 * the kernel and queued behind the requests that were before it.
 *
 * @module
 */
import type { AioContext, AioProducer } from "../../../ffi/aio/context.ts";
import { Errno } from "../../../ffi/errno.ts";
import { ActionQueue, type QueuedAction } from "./action_queue.ts";
import { type Connection, Retry } from "./connection.ts";
import { Fifo } from "./fifo.ts";
import {
  KernelRequest,
  type RequestOwner,
  type RequestPort,
} from "./request.ts";

/** The most requests of one endpoint in the kernel. */
const MAX_IN_FLIGHT = 256;
/** Their most bytes: the kernel copies each write into contiguous memory. */
const MAX_BYTES_IN_FLIGHT = 4 << 20;

/** What a queue is made of. */
export interface RequestQueueOptions {
  readonly aio: Pick<AioContext, "schedule" | "submit" | "cancel">;
  /** The endpoint file. */
  readonly fd: number;
  /** IOCB_CMD_PREAD or IOCB_CMD_PWRITE. */
  readonly opcode: number;
  readonly connection: Connection;
}

/** The requests of one endpoint: those that wait, and those in the kernel. */
export class RequestQueue implements RequestPort, AioProducer {
  readonly #aio: RequestQueueOptions["aio"];
  readonly #fd: number;
  readonly #opcode: number;
  readonly #connection: Connection;
  #waiting = new Fifo<KernelRequest>();
  readonly #actions = new ActionQueue();
  /** Requests in the kernel, in submission order; they usually end in it. */
  readonly #flying = new Fifo<KernelRequest>();
  #bytesInFlight = 0;
  /** Requests that returned undone, until none is in flight. */
  #returned: KernelRequest[] = [];
  /** A connection that ended under a request. The queue waits for a later one. */
  #lostConnection = 0;
  #knownConnection: number;
  /** A request was refused although no connection has ended. */
  #refused = false;
  #sequence = 0;
  readonly #retry: Retry;
  readonly #spare: KernelRequest[] = [];
  /** @ignore */
  scheduled = false;
  #closed = false;
  #onIdle: (() => void) | undefined;

  /** Makes a queue of reads or writes on an endpoint file. */
  constructor({ aio, fd, opcode, connection }: RequestQueueOptions) {
    this.#aio = aio;
    this.#fd = fd;
    this.#opcode = opcode;
    this.#connection = connection;
    this.#knownConnection = connection.enableCount;
    this.#retry = new Retry(() => this.#aio.schedule(this));
  }

  /** @ignore */
  get nextConnection(): number {
    const { enabled, enableCount } = this.#connection;
    const works = enabled && enableCount > this.#lostConnection;
    return works ? enableCount : enableCount + 1;
  }

  /** The connection that the last event has begun or ended. */
  get knownConnection(): number {
    return this.#knownConnection;
  }

  /** @ignore */
  take(
    owner: RequestOwner,
    memory: Uint8Array<ArrayBuffer>,
    length: number = memory.byteLength,
  ): KernelRequest {
    const request = this.#spare.pop() ?? new KernelRequest(this.#onComplete);
    request.owner = owner;
    request.memory = memory;
    request.wanted = length;
    request.length = length;
    return request;
  }

  /** @ignore */
  give(request: KernelRequest): void {
    request.memory = NO_MEMORY;
    if (this.#spare.length < MAX_IN_FLIGHT) this.#spare.push(request);
  }

  /** @ignore */
  push(
    request: KernelRequest,
    connection: number = this.nextConnection,
  ): void {
    request.cancelled = false;
    request.queued = true;
    request.sequence = this.#sequence++;
    request.connection = connection;
    if (this.#closed) {
      queueMicrotask(() => this.#end(request, -Errno.ECANCELED));
      return;
    }
    this.#waiting.push(request);
    if (this.#connection.enabled) this.#aio.schedule(this);
  }

  /** @ignore */
  pushBehind(request: KernelRequest, before: KernelRequest): void {
    request.cancelled = false;
    request.queued = true;
    request.sequence = before.sequence + 0.5;
    request.connection = this.nextConnection;
    this.#waiting.unshift(request);
  }

  /** Adds something that is not a request. */
  run(action: QueuedAction): void {
    if (this.#closed) {
      queueMicrotask(() => action.onEnd(-Errno.ECANCELED));
      return;
    }
    this.#actions.add(action, action.ordered ? this.#sequence++ : -1);
    this.#aio.schedule(this);
  }

  /** Removes an unfinished action; returns whether there was one. */
  forget(action: QueuedAction): boolean {
    const wasWaiting = this.#actions.remove(action);
    if (wasWaiting) this.#aio.schedule(this);
    return wasWaiting;
  }

  /** The host has enabled the endpoint. */
  onEnable(): void {
    this.#knownConnection = this.#connection.enableCount;
    this.#aio.schedule(this);
  }

  /**
   * The connection has ended, and with it the requests that belong to it alone.
   * Some may have been pushed between its end and the event.
   */
  onDisable(): void {
    for (const request of [...this.#waiting, ...this.#returned]) {
      if (request.connection > this.#knownConnection) continue;
      if (request.queued && !request.owner.resumes(request)) {
        this.#remove(request);
        this.#end(request, -Errno.ESHUTDOWN);
      }
    }
  }

  /** @ignore */
  cancel(request: KernelRequest): void {
    if (request.cancelled || !request.queued) return;
    request.cancelled = true;
    if (request.pending) {
      this.#aio.cancel(request);
      return;
    }
    this.#remove(request);
    this.#end(request, -Errno.ECANCELED);
    this.#aio.schedule(this);
  }

  /** Ends all requests with -ECANCELED. Resolves when none is in the kernel. */
  close(): Promise<void> {
    this.#closed = true;
    this.#retry.stop();
    this.#actions.cancelAll();
    for (const request of this.#lastFirst()) this.cancel(request);
    for (const request of [...this.#returned, ...this.#waiting]) {
      this.cancel(request);
    }
    if (this.#flying.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle = resolve);
  }

  /** Submits what may be submitted. Called by the AIO context. */
  pump(): void {
    if (this.#closed) return;
    if (this.#returned.length > 0 && !this.#recover()) return;
    const { enabled, enableCount } = this.#connection;
    if (!enabled || enableCount === this.#lostConnection) return;
    while (!this.#retry.waiting) {
      const waiting = this.#actions.first;
      const next = this.#waiting.at(0);
      if (
        waiting !== undefined &&
        (next === undefined || waiting.sequence < next.sequence)
      ) {
        if (!this.#attempt(waiting.action)) return;
      } else if (next !== undefined && this.#hasRoom(next)) {
        this.#waiting.shift();
        this.#submit(next);
      } else {
        return;
      }
    }
  }

  /** Whether one more may be submitted. A single request always may. */
  #hasRoom(next: KernelRequest): boolean {
    const count = this.#flying.length;
    return count === 0 || count < MAX_IN_FLIGHT &&
        this.#bytesInFlight + next.wanted <= MAX_BYTES_IN_FLIGHT;
  }

  /** Tries an action; returns whether it is out of the way. */
  #attempt(action: QueuedAction): boolean {
    // Its turn comes when all earlier requests have ended, which leads here.
    if (action.ordered && this.#flying.length > 0) return false;
    const result = action.attempt();
    if (result !== -Errno.EAGAIN && result !== -Errno.ESHUTDOWN) {
      this.#actions.remove(action);
      this.#retry.reset();
      action.onEnd(result);
      return true;
    }
    if (!this.#connection.probe()) {
      this.#lostConnection = this.#connection.enableCount;
    } else {
      // Some controllers refuse to halt an endpoint with queued requests.
      this.#callBack();
      this.#retry.later();
    }
    return false;
  }

  #submit(request: KernelRequest): void {
    if (!request.owner.prepare(request)) return this.#end(request, 0);
    request.calledBack = false;
    request.connection = this.#connection.enableCount;
    const { address, length, memory } = request;
    try {
      this.#aio
        .submit(request, this.#opcode, this.#fd, address, length, memory);
    } catch (error) {
      // The whole system has no room for more requests.
      return this.#end(request, error as Error);
    }
    this.#flying.push(request);
    this.#bytesInFlight += length;
  }

  readonly #onComplete = (request: KernelRequest, result: number): void => {
    this.#flying.remove(request);
    this.#bytesInFlight -= request.length;
    if (request.cancelled || this.#closed) {
      this.#end(request, result < 0 ? -Errno.ECANCELED : result);
    } else if (result === -Errno.ESHUTDOWN) {
      const { connection } = request;
      this.#lostConnection = Math.max(this.#lostConnection, connection);
      if (request.owner.resumes(request)) this.#returned.push(request);
      else this.#end(request, result);
    } else if (result === -Errno.EAGAIN) {
      // Disabled before the submission, or the file is locked by another
      // program that reads or writes it synchronously.
      const { enabled, enableCount } = this.#connection;
      const over = !enabled || enableCount > request.connection;
      if (over && !request.owner.resumes(request)) {
        this.#end(request, -Errno.ESHUTDOWN);
      } else {
        this.#refused = true;
        this.#returned.push(request);
      }
    } else if (
      request.calledBack &&
      (result === -Errno.ECONNRESET || result === -Errno.ECANCELED)
    ) {
      this.#returned.push(request);
    } else {
      if (result >= 0) this.#retry.reset();
      this.#end(request, result);
    }
    if (this.#flying.length === 0) this.#onIdle?.();
    if (
      this.#returned.length + this.#waiting.length + this.#actions.size > 0
    ) this.#aio.schedule(this);
  };

  /** An order in which no request reaches the host without those before it. */
  #lastFirst(): KernelRequest[] {
    return this.#flying.slice().reverse();
  }

  /** Calls requests back from the kernel, to submit them again. */
  #callBack(after = -Infinity): void {
    for (const request of this.#lastFirst()) {
      if (request.calledBack || request.sequence < after) continue;
      request.calledBack = true;
      this.#aio.cancel(request);
    }
  }

  /**
   * Puts requests that returned undone in their place, once nothing is in
   * flight; returns whether that is so.
   */
  #recover(): boolean {
    if (this.#flying.length > 0) {
      // These have survived, or their completions are pending. Those before the
      // first one that returned are in place: part of them may have been sent.
      if (
        this.#refused || this.#connection.enableCount > this.#lostConnection
      ) {
        const first = this.#returned
          .reduce((least, each) => Math.min(least, each.sequence), Infinity);
        this.#callBack(first);
      }
      return false;
    }
    this.#waiting = new Fifo(
      [...this.#returned, ...this.#waiting]
        .sort((a, b) => a.sequence - b.sequence),
    );
    this.#returned = [];
    if (!this.#refused) return true;
    this.#refused = false;
    if (this.#connection.probe()) this.#retry.later();
    else this.#lostConnection = this.#connection.enableCount;
    return true;
  }

  #remove(request: KernelRequest): void {
    this.#waiting.remove(request);
    const index = this.#returned.indexOf(request);
    if (index >= 0) this.#returned.splice(index, 1);
  }

  #end(request: KernelRequest, result: number | Error): void {
    request.queued = false;
    request.owner.onEnd(request, result);
  }
}

const NO_MEMORY = new Uint8Array(0);
