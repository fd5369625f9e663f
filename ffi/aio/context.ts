/**
 * Asynchronous reads and writes on file descriptors, by Linux AIO.
 *
 * All requests of a turn of the event loop go to the kernel in one call. Their
 * ends are read in batches from memory that the kernel shares, and while they
 * follow each other closely they are looked for at each turn; after a pause, an
 * eventfd wakes the reactor's poll. One {@linkcode AioContext} serves any number of files.
 *
 * @module
 */
import { IOCB_CMD_POLL, IOCB_CMD_PREAD, IOCB_CMD_PWRITE } from "../abi.ts";
import { AioRequest } from "./ring.ts";
import { AioRings } from "./rings.ts";
import { CompletionLoop } from "./completion_loop.ts";
import { Errno, errorOf, type FailedCall, systemError } from "../errno.ts";
import { lastsAsLongAsProcess } from "../isolate.ts";
import { type AioLibraryOptions, openAio } from "./calls.ts";
import { addressOf } from "../memory.ts";

export { AioRequest } from "./ring.ts";

/** How to make an {@linkcode AioContext}. */
export interface AioContextOptions extends AioLibraryOptions {
  /**
   * How many requests it holds before it grows.
   * @default {512}
   */
  readonly capacity?: number;
  /**
   * Whether the kernel reads into memory that outlasts this isolate, from which
   * the data is copied; otherwise it reads straight into the caller's.
   * @default {whether the isolate can end before the process}
   */
  readonly outlast?: boolean;
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

/** A queue of asynchronous requests on any number of files. */
export class AioContext implements AsyncDisposable {
  /** Where the AIO calls come from: a soname, a path, or `"syscall"`. */
  readonly source: string;
  readonly #rings: AioRings;
  readonly #loop: CompletionLoop;
  /** Prepared, and not yet with the kernel, in order. */
  #queue: AioRequest[] = [];
  /** An array that is not in use, in place of a new one each turn. */
  #spareQueue: AioRequest[] | undefined;
  #sources: AioSource[] = [];
  /** An array that is not in use, in place of a new one each turn. */
  #spareSources: AioSource[] | undefined;
  #flushScheduled = false;
  #closed: Promise<void> | undefined;

  /** Makes a context. The kernel's part of it is made with the first request. */
  constructor(options: AioContextOptions = {}) {
    const { capacity = 512, outlast = !lastsAsLongAsProcess() } = options;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot make an AIO context: its capacity must be a positive integer, is ${capacity}`,
      );
    }
    const calls = openAio(options);
    this.source = calls.source;
    const counterFd = () => this.#loop.counterFd;
    this.#rings = new AioRings(calls, capacity, counterFd, outlast);
    this.#loop = new CompletionLoop(this.#rings);
  }

  /** How many requests fit in before the context grows again. */
  get capacity(): number {
    return this.#rings.capacity;
  }

  /** How many requests are queued or in the kernel. */
  get pending(): number {
    return this.#rings.pending;
  }

  /**
   * Keeps the completion eventfd watched between requests, which would
   * otherwise be added and taken away around each one. Keeps the process alive
   * until {@linkcode release}.
   */
  retain(): void {
    this.#rings.withRoom();
    this.#loop.retain();
  }

  /** Takes one {@linkcode retain} back; resolves when nothing waits any more. */
  release(): Promise<void> {
    return this.#loop.release();
  }

  /**
   * Queues a request; it goes to the kernel at the end of this turn.
   *
   * @param request Told about the end. Must not be pending.
   * @param opcode IOCB_CMD_PREAD, IOCB_CMD_PWRITE or IOCB_CMD_POLL.
   * @param fd The file.
   * @param address Where the memory begins; for a poll, the bits to wait for.
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
    this.#rings.withRoom()
      .prepare(request, opcode, fd, address, length, owned);
    this.#queue.push(request);
    this.#loop.expect();
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
      this.#rings.drain();
      const sources = this.#sources;
      this.#sources = this.#spareSources ?? [];
      this.#spareSources = undefined;
      for (const source of sources) {
        source.scheduled = false;
        source.pump();
      }
      sources.length = 0;
      this.#spareSources = sources;
    }
    this.#flushScheduled = false;
    this.flush();
    this.#loop.lookAtOnce();
    // One source's turn may have been another one's, too.
    if (this.#sources.length > 0) this.#scheduleFlush();
  };

  /** Hands all queued requests to the kernel now. */
  flush(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = this.#spareQueue ?? [];
    this.#spareQueue = undefined;
    this.#rings.submit(queue);
    queue.length = 0;
    this.#spareQueue = queue;
    this.#loop.submitted();
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
        this.#loop.submitted();
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
    await this.#loop.stop();
    await this.#rings.destroy();
    this.#loop.close();
  }
}
