/**
 * The kernel requests of one endpoint, in order.
 *
 * Requests wait here while the host has not enabled the endpoint. When the
 * host disables it (reset, SET_CONFIGURATION, SET_INTERFACE, unplug), the
 * kernel ends all that are in flight with ESHUTDOWN; they are put back in
 * order and submitted again once the endpoint is enabled, or end with the
 * connection, as their owner likes.
 *
 * A disable and the next enable can happen within one call in the kernel, and
 * the completions of the disable come a little later, by a work queue. What is
 * submitted in between goes into the new connection and would overtake what
 * the old one has given back. Therefore all completions are looked at right
 * before anything is submitted; and what was submitted too early all the same
 * is called back from the kernel, and put behind those that were before it.
 *
 * @module
 */
import type { AioContext, AioSource } from "../../../ffi/aio/context.ts";
import { Errno } from "../../../ffi/errno.ts";
import type { Connection } from "./connection.ts";
import { Fifo } from "./fifo.ts";
import { InFlight, MAX_REQUESTS_IN_FLIGHT } from "./in_flight.ts";
import {
  ActionQueue,
  type QueuedAction,
  type WaitingAction,
} from "./queued_action.ts";
import { Transfer, type TransferOwner } from "./request.ts";
import { Retry } from "./retry.ts";

/** The requests of one endpoint: those that wait, and those in the kernel. */
export class TransferQueue implements AioSource {
  readonly #aio: AioContext;
  readonly #fd: number;
  readonly #opcode: number;
  readonly #connection: Connection;
  #waiting = new Fifo<Transfer>();
  readonly #actions = new ActionQueue();
  readonly #flying: InFlight;
  /** Those that came back undone, until all that were in flight are back. */
  #returned: Transfer[] = [];
  /** The connection that ended under a request; wait for a later one. */
  #lostConnection = 0;
  /** The connection that the last event has begun. */
  #knownConnection: number;
  /** A request was refused although no connection has ended. */
  #refused = false;
  #sequence = 0;
  readonly #retry: Retry;
  readonly #spare: Transfer[] = [];
  /** @ignore */
  scheduled = false;
  #closed = false;
  #onIdle: (() => void) | undefined;

  /** Makes a queue of reads or writes on an endpoint file. */
  constructor(options: {
    aio: AioContext;
    fd: number;
    opcode: number;
    connection: Connection;
  }) {
    this.#aio = options.aio;
    this.#flying = new InFlight(options.aio);
    this.#fd = options.fd;
    this.#opcode = options.opcode;
    this.#connection = options.connection;
    this.#knownConnection = options.connection.enableCount;
    this.#retry = new Retry(() => this.#aio.schedule(this));
  }

  /** How many transfers wait or are in the kernel. */
  get pending(): number {
    return this.#waiting.length + this.#flying.size + this.#returned.length;
  }

  /** The first connection in which a transfer can go that is pushed now. */
  get nextConnection(): number {
    const { enabled, enableCount } = this.#connection;
    const works = enabled && enableCount > this.#lostConnection;
    return works ? enableCount : enableCount + 1;
  }

  /** A transfer that is not in use, for `memory`. */
  take(
    owner: TransferOwner,
    memory: Uint8Array<ArrayBuffer>,
    length: number = memory.byteLength,
  ): Transfer {
    const transfer = this.#spare.pop() ??
      new Transfer((each, result) => this.#onComplete(each, result));
    transfer.owner = owner;
    transfer.memory = memory;
    transfer.wanted = length;
    transfer.length = length;
    return transfer;
  }

  /** Gives a transfer back that has ended, and that nobody looks at any more. */
  give(transfer: Transfer): void {
    transfer.memory = NO_MEMORY;
    if (this.#spare.length < MAX_REQUESTS_IN_FLIGHT) this.#spare.push(transfer);
  }

  /** The connection that the last event has begun, or ended. */
  get knownConnection(): number {
    return this.#knownConnection;
  }

  /**
   * Adds a transfer at the end. It is submitted at the end of this turn.
   *
   * @param connection The first one that it may belong to.
   */
  push(transfer: Transfer, connection: number = this.nextConnection): void {
    transfer.cancelled = false;
    transfer.queued = true;
    transfer.sequence = this.#sequence++;
    transfer.connection = connection;
    if (this.#closed) {
      queueMicrotask(() => this.#end(transfer, -Errno.ECANCELED));
      return;
    }
    this.#waiting.push(transfer);
    if (this.#connection.enabled) this.#aio.schedule(this);
  }

  /**
   * Adds a transfer right behind one that is just being prepared, before all
   * others that wait.
   */
  pushBehind(transfer: Transfer, before: Transfer): void {
    transfer.cancelled = false;
    transfer.queued = true;
    transfer.sequence = before.sequence + 0.5;
    transfer.connection = this.nextConnection;
    this.#waiting.unshift(transfer);
  }

  /** Adds something that is not a transfer; see {@linkcode QueuedAction}. */
  run(action: QueuedAction): void {
    if (this.#closed) {
      queueMicrotask(() => action.onEnd(-Errno.ECANCELED));
      return;
    }
    this.#actions.add(action, action.ordered ? this.#sequence++ : -1);
    this.#aio.schedule(this);
  }

  /** Takes an action away that was not done yet; tells whether it was there. */
  forget(action: QueuedAction): boolean {
    const wasThere = this.#actions.remove(action);
    if (wasThere) this.#aio.schedule(this);
    return wasThere;
  }

  /** The host has enabled the endpoint. */
  onEnable(): void {
    this.#knownConnection = this.#connection.enableCount;
    this.#aio.schedule(this);
  }

  /**
   * The connection has ended: so do transfers that belong to it alone. Some may
   * have been pushed after its end, and before the event that tells it.
   */
  onDisable(): void {
    for (const transfer of [...this.#waiting, ...this.#returned]) {
      if (transfer.connection > this.#knownConnection) continue;
      if (transfer.queued && !transfer.owner.resumes(transfer)) {
        this.#remove(transfer);
        this.#end(transfer, -Errno.ESHUTDOWN);
      }
    }
  }

  /** Ends a transfer early. Its end is told with -ECANCELED, or its result. */
  cancel(transfer: Transfer): void {
    if (transfer.cancelled || !transfer.queued) return;
    transfer.cancelled = true;
    if (transfer.request.pending) {
      this.#aio.cancel(transfer.request);
      return;
    }
    this.#remove(transfer);
    this.#end(transfer, -Errno.ECANCELED);
    this.#aio.schedule(this);
  }

  /** Ends all transfers with -ECANCELED. Resolves when none is in the kernel. */
  close(): Promise<void> {
    this.#closed = true;
    this.#retry.stop();
    this.#actions.cancelAll();
    for (const transfer of this.#flying.lastFirst) this.cancel(transfer);
    for (const transfer of [...this.#returned, ...this.#waiting]) {
      this.cancel(transfer);
    }
    if (this.#flying.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle = resolve);
  }

  /** Submits what may be submitted. Called by the AIO context. */
  pump(): void {
    if (this.#closed) return;
    if (this.#returned.length > 0) {
      if (!this.#recover()) return;
    }
    const { enabled, enableCount } = this.#connection;
    if (!enabled || enableCount === this.#lostConnection) return;
    while (!this.#retry.waiting) {
      const action = this.#actions.first;
      const next = this.#waiting.at(0);
      if (
        action !== undefined &&
        (next === undefined || action.sequence < next.sequence)
      ) {
        if (!this.#attempt(action)) return;
      } else if (next !== undefined && this.#flying.hasRoom(next)) {
        this.#waiting.shift();
        this.#submit(next);
      } else {
        return;
      }
    }
  }

  /** Tries the first action; tells whether it is out of the way. */
  #attempt({ action }: WaitingAction): boolean {
    // Its turn comes when all before it are done; their ends lead here again.
    if (action.ordered && this.#flying.size > 0) return false;
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
      // Some controllers do not halt an endpoint that has anything queued.
      if (this.#flying.size > 0) this.#flying.callBack();
      this.#retry.later();
    }
    return false;
  }

  #submit(transfer: Transfer): void {
    if (!transfer.owner.prepare(transfer)) return this.#end(transfer, 0);
    transfer.calledBack = false;
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
      return this.#end(transfer, error as Error);
    }
    this.#flying.add(transfer);
  }

  /** The kernel has ended a transfer. */
  #onComplete(transfer: Transfer, result: number): void {
    this.#flying.delete(transfer);
    if (transfer.cancelled || this.#closed) {
      this.#end(transfer, result < 0 ? -Errno.ECANCELED : result);
    } else if (result === -Errno.ESHUTDOWN) {
      const { connection } = transfer;
      this.#lostConnection = Math.max(this.#lostConnection, connection);
      if (transfer.owner.resumes(transfer)) this.#returned.push(transfer);
      else this.#end(transfer, result);
    } else if (result === -Errno.EAGAIN) {
      // Disabled since before the submission, or the file is locked by
      // another program that reads or writes it synchronously.
      const { enabled, enableCount } = this.#connection;
      const over = !enabled || enableCount > transfer.connection;
      if (over && !transfer.owner.resumes(transfer)) {
        this.#end(transfer, -Errno.ESHUTDOWN);
      } else {
        this.#refused = true;
        this.#returned.push(transfer);
      }
    } else if (
      transfer.calledBack &&
      (result === -Errno.ECONNRESET || result === -Errno.ECANCELED)
    ) {
      this.#returned.push(transfer);
    } else {
      if (result >= 0) this.#retry.reset();
      this.#end(transfer, result);
    }
    if (this.#flying.size === 0) this.#onIdle?.();
    if (
      this.#returned.length + this.#waiting.length + this.#actions.size > 0
    ) this.#aio.schedule(this);
  }

  /**
   * Puts back what came back undone, once nothing is in flight any more; tells
   * whether that is so.
   */
  #recover(): boolean {
    if (this.#flying.size > 0) {
      // These have survived, or their ends are on the way. Those before the
      // first one that came back are in their place: part of them may have gone.
      if (
        this.#refused || this.#connection.enableCount > this.#lostConnection
      ) {
        const first = this.#returned
          .reduce((least, each) => Math.min(least, each.sequence), Infinity);
        this.#flying.callBack(first);
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

  #remove(transfer: Transfer): void {
    this.#waiting.remove(transfer);
    const index = this.#returned.indexOf(transfer);
    if (index >= 0) this.#returned.splice(index, 1);
  }

  #end(transfer: Transfer, result: number | Error): void {
    transfer.queued = false;
    transfer.owner.onEnd(transfer, result);
  }
}

const NO_MEMORY = new Uint8Array(0);
