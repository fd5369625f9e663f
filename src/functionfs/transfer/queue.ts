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
  /** A request was refused although no connection has ended. */
  #refused = false;
  /** Doubtful requests that have ended, with their results. */
  #unclear: [KernelRequest, number][] = [];
  #sequence = 0;
  readonly #retry: Retry;
  readonly #spare: KernelRequest[] = [];
  /** @ignore */
  scheduled = false;
  #closed = false;
  /** Resolve when a request is no longer in the kernel. */
  readonly #gone = new Map<KernelRequest, PromiseWithResolvers<void>>();

  /** Makes a queue of reads or writes on an endpoint file. */
  constructor({ aio, fd, opcode, connection }: RequestQueueOptions) {
    this.#aio = aio;
    this.#fd = fd;
    this.#opcode = opcode;
    this.#connection = connection;
    this.#retry = new Retry(() => this.#aio.schedule(this));
  }

  /** @ignore */
  get nextConnection(): number {
    const { enabled, enableCount } = this.#connection;
    const works = enabled && enableCount > this.#lostConnection;
    return works ? enableCount : enableCount + 1;
  }

  /** The number of requests in the kernel. */
  get inKernel(): number {
    return this.#flying.length;
  }

  /** @ignore */
  take(
    owner: RequestOwner,
    memory: Uint8Array<ArrayBuffer>,
    length: number = memory.byteLength,
  ): KernelRequest {
    const request = this.#spare.pop() ?? new KernelRequest(this.#onComplete);
    request.owner = owner;
    request.held = false;
    request.use(memory, length);
    return request;
  }

  /** @ignore */
  give(request: KernelRequest): void {
    request.memory = NO_MEMORY;
    if (this.#spare.length < MAX_IN_FLIGHT) this.#spare.push(request);
  }

  /** @ignore */
  push(request: KernelRequest): void {
    enter(request, this.#sequence++, 0);
    if (this.#closed) {
      queueMicrotask(() => this.#end(request, -Errno.ECANCELED));
      return;
    }
    this.#waiting.push(request);
    if (this.#connection.enabled && !request.held) this.#aio.schedule(this);
  }

  /** @ignore */
  pushBehind(request: KernelRequest, before: KernelRequest): void {
    const { sequence, part } = before;
    enter(request, sequence, part + 1);
    this.#waiting.unshift(request);
  }

  /** @ignore */
  wake(): void {
    this.#aio.schedule(this);
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

  /** Events were read: what waited for them can be submitted. */
  onApply(): void {
    this.#clear();
    if (this.#waiting.length > 0) this.#aio.schedule(this);
  }

  /** The host has enabled the endpoint. */
  onEnable(): void {
    // Submitted before the events of the last connection's end and of this: it
    // would reach the wrong host.
    for (const request of this.#lastFirst()) {
      if (!request.owner.resumes(request)) this.cancel(request);
    }
    this.#aio.schedule(this);
  }

  /** The connection has ended, and with it the requests that belong to it alone. */
  onDisable(): void {
    for (const request of [...this.#waiting, ...this.#returned]) {
      if (!request.queued || request.owner.resumes(request)) continue;
      this.#remove(request);
      this.#end(request, -Errno.ESHUTDOWN);
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
    if (request.doubtful) return; // it has ended: see `#unclear`
    this.#remove(request);
    this.#end(request, cancelCode(request));
    this.#aio.schedule(this);
  }

  /** Ends all requests with -ECANCELED. Resolves when none is in the kernel. */
  close(): Promise<void> {
    this.#closed = true;
    this.#clear();
    this.#retry.stop();
    this.#actions.cancelAll();
    return this.#cancelAll();
  }

  /** Ends all requests with -ECONNRESET. Resolves when none is in the kernel. */
  discard(): Promise<void> {
    const all = [...this.#flying, ...this.#returned, ...this.#waiting];
    for (const request of all) request.discarded = true;
    return this.#cancelAll();
  }

  #cancelAll(): Promise<void> {
    const flying = this.#lastFirst();
    for (const request of flying) {
      if (this.#gone.has(request)) continue;
      this.#gone.set(request, Promise.withResolvers());
    }
    const gone = flying.map((request) => this.#gone.get(request)!.promise);
    for (const request of flying) this.cancel(request);
    for (const request of [...this.#returned, ...this.#waiting]) {
      this.cancel(request);
    }
    return Promise.all(gone).then(() => {});
  }

  /** Submits what may be submitted. Called by the AIO context. */
  pump(): void {
    if (this.#closed) return;
    if (this.#returned.length > 0 && !this.#recover()) return;
    const { enabled, enableCount } = this.#connection;
    if (!enabled || enableCount === this.#lostConnection) return;
    if (this.#waiting.length > 0 && this.#connection.doubtful) return;
    const submitted = this.#flying.length;
    while (!this.#retry.waiting) {
      const waiting = this.#actions.first;
      const next = this.#waiting.at(0);
      if (
        waiting !== undefined &&
        (next === undefined || waiting.sequence < next.sequence)
      ) {
        if (!this.#attempt(waiting.action)) break;
      } else if (next !== undefined && this.#hasRoom(next)) {
        const request = next.open ? this.#more(next) : next;
        if (request === undefined) break;
        if (request === next) this.#waiting.shift();
        this.#submit(request);
      } else {
        break;
      }
    }
    this.#doubt(submitted);
  }

  /**
   * Finds out whether the requests from `index` on may have been submitted after
   * the end of their connection.
   */
  #doubt(index: number): void {
    if (this.#flying.length <= index || !this.#connection.doubtful) return;
    for (const request of this.#flying.slice(index)) request.doubtful = true;
  }

  /** Events were read: the data of doubtful requests is of this connection. */
  #clear(): void {
    for (const request of this.#flying) {
      if (!request.doubtful) continue;
      request.doubtful = false;
      request.connection = this.#connection.enableCount;
    }
    for (const [request, result] of this.#unclear.splice(0)) {
      this.#onComplete(request, result);
    }
  }

  /** Makes the next request of a transfer that is not complete yet. */
  #more(rest: KernelRequest): KernelRequest | undefined {
    const request = rest.owner.more?.(rest);
    if (request !== undefined && request !== rest) {
      enter(request, rest.sequence, rest.part++);
    }
    return request;
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
    request.calledBack = request.doubtful = false;
    request.submittedIn = this.#connection.enableCount;
    request.connection = request.submittedIn;
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
    if (request.doubtful && !this.#closed) {
      this.#unclear.push([request, result]);
      return;
    }
    this.#flying.remove(request);
    this.#bytesInFlight -= request.length;
    if (result >= 0) this.#connection.use();
    if (request.cancelled || this.#closed) {
      this.#end(request, result < 0 ? cancelCode(request) : result);
    } else if (result === -Errno.ESHUTDOWN) {
      const { submittedIn } = request;
      this.#lostConnection = Math.max(this.#lostConnection, submittedIn);
      if (request.owner.resumes(request)) this.#returned.push(request);
      else this.#end(request, result);
    } else if (result === -Errno.EAGAIN) {
      // Disabled before the submission, or the file is locked by another
      // program that reads or writes it synchronously.
      const { enabled, enableCount } = this.#connection;
      const over = !enabled || enableCount > request.submittedIn;
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
    this.#gone.get(request)?.resolve();
    this.#gone.delete(request);
    if (
      this.#returned.length + this.#waiting.length + this.#actions.size > 0
    ) this.#aio.schedule(this);
  };

  /** An order in which no request reaches the host without those before it. */
  #lastFirst(): KernelRequest[] {
    return this.#flying.slice().reverse();
  }

  /**
   * Calls requests back from the kernel, to submit them again: all, or those
   * that do not come before `first`.
   */
  #callBack(first?: KernelRequest): void {
    for (const request of this.#lastFirst()) {
      if (request.calledBack || first && request.compare(first) < 0) continue;
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
        this.#callBack(
          this.#returned.reduce((a, b) => a.compare(b) < 0 ? a : b),
        );
      }
      return false;
    }
    this.#waiting = new Fifo(
      [...this.#returned, ...this.#waiting]
        .sort((a, b) => a.compare(b)),
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

function cancelCode(request: KernelRequest): number {
  return request.discarded ? -Errno.ECONNRESET : -Errno.ECANCELED;
}

/** A request begins to wait. */
function enter(request: KernelRequest, sequence: number, part: number): void {
  request.cancelled = request.discarded = false;
  request.queued = true;
  request.sequence = sequence;
  request.part = part;
}

const NO_MEMORY = new Uint8Array(0);
