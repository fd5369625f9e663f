/**
 * Asynchronous requests on file descriptors, by Linux AIO.
 *
 * All requests of one turn of the event loop go to the kernel in one call.
 * Their completions are read in batches from memory shared with the kernel; see
 * completion_loop.ts for when. One {@linkcode AioContext} serves any number of
 * files.
 *
 * @module
 */
import { Errno, errorOf } from "../errno.ts";
import { lastsAsLongAsProcess } from "../isolate.ts";
import { NativePool } from "../native_memory.ts";
import { type AioLibraryOptions, openAio, setupError } from "./calls.ts";
import { CompletionLoop, type Completions } from "./completion_loop.ts";
import { type AioRequest, AioRing } from "./ring.ts";
import type { AioCalls } from "./system_calls.ts";

/** How to make an {@linkcode AioContext}. */
export interface AioContextOptions extends AioLibraryOptions {
  /**
   * How many requests fit in before it grows.
   * @default {512}
   */
  readonly capacity?: number;
  /**
   * Whether the kernel reads into memory that outlasts this isolate, from which
   * the data is copied; otherwise it reads straight into the caller's. By
   * default true if the isolate can end before the process.
   */
  readonly outlast?: boolean;
}

/**
 * A producer that defers submission until the end of the turn, because it
 * depends on the completions until then.
 */
export interface AioProducer {
  /** Managed by the context: whether {@linkcode pump} is going to be called. */
  scheduled: boolean;
  /** Submits what may be submitted. Must not close the context. */
  pump(): void;
}

/** The kernel frees a ring only after a grace period, so growing should be rare. */
const MAX_RING_CAPACITY = 4096;
const MIN_RING_CAPACITY = 16;

/** A queue of asynchronous requests on any number of files. */
export class AioContext implements AsyncDisposable {
  /** The library of the AIO calls: a soname, a path, or `"syscall"`. */
  readonly library: string;
  readonly #calls: AioCalls;
  readonly #firstCapacity: number;
  readonly #pool: NativePool | undefined;
  readonly #loop: CompletionLoop;
  /** One at first; another is added when all are full. */
  readonly #rings: AioRing[] = [];
  /** Prepared requests that the kernel does not have yet, in order. */
  #queue: AioRequest[] = [];
  /** An unused array, instead of a new one each turn. */
  #spareQueue: AioRequest[] | undefined;
  #producers: AioProducer[] = [];
  /** An unused array, instead of a new one each turn. */
  #spareProducers: AioProducer[] | undefined;
  #flushScheduled = false;
  #draining = false;
  #completed = 0;
  #closed: Promise<void> | undefined;

  /** The kernel's part of the context is made with the first request. */
  constructor(options: AioContextOptions = {}) {
    const { capacity = 512, outlast = !lastsAsLongAsProcess() } = options;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot make an AIO context: its capacity must be a positive integer, is ${capacity}`,
      );
    }
    this.#calls = openAio(options);
    this.library = this.#calls.library;
    this.#firstCapacity = capacity;
    if (outlast) this.#pool = new NativePool();
    this.#loop = new CompletionLoop(this.#completions());
  }

  /** How many requests fit in before the context grows again. */
  get capacity(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.capacity, 0);
  }

  /** How many requests are queued or in the kernel. */
  get pending(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.busySlots, 0);
  }

  /** How many requests have completed. */
  get completed(): number {
    return this.#completed;
  }

  /**
   * Keeps the completion eventfd watched between requests, instead of adding
   * and removing it around each one. Keeps the process alive until
   * {@linkcode release}.
   */
  retain(): void {
    this.#ringWithRoom();
    this.#loop.retain();
  }

  /** Undoes one {@linkcode retain}; resolves when the watch has ended. */
  release(): Promise<void> {
    return this.#loop.release();
  }

  /**
   * Queues a request; it goes to the kernel at the end of this turn.
   *
   * @param request Must not be pending.
   * @param opcode IOCB_CMD_PREAD, IOCB_CMD_PWRITE or IOCB_CMD_POLL.
   * @param address Address of the memory; for a poll, the events to wait for.
   * @param length Bytes of memory.
   * @param owned The memory from `address` on. Kept from garbage collection until
   * the completion.
   * @throws {Error} EAGAIN if the kernel has no room for more requests.
   */
  submit(
    request: AioRequest,
    opcode: number,
    fd: number,
    address: bigint,
    length: number,
    owned: Uint8Array<ArrayBuffer> | undefined,
  ): void {
    if (this.#closed !== undefined) {
      throw errorOf(
        Errno.EBADF,
        "Cannot submit a request: the AIO context is closed",
        { syscall: "io_submit" },
      );
    }
    if (request.pending) {
      throw new TypeError("Cannot submit a request that is pending");
    }
    this.#ringWithRoom()
      .prepare(request, opcode, fd, address, length, owned);
    this.#queue.push(request);
    this.#loop.expect();
    this.#scheduleFlush();
  }

  /**
   * Calls `producer.pump` at the end of this turn: after the completions until
   * then, and before the requests go to the kernel.
   */
  schedule(producer: AioProducer): void {
    if (producer.scheduled) return;
    producer.scheduled = true;
    this.#producers.push(producer);
    this.#scheduleFlush();
  }

  /** Submits all queued requests to the kernel now. */
  flush(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = this.#spareQueue ?? [];
    this.#spareQueue = undefined;
    // Requests of one file may be in several rings; their order is kept.
    for (let from = 0; from < queue.length;) {
      const ring = queue[from].ring!;
      let to = from + 1;
      while (to < queue.length && queue[to].ring === ring) to++;
      ring.submit(queue, from, to);
      from = to;
    }
    queue.length = 0;
    this.#spareQueue = queue;
    this.#loop.submitted();
  }

  /** Handles the completions that the kernel has posted; returns how many. */
  drain(): number {
    return this.#handle(this.#drainRings);
  }

  /**
   * The same, after a wait for one. Does not wait with several busy rings: the
   * kernel waits for one only.
   *
   * @param timeout A `struct timespec`.
   */
  wait(timeout: BigInt64Array<ArrayBuffer>): number {
    const busy = this.#rings.filter((ring) => ring.busySlots > 0);
    if (busy.length !== 1) return this.drain();
    return this.#handle(() => busy[0].wait(timeout));
  }

  /**
   * Cancels a request. It still completes: with -ECANCELED, -ECONNRESET or
   * another error if it was cancelled, or with its result if it was done.
   *
   * @returns Whether it will be cancelled: false if it is not pending, or if
   * the file does not support it.
   */
  cancel(request: AioRequest): boolean {
    const { ring, slot } = request;
    if (ring === undefined || this.#closed !== undefined) return false;
    const queued = this.#queue.indexOf(request);
    if (queued < 0) return ring.cancel(slot);
    this.#queue.splice(queued, 1);
    queueMicrotask(() => {
      if (request.ring === ring && request.slot === slot) {
        ring.finish(slot, -Errno.ECANCELED);
        this.#loop.submitted();
      }
    });
    return true;
  }

  /**
   * Cancels pending requests, and frees the context. Waits for requests that
   * cannot be cancelled. A second call returns the same promise.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Closes the context, see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.flush();
    // Nothing may access the rings once they are being freed.
    await this.#loop.stop();
    await Promise.all(this.#rings.map((ring) => ring.destroy()));
    this.#pool?.clear();
    this.#loop.close();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(this.#endTurn);
  }

  /** Runs at the end of a turn in which something was queued. */
  readonly #endTurn = (): void => {
    if (this.#producers.length > 0 && this.#closed === undefined) {
      this.drain();
      const producers = this.#producers;
      this.#producers = this.#spareProducers ?? [];
      this.#spareProducers = undefined;
      for (const producer of producers) {
        producer.scheduled = false;
        producer.pump();
      }
      producers.length = 0;
      this.#spareProducers = producers;
    }
    this.#flushScheduled = false;
    this.flush();
    this.#loop.lookAtOnce();
    // A producer may have scheduled itself, or another one, again.
    if (this.#producers.length > 0) this.#scheduleFlush();
  };

  readonly #drainRings = (): number => {
    let count = 0;
    for (const ring of this.#rings) count += ring.drain();
    return count;
  };

  #ringWithRoom(): AioRing {
    for (const ring of this.#rings) if (ring.freeSlots > 0) return ring;
    return this.#grow();
  }

  /** Adds a ring with the greatest capacity that the kernel has room for. */
  #grow(): AioRing {
    const last = this.#rings.at(-1);
    let capacity = last === undefined
      ? this.#firstCapacity
      : Math.min(2 * last.capacity, MAX_RING_CAPACITY);
    for (;;) {
      const { counterFd } = this.#loop;
      const ring = AioRing.create(this.#calls, capacity, counterFd, this.#pool);
      if (typeof ring !== "number") {
        this.#rings.push(ring);
        return ring;
      }
      if (ring !== -Errno.EAGAIN || capacity <= MIN_RING_CAPACITY) {
        throw setupError(-ring, capacity, this.pending);
      }
      capacity = Math.max(capacity >> 1, MIN_RING_CAPACITY);
    }
  }

  /** Calls a method that handles completions. Returns how many there were. */
  #handle(completions: () => number): number {
    // A completion that leads here is part of a batch in progress.
    if (this.#draining) return 0;
    this.#draining = true;
    let count = 0;
    try {
      count = completions();
    } finally {
      this.#draining = false;
    }
    this.#completed += count;
    return count;
  }

  #completions(): Completions {
    const rings = this.#rings;
    return {
      get busy() {
        for (const ring of rings) if (ring.busySlots > 0) return true;
        return false;
      },
      drain: () => this.drain(),
      wait: (timeout) => this.wait(timeout),
    };
  }
}
