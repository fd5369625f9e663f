/**
 * One kernel AIO context with a fixed number of slots.
 *
 * Memory layout of a request (`struct iocb`, linux/aio_abi.h, 64 bytes):
 *
 * | at | field     | here                                          |
 * | -- | --------- | --------------------------------------------- |
 * | 0  | u64 data  | slot number, comes back with the completion   |
 * | 16 | u16 opcode|                                               |
 * | 20 | u32 fildes|                                               |
 * | 24 | u64 buf   | address, or poll bits for IOCB_CMD_POLL       |
 * | 32 | u64 nbytes|                                               |
 * | 40 | s64 offset|                                               |
 * | 56 | u32 flags | IOCB_FLAG_RESFD                               |
 * | 60 | u32 resfd | the eventfd that counts completions           |
 *
 * @module
 */
import {
  IO_EVENT_SIZE,
  IOCB_CMD_PREAD,
  IOCB_FLAG_RESFD,
  IOCB_SIZE,
} from "../abi.ts";
import { CompletionRing } from "./completion_ring.ts";
import { Errno } from "../errno.ts";
import { libc } from "../libc.ts";
import { copyOut, type NativePool } from "../native_memory.ts";
import { type AioCalls, destroyContext } from "./system_calls.ts";

/**
 * A read, a write or a poll. After its completion the same object may be
 * submitted again, so that a steady flow of requests allocates nothing.
 */
export class AioRequest {
  /** The ring that holds it while it is queued or in the kernel. */
  ring: AioRing | undefined;
  /** Its slot there. */
  slot = -1;
  /**
   * Called once per submission, with a count or a negative error number. Until
   * then, the memory belongs to the kernel.
   */
  readonly onComplete: (result: number) => void;

  /** Makes a request that calls `onComplete` when it has completed. */
  constructor(onComplete: (result: number) => void) {
    this.onComplete = onComplete;
  }

  /** Whether it is queued or in the kernel. */
  get pending(): boolean {
    return this.ring !== undefined;
  }
}

/** The most requests or completions per call. */
const MAX_BATCH = 256;

/** The batch sizes: creating a BigInt costs more than a lookup. */
const COUNTS = Array.from({ length: MAX_BATCH + 1 }, (_, n) => BigInt(n));

const NO_TIME = new BigInt64Array(2); // struct timespec

/** One kernel AIO context: its slots, and the calls on them. */
export class AioRing {
  readonly capacity: number;
  readonly #calls: AioCalls;
  readonly #context: Deno.PointerObject;
  readonly #iocbs: ArrayBuffer;
  readonly #u16: Uint16Array;
  readonly #u32: Uint32Array;
  readonly #u64: BigUint64Array;
  /** The address of each slot's iocb. */
  readonly #addresses: bigint[];
  readonly #requests: (AioRequest | undefined)[];
  /** What must stay alive until the slot completes. */
  readonly #owned: (Uint8Array<ArrayBuffer> | undefined)[];
  /** Memory for reads instead of their owners' memory. */
  readonly #pool: NativePool | undefined;
  readonly #free: number[];
  readonly #batch = new BigUint64Array(MAX_BATCH);
  /** Shows completions without a call. */
  readonly #completions: CompletionRing | undefined;
  /** Pairs of slot and result. */
  readonly #ended = new Int32Array(2 * MAX_BATCH);
  readonly #events = new Int32Array(MAX_BATCH * IO_EVENT_SIZE / 4);
  readonly #cancelEvent = new Uint8Array(IO_EVENT_SIZE);

  private constructor(
    calls: AioCalls,
    context: Deno.PointerObject,
    capacity: number,
    eventFd: number,
    pool: NativePool | undefined,
  ) {
    this.capacity = capacity;
    this.#calls = calls;
    this.#pool = pool;
    this.#context = context;
    this.#completions = CompletionRing.of(context);
    if (pool !== undefined && this.#completions !== undefined) {
      this.#completions.owner = libc().gettid();
    }
    this.#iocbs = new ArrayBuffer(capacity * IOCB_SIZE);
    this.#u16 = new Uint16Array(this.#iocbs);
    this.#u32 = new Uint32Array(this.#iocbs);
    this.#u64 = new BigUint64Array(this.#iocbs);
    const base = Deno.UnsafePointer.value(
      Deno.UnsafePointer.of(new Uint8Array(this.#iocbs)),
    );
    this.#addresses = [];
    this.#free = [];
    for (let slot = 0; slot < capacity; slot++) {
      this.#addresses.push(base + BigInt(slot * IOCB_SIZE));
      this.#free.push(capacity - 1 - slot);
      this.#u32[slot * 16] = slot;
      this.#u32[slot * 16 + 14] = IOCB_FLAG_RESFD;
      this.#u32[slot * 16 + 15] = eventFd;
    }
    this.#requests = new Array(capacity).fill(undefined);
    this.#owned = new Array(capacity).fill(undefined);
  }

  /**
   * Makes a context for `capacity` requests, whose completions are counted on
   * `eventFd`. Returns a negative error number if the kernel refuses.
   *
   * @param pool What the kernel reads into before the data is copied to the
   * memory of the request; `undefined` to read straight into that memory.
   */
  static create(
    calls: AioCalls,
    capacity: number,
    eventFd: number,
    pool: NativePool | undefined,
  ): AioRing | number {
    const context = new BigUint64Array(1);
    const result = calls.setup(capacity, context);
    if (result < 0) return result;
    const pointer = Deno.UnsafePointer.create(context[0]);
    if (pointer === null) return -Errno.EFAULT;
    return new AioRing(calls, pointer, capacity, eventFd, pool);
  }

  /** How many requests could be prepared now. */
  get freeSlots(): number {
    return this.#free.length;
  }

  /** How many requests are prepared or in the kernel. */
  get busySlots(): number {
    return this.capacity - this.#free.length;
  }

  /**
   * Puts a request into a free slot. There must be one.
   *
   * @param address Address of the memory, or the poll bits.
   * @param owned The memory, which must not be collected before the completion.
   */
  prepare(
    request: AioRequest,
    opcode: number,
    fd: number,
    address: bigint,
    length: number,
    owned: Uint8Array<ArrayBuffer> | undefined,
  ): void {
    // The kernel copies written data at once, but reads until the completion.
    if (this.#pool !== undefined && opcode === IOCB_CMD_PREAD) {
      address = this.#pool.take(length);
    }
    const slot = this.#free.pop()!;
    this.#u16[slot * 32 + 8] = opcode;
    this.#u32[slot * 16 + 5] = fd;
    this.#u64[slot * 8 + 3] = address;
    this.#u32[slot * 16 + 8] = length;
    this.#requests[slot] = request;
    this.#owned[slot] = owned;
    request.ring = this;
    request.slot = slot;
  }

  /**
   * Submits prepared requests to the kernel, in order, in as few calls as
   * possible. A refused request completes with its error; those behind it are
   * submitted anyway.
   */
  submit(requests: readonly AioRequest[], from: number, to: number): void {
    while (from < to) {
      const count = Math.min(to - from, MAX_BATCH);
      for (let index = 0; index < count; index++) {
        this.#batch[index] = this.#addresses[requests[from + index].slot];
      }
      const result = this.#calls.submit(
        this.#context,
        COUNTS[count],
        this.#batch,
      );
      if (result > 0) {
        from += result;
      } else {
        // The first one is invalid. The slots rule out a full context.
        const error = result === 0 ? -Errno.EAGAIN : result;
        this.finish(requests[from++].slot, error);
      }
    }
  }

  /** Cancels a submitted request; returns whether the kernel accepts that. */
  cancel(slot: number): boolean {
    const result = this.#calls.cancel(
      this.#context,
      Deno.UnsafePointer.create(this.#addresses[slot])!,
      this.#cancelEvent,
    );
    // EINPROGRESS is success: the event arrives through the ring.
    return result === -Errno.EINPROGRESS;
  }

  /** Frees a slot and completes its request. */
  finish(slot: number, result: number): void {
    const request = this.#requests[slot]!;
    if (this.#pool !== undefined) this.#takeFrom(this.#pool, slot, result);
    this.#requests[slot] = undefined;
    this.#owned[slot] = undefined;
    this.#free.push(slot);
    request.ring = undefined;
    request.slot = -1;
    request.onComplete(result);
  }

  /** Copies the data of a read to the memory of its request. */
  #takeFrom(pool: NativePool, slot: number, result: number): void {
    if (this.#u16[slot * 32 + 8] !== IOCB_CMD_PREAD) return;
    const block = this.#u64[slot * 8 + 3];
    const owned = this.#owned[slot]!;
    // If the memory has been transferred, the data is not wanted.
    if (result > 0 && result <= owned.byteLength) {
      copyOut(block, owned, result);
    }
    pool.give(block, this.#u32[slot * 16 + 8]);
  }

  /** Handles all completions that have arrived; returns how many. */
  drain(): number {
    let total = 0;
    while (this.busySlots > 0) {
      const count = this.#completions === undefined
        ? this.#getEvents(NO_TIME)
        : this.#completions.take(this.#ended);
      this.#finishEnded(count);
      total += count;
      if (count < MAX_BATCH) break;
    }
    return total;
  }

  /**
   * Waits for a completion, and handles all that have arrived by then.
   *
   * @param timeout A `struct timespec`.
   * @returns The number of completions.
   */
  wait(timeout: BigInt64Array<ArrayBuffer>): number {
    const count = this.#getEvents(timeout);
    this.#finishEnded(count);
    return count;
  }

  /** Puts completions into `#ended`; returns how many. */
  #getEvents(timeout: BigInt64Array<ArrayBuffer>): number {
    const count = this.#calls.getEvents(
      this.#context,
      COUNTS[MAX_BATCH],
      this.#events,
      timeout,
    );
    for (let index = 0; index < count; index++) {
      // struct io_event: u64 data, u64 obj, s64 res, s64 res2
      const at = index * (IO_EVENT_SIZE / 4);
      this.#ended[2 * index] = this.#events[at];
      this.#ended[2 * index + 1] = this.#events[at + 4];
    }
    // -EINTR: a signal arrived before the first one.
    return Math.max(count, 0);
  }

  #finishEnded(count: number): void {
    const ended = this.#ended;
    for (let index = 0; index < count; index++) {
      this.finish(ended[2 * index], ended[2 * index + 1]);
    }
  }

  /**
   * Frees the context. Waits in the kernel until nothing is in flight, and
   * completes what was with -ECANCELED. Call no other method after it.
   */
  async destroy(): Promise<void> {
    this.#completions?.detach();
    await destroyContext(this.#context);
    for (let slot = 0; slot < this.capacity; slot++) {
      if (this.#requests[slot] !== undefined) {
        this.finish(slot, -Errno.ECANCELED);
      }
    }
  }
}
