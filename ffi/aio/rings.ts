/**
 * The kernel contexts of one {@linkcode AioContext}: one at first, and further
 * ones when that is full.
 *
 * @module
 */
import { type AioRequest, AioRing } from "./ring.ts";
import { Errno, systemError } from "../errno.ts";
import { exists, readTextFile } from "../file.ts";
import type { AioCalls } from "./calls.ts";
import { NativePool } from "../native_memory.ts";

/** The kernel frees a context only after a grace period: growing is rare. */
const MAX_RING_CAPACITY = 4096;
const MIN_RING_CAPACITY = 16;

/** A growing number of rings. */
export class AioRings {
  readonly #calls: AioCalls;
  readonly #firstCapacity: number;
  readonly #counterFd: () => number;
  readonly #pool: NativePool | undefined;
  readonly #rings: AioRing[] = [];
  #draining = false;

  /**
   * @param calls The AIO calls.
   * @param firstCapacity How many requests the first ring holds.
   * @param counterFd The eventfd that the kernel counts completions on; asked
   * for with the first ring.
   * @param outlast Whether memory that the kernel reads into is to outlast the
   * isolate; see {@linkcode AioContextOptions.outlast}.
   */
  constructor(
    calls: AioCalls,
    firstCapacity: number,
    counterFd: () => number,
    outlast: boolean,
  ) {
    this.#calls = calls;
    this.#firstCapacity = firstCapacity;
    this.#counterFd = counterFd;
    if (outlast) this.#pool = new NativePool();
  }

  /** How many requests fit in before another ring is made. */
  get capacity(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.capacity, 0);
  }

  /** How many requests are prepared or in the kernel. */
  get pending(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.busySlots, 0);
  }

  /** Whether any are. */
  get busy(): boolean {
    for (const ring of this.#rings) if (ring.busySlots > 0) return true;
    return false;
  }

  /**
   * A ring with a free slot.
   *
   * @throws {Error} EAGAIN if the kernel has no room for more requests.
   */
  withRoom(): AioRing {
    for (const ring of this.#rings) if (ring.freeSlots > 0) return ring;
    const last = this.#rings.at(-1);
    let capacity = last === undefined
      ? this.#firstCapacity
      : Math.min(2 * last.capacity, MAX_RING_CAPACITY);
    for (;;) {
      const ring = AioRing.create(
        this.#calls,
        capacity,
        this.#counterFd(),
        this.#pool,
      );
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

  /** Hands prepared requests to the kernel, in their order. */
  submit(requests: readonly AioRequest[]): void {
    // Requests of one file may lie in several rings; their order is kept.
    for (let from = 0; from < requests.length;) {
      const ring = requests[from].ring!;
      let to = from + 1;
      while (to < requests.length && requests[to].ring === ring) to++;
      ring.submit(requests, from, to);
      from = to;
    }
  }

  /** Tells all completions that are there; returns how many. */
  drain(): number {
    // A completion that leads here tells the others by itself.
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

  /**
   * Waits for a completion, and tells what has come by then. With more than one
   * busy ring it does not wait: the kernel can wait for one only.
   *
   * @param timeout A `struct timespec`.
   * @returns How many completions.
   */
  wait(timeout: BigInt64Array<ArrayBuffer>): number {
    const ring = this.#onlyBusyRing();
    if (ring === undefined) return this.drain();
    this.#draining = true;
    try {
      return ring.wait(timeout);
    } finally {
      this.#draining = false;
    }
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

  /** Frees all rings, when nothing is in the kernel any more. */
  async destroy(): Promise<void> {
    await Promise.all(this.#rings.map((ring) => ring.destroy()));
    this.#pool?.clear();
  }
}

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
