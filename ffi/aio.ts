/**
 * Asynchronous reads and writes on file descriptors, by Linux AIO.
 *
 * All requests of a turn of the event loop go to the kernel in one call. All
 * completions are told by one eventfd, which the reactor watches, and are
 * taken in batches. One {@linkcode AioContext} serves any number of files.
 *
 * @module
 */
import {
  IOCB_CMD_POLL,
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
  POLLIN,
} from "./abi.ts";
import { AioRequest, AioRing } from "./aio_ring.ts";
import { CompletionSignal } from "./completion_signal.ts";
import { Errno, type FailedCall, systemError } from "./errno.ts";
import { exists, readTextFile } from "./file.ts";
import { type AioCalls, type AioLibraryOptions, openAio } from "./libaio.ts";
import { addressOf } from "./memory.ts";
import { Patience } from "./patience.ts";
import { type Watch, watch } from "./reactor.ts";

export { AioRequest } from "./aio_ring.ts";

/** How to make an {@linkcode AioContext}. */
export interface AioContextOptions extends AioLibraryOptions {
  /**
   * How many requests it holds before it grows.
   * @default {512}
   */
  readonly capacity?: number;
}

/** How to run one request that returns a promise. */
export interface AioCallOptions {
  /** Cancels the request in the kernel; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Somebody who holds requests back until the end of a turn, because what has
 * completed by then decides whether they may go.
 */
export interface AioSource {
  /** Kept by the context: whether {@linkcode pump} is going to be called. */
  scheduled: boolean;
  /** Submits what may be submitted. May not close the context. */
  pump(): void;
}

/** Batches of completions that one turn of the event loop may tell. */
const MOST_LOOKS_AT_ONCE = 8;

/** The kernel frees a context only after a grace period: growing is rare. */
const MAX_RING_CAPACITY = 4096;
const MIN_RING_CAPACITY = 16;

/** A queue of asynchronous requests on any number of files. */
export class AioContext implements AsyncDisposable {
  readonly #calls: AioCalls;
  readonly #firstCapacity: number;
  readonly #rings: AioRing[] = [];
  /** Prepared, and not yet with the kernel, in order. */
  #queue: AioRequest[] = [];
  /** An array that is not in use, in place of a new one each turn. */
  #spareQueue: AioRequest[] | undefined;
  #sources: AioSource[] = [];
  /** An array that is not in use, in place of a new one each turn. */
  #spareSources: AioSource[] = [];
  #flushScheduled = false;
  #draining = false;
  #signal: CompletionSignal | undefined;
  readonly #patience = new Patience();
  /** While it looks for completions itself: the next look. */
  #nextLook: Immediate | undefined;
  /** How often it has looked in this turn of the event loop. */
  #looksAtOnce = 0;
  #watch: Watch | undefined;
  #holders = 0;
  #closed: Promise<void> | undefined;

  /** Makes a context. The kernel's part of it is made with the first request. */
  constructor(options: AioContextOptions = {}) {
    const { capacity = 512 } = options;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot make an AIO context: its capacity must be a positive integer, is ${capacity}`,
      );
    }
    this.#firstCapacity = capacity;
    this.#calls = openAio(options);
  }

  /** Where the AIO calls come from: a soname, a path, or `"syscall"`. */
  get source(): string {
    return this.#calls.source;
  }

  /** How many requests fit in before the context grows again. */
  get capacity(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.capacity, 0);
  }

  /** How many requests are queued or in the kernel. */
  get pending(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.busySlots, 0);
  }

  /**
   * Keeps the completion eventfd watched between requests, which would
   * otherwise be added and taken away around each one. Keeps the process alive
   * until {@linkcode release}.
   */
  retain(): void {
    this.#ringWithRoom();
    this.#holders++;
    this.#updateWatch();
  }

  /** Takes one {@linkcode retain} back; resolves when nothing waits any more. */
  async release(): Promise<void> {
    this.#holders--;
    await this.#updateWatch();
  }

  /**
   * Queues a request; it goes to the kernel at the end of this turn.
   *
   * @param request Told about the end. Must not be pending.
   * @param opcode IOCB_CMD_PREAD, IOCB_CMD_PWRITE or IOCB_CMD_POLL.
   * @param fd The file.
   * @param address Where the memory begins; for a poll, the bits to wait for.
   * @param length Bytes of memory.
   * @param owned Kept from garbage collection until the completion: the memory.
   * @throws {Error} EAGAIN if the kernel has no room for more requests.
   */
  submit(
    request: AioRequest,
    opcode: number,
    fd: number,
    address: bigint,
    length: number,
    owned: unknown,
  ): void {
    if (this.#closed !== undefined) {
      throw new Deno.errors.BadResource(
        "Cannot submit a request: the AIO context is closed",
      );
    }
    if (request.pending) {
      throw new TypeError("Cannot submit a request that is pending");
    }
    this.#ringWithRoom().prepare(request, opcode, fd, address, length, owned);
    this.#queue.push(request);
    if (this.#watch === undefined) this.#updateWatch();
    this.#scheduleFlush();
  }

  /**
   * Calls `source.pump` at the end of this turn: after all completions that
   * the kernel has by then were told, and before the requests go to it.
   */
  schedule(source: AioSource): void {
    if (source.scheduled) return;
    source.scheduled = true;
    this.#sources.push(source);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(this.#endTurn);
  }

  /** Runs when a turn is over in which something was queued. */
  readonly #endTurn = (): void => {
    if (this.#sources.length > 0 && this.#closed === undefined) {
      this.#drain();
      const sources = this.#sources;
      this.#sources = this.#spareSources;
      for (const source of sources) {
        source.scheduled = false;
        source.pump();
      }
      sources.length = 0;
      this.#spareSources = sources;
    }
    this.#flushScheduled = false;
    this.flush();
    this.#lookAtOnce();
    // One source's turn may have been another one's, too.
    if (this.#sources.length > 0) this.#scheduleFlush();
  };

  /** Hands all queued requests to the kernel now. */
  flush(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = this.#spareQueue ?? [];
    this.#spareQueue = undefined;
    // Requests of one file may lie in several rings; their order is kept.
    for (let from = 0; from < queue.length;) {
      const ring = queue[from].ring!;
      let to = from + 1;
      while (to < queue.length && queue[to].ring === ring) to++;
      ring.submit(queue, from, to);
      from = to;
    }
    queue.length = 0;
    this.#spareQueue = queue;
    this.#updateWatch();
    if (this.#nextLook === undefined && this.#patience.left) this.#look();
  }

  /**
   * Asks for the end of a request. Its end is still told as always: with
   * -ECONNRESET or another error if it was cancelled, with its result if it
   * was quicker.
   *
   * @returns Whether it will be cancelled: false if it is not pending, or if
   * the file has no way to cancel.
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
        this.#updateWatch();
      }
    });
    return true;
  }

  /**
   * Reads into `buffer`, which belongs to the kernel until the promise settles.
   *
   * @returns How many bytes came.
   */
  read(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    options: AioCallOptions = {},
  ): Promise<number> {
    return this.#run(IOCB_CMD_PREAD, fd, buffer, options, {
      action: "read asynchronously",
      syscall: "io_submit",
    });
  }

  /**
   * Writes `bytes`, which must not change until the promise settles.
   *
   * @returns How many bytes were taken.
   */
  write(
    fd: number,
    bytes: Uint8Array<ArrayBuffer>,
    options: AioCallOptions = {},
  ): Promise<number> {
    return this.#run(IOCB_CMD_PWRITE, fd, bytes, options, {
      action: "write asynchronously",
      syscall: "io_submit",
    });
  }

  /**
   * Waits once until a file is ready.
   *
   * @param events POLLIN, POLLOUT or both.
   * @returns The bits that are set.
   */
  poll(
    fd: number,
    events: number,
    options: AioCallOptions = {},
  ): Promise<number> {
    return this.#run(IOCB_CMD_POLL, fd, events, options, {
      action: "wait for a file",
      syscall: "io_submit",
    });
  }

  #run(
    opcode: number,
    fd: number,
    memory: Uint8Array<ArrayBuffer> | number,
    { signal }: AioCallOptions,
    call: FailedCall,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request = new AioRequest((result) => {
        signal?.removeEventListener("abort", abort);
        // A cancelled poll completes with no bits instead of an error.
        if (result === 0 && opcode === IOCB_CMD_POLL) {
          result = -Errno.ECANCELED;
        }
        if (result >= 0) resolve(result);
        else if (signal?.aborted) reject(signal.reason);
        else reject(systemError(-result, call));
      });
      const abort = () => this.cancel(request);
      if (typeof memory === "number") {
        this.submit(request, opcode, fd, BigInt(memory), 0, undefined);
      } else {
        const address = addressOf(memory);
        this.submit(request, opcode, fd, address, memory.byteLength, memory);
      }
      signal?.addEventListener("abort", abort);
    });
  }

  /**
   * Cancels what is pending, and frees the context. Requests that cannot be
   * cancelled are waited for. A second call returns the same promise.
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
    // Nothing may look into the rings any more once they are being freed.
    if (this.#nextLook !== undefined) clearImmediate(this.#nextLook);
    this.#nextLook = undefined;
    await this.#watch?.stop();
    await Promise.all(this.#rings.map((ring) => ring.destroy()));
    this.#signal?.close();
  }

  /** Watches the eventfd while requests are pending or somebody asks for it. */
  #updateWatch(): Promise<void> | undefined {
    if (this.#closed !== undefined) return undefined;
    const wanted = this.#holders > 0 || this.#busy();
    if (wanted && this.#watch === undefined) {
      const signal = this.#signal!;
      this.#watch = watch(signal.watchFd, POLLIN, () => this.#onEvent());
      if (this.#nextLook === undefined) signal.arm();
    } else if (!wanted && this.#watch !== undefined) {
      const stopped = this.#watch.stop();
      this.#watch = undefined;
      return stopped;
    }
    return undefined;
  }

  #busy(): boolean {
    for (const ring of this.#rings) if (ring.busySlots > 0) return true;
    return false;
  }

  /** The signal has woken the parked poll. */
  #onEvent(): void {
    if (this.#closed !== undefined) return;
    this.#looksAtOnce = 0;
    this.#patience.wake();
    if (this.#patience.left) this.#look();
    else this.#signal!.clear();
    this.#drain();
    if (this.#holders === 0) this.#updateWatch();
  }

  /** Looks for completions in the coming turns, in place of the parked poll. */
  #look(): void {
    this.#signal!.disarm();
    this.#nextLook ??= setImmediate(this.#onLook);
  }

  readonly #onLook = (): void => {
    this.#nextLook = undefined;
    this.#looksAtOnce = 0;
    if (this.#closed !== undefined) return;
    if (this.#drain() > 0) {
      this.#patience.success();
    } else if (!this.#busy() || !this.#waitBriefly()) {
      return this.#park();
    }
    if (this.#holders === 0) this.#updateWatch();
    this.#nextLook ??= setImmediate(this.#onLook);
  };

  /**
   * Copying large writes takes the kernel so long that meanwhile others have
   * completed: their ends need not wait for the next turn of the event loop.
   * That has its turn all the same after a few times.
   */
  #lookAtOnce(): void {
    if (this.#looksAtOnce >= MOST_LOOKS_AT_ONCE) return;
    if (this.#closed !== undefined || this.#drain() === 0) return;
    this.#looksAtOnce++;
    this.#patience.success();
  }

  /** Waits where that is worth it; tells whether to look again. */
  #waitBriefly(): boolean {
    if (!this.#patience.left) return false;
    // A wait is for one ring. With more of them it is only a look.
    const ring = this.#onlyBusyRing();
    let count = 0;
    this.#draining = true;
    try {
      if (ring !== undefined) count = ring.wait(this.#patience.timeout);
    } finally {
      this.#draining = false;
    }
    if (count > 0) this.#patience.success();
    else this.#patience.failure();
    return true;
  }

  #onlyBusyRing(): AioRing | undefined {
    let only: AioRing | undefined;
    for (const ring of this.#rings) {
      if (ring.busySlots === 0) continue;
      if (only !== undefined) return undefined;
      only = ring;
    }
    return only;
  }

  /** Leaves the waiting to the parked poll. */
  #park(): void {
    this.#patience.park();
    this.#updateWatch();
    if (this.#watch === undefined) return;
    this.#signal!.arm();
    // What has completed before that wakes nobody.
    if (this.#drain() > 0) this.#look();
  }

  /** Tells all completions that are there; returns how many. */
  #drain(): number {
    if (this.#draining) return 0;
    this.#draining = true;
    let count = 0;
    try {
      for (const ring of this.#rings) count += ring.drain();
    } finally {
      this.#draining = false;
    }
    return count;
  }

  #ringWithRoom(): AioRing {
    for (const ring of this.#rings) if (ring.freeSlots > 0) return ring;
    const { counterFd } = this.#signal ??= new CompletionSignal();
    const last = this.#rings.at(-1);
    let capacity = last === undefined
      ? this.#firstCapacity
      : Math.min(2 * last.capacity, MAX_RING_CAPACITY);
    for (;;) {
      const ring = AioRing.create(this.#calls, capacity, counterFd);
      if (typeof ring !== "number") {
        this.#rings.push(ring);
        return ring;
      }
      // Less than wished for is better than nothing.
      if (ring === -Errno.EAGAIN && capacity > MIN_RING_CAPACITY) {
        capacity = Math.max(capacity >> 1, MIN_RING_CAPACITY);
        continue;
      }
      throw setupError(-ring, capacity, this.pending);
    }
  }
}

/** What `setImmediate` returns; its name differs between type libraries. */
type Immediate = ReturnType<typeof setImmediate>;

const AIO_NR = "/proc/sys/fs/aio-nr";
const AIO_MAX_NR = "/proc/sys/fs/aio-max-nr";

function setupError(errno: number, capacity: number, pending: number): Error {
  const call = {
    action:
      `make room for ${capacity} asynchronous requests beside ${pending} pending ones`,
    syscall: "io_setup",
  };
  if (errno !== Errno.EAGAIN || !exists(AIO_MAX_NR)) {
    return systemError(errno, call);
  }
  const used = readTextFile(AIO_NR);
  const limit = readTextFile(AIO_MAX_NR);
  return systemError(errno, {
    ...call,
    hint: `all processes together use ${used} of ${limit} (${AIO_MAX_NR}); ` +
      `raise the limit with "sysctl -w fs.aio-max-nr=${2 * Number(limit)}"`,
  });
}
