/**
 * Memory that devices share with this program.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import {
  allocateFromHeap,
  type CpuAccessMode,
  createUdmabuf,
  dmabufInfo,
  duplicate,
  idleEvent,
  isIdle,
  syncForCpu,
} from "../../../ffi/dmabuf.ts";
import { close } from "../../../ffi/file.ts";
import { type Mapping, mmap } from "../../../ffi/memory.ts";
import { watch } from "../../../ffi/reactor.ts";
import {
  CALLBACK,
  checkArgument,
  checkInteger,
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
  TEXT,
} from "../../arguments/rules.ts";
import { DmabufGate } from "./gate.ts";
import { Once } from "../once.ts";

export type { CpuAccessMode };

/** Where a DMABUF comes from. */
export interface DmaBufferOptions {
  /**
   * The name of a DMA heap, a file in `/dev/dma_heap`, such as `"system"`. By
   * default the memory is that of a memory file, by `/dev/udmabuf`, whose
   * buffers are limited to 64 MiB each unless the module was told otherwise.
   */
  readonly heap?: string;
}

/** How to wait for the memory of a DMABUF. */
export interface DmaBufferAccessOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * A DMABUF: memory that device drivers share by a file descriptor. Attached to
 * an endpoint ({@linkcode Endpoint.attach}), it is sent and received without
 * being copied.
 *
 * The program reaches the memory by {@linkcode access}, which waits until no
 * device uses it, and tells the kernel about it.
 *
 * @example A buffer that is sent
 * ```ts ignore
 * await using buffer = DmaBuffer.allocate(65_536);
 * await buffer.access("write", (bytes) => bytes.fill(0x55));
 * const attachment = await endpoint.attach(buffer);
 * await attachment.transfer(buffer.size);
 * ```
 */
export class DmaBuffer implements AsyncDisposable {
  /** Bytes of the buffer: whole pages. */
  readonly size: number;
  /** Who has made it, as the kernel says: `"udmabuf"`, `"system"`, a driver. */
  readonly exporter: string;
  /** @ignore Its descriptor. */
  readonly fd: number;
  /** @ignore What all objects for this DMABUF share. */
  readonly gate: DmabufGate;
  /** @ignore What is to be detached before the descriptor is closed. */
  readonly attachments: Set<{ detach(): Promise<void> }> = new Set();
  #mapping: Mapping | undefined;
  readonly #accesses = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #ending = new Once();

  private constructor(fd: number, info = dmabufInfo(fd)) {
    if (info === undefined) {
      close(fd);
      throw new TypeError("Cannot make a DMABUF: the kernel gave none");
    }
    this.fd = fd;
    this.size = info.size;
    this.exporter = info.exporter;
    this.gate = DmabufGate.open(info.inode);
  }

  /**
   * Makes a new one, filled with zeros.
   *
   * @param size Bytes, 1 or more; rounded up to whole pages.
   * @throws {Deno.errors.NotFound} If this kernel has no udmabuf, or no such heap.
   * @throws {Error} What the kernel reports: EINVAL for more than udmabuf may
   * give, ENOMEM.
   */
  static allocate(size: number, options: DmaBufferOptions = {}): DmaBuffer {
    checkArgument("make a DMABUF", "the size", size, NUMBER);
    checkOptions("make a DMABUF", options, ALLOCATE_OPTIONS);
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot make a DMABUF: its size must be a positive integer, is ${size}`,
      );
    }
    const { heap } = options;
    if (heap === undefined) return new DmaBuffer(createUdmabuf(size));
    if (heap === "" || heap.includes("/")) {
      throw new TypeError(
        `Cannot take a DMABUF from heap "${heap}": it must be the name of a file in "/dev/dma_heap"`,
      );
    }
    return new DmaBuffer(allocateFromHeap(heap, size));
  }

  /**
   * Uses one that somebody else has made: a camera (V4L2), a converter (IIO), a
   * graphics driver (DRM), another process.
   *
   * @param fd Its file descriptor, which is duplicated and stays the caller's.
   * @throws {TypeError} If it belongs to something else.
   */
  static fromFileDescriptor(fd: number): DmaBuffer {
    checkInteger("use a DMABUF", "the file descriptor", fd, 0x7fff_ffff);
    const info = dmabufInfo(fd);
    if (info === undefined) {
      throw new TypeError(
        `Cannot use file descriptor ${fd} as a DMABUF: it belongs to something else`,
      );
    }
    return new DmaBuffer(duplicate(fd), info);
  }

  /**
   * Reads or writes the memory. Waits until no transfer, and no other device,
   * uses it; tells the kernel (DMA_BUF_IOCTL_SYNC); then calls `use` with the
   * memory itself, nothing is copied.
   *
   * The array is good until the promise settles. Its memory stays where it is:
   * to transfer its buffer fails (`transfer()`, `structuredClone()`, a BYOB
   * reader, {@linkcode OutEndpoint.read} into it). That buffer can be larger
   * than the array; what lies behind the array is no part of the DMABUF.
   *
   * A transfer that is called while `use` runs is refused, and one access waits
   * for the other.
   *
   * @param mode What is done: `"read"`, `"write"` or `"readwrite"`. Reading
   * does not wait for other devices that read.
   * @param use Gets all bytes of the buffer; may be asynchronous.
   * @returns What `use` returns.
   * @throws {TypeError} If an argument is of another type.
   * @throws {Deno.errors.BadResource} If the buffer is closed.
   * @throws What `use` throws, or the signal's reason.
   */
  async access<T>(
    mode: CpuAccessMode,
    use: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
    options: DmaBufferAccessOptions = {},
  ): Promise<T> {
    const action = "use the memory of a DMABUF";
    checkArgument(action, "the mode", mode, MODE);
    checkArgument(action, '"use"', use, CALLBACK);
    checkOptions(action, options, ACCESS_OPTIONS);
    const signals = [this.#closing.signal];
    if (options.signal !== undefined) signals.push(options.signal);
    const running = this.#access(mode, use, AbortSignal.any(signals));
    this.#accesses.add(running);
    const end = () => this.#accesses.delete(running);
    running.then(end, end);
    return await running;
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#ending.begun;
  }

  /**
   * Detaches the buffer from all endpoints and gives it back. The memory goes
   * when nothing else has it any more. A second call returns the same promise;
   * after a failure it tries again.
   */
  close(): Promise<void> {
    return this.#ending.run(() => this.#close());
  }

  /** Gives the buffer back; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @ignore Throws if it is closed. */
  assertOpen(action: string): void {
    if (this.closed) throw closedBuffer(action);
  }

  async #access<T>(
    mode: CpuAccessMode,
    use: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    await this.#enter(signal);
    try {
      while (!isIdle(this.fd, mode)) await whenIdle(this.fd, mode, signal);
      signal.throwIfAborted();
      this.#mapping ??= mmap(this.fd, this.size);
      this.gate.accesses++;
      try {
        syncForCpu(this.fd, mode, "begin");
        try {
          return await use(this.#mapping.bytes);
        } finally {
          syncForCpu(this.fd, mode, "end");
        }
      } finally {
        this.gate.accesses--;
      }
    } finally {
      this.gate.leave();
    }
  }

  /** Waits until nobody of this program uses the buffer. */
  #enter(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        this.gate.forget(admit);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.gate.enter(admit);
    });
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedBuffer("use its memory"));
    try {
      await Promise.all([...this.attachments].map((each) => each.detach()));
    } finally {
      // Also where a detachment has failed: the kernel then has the memory
      // under a reference of its own.
      await Promise.allSettled(this.#accesses);
      this.#mapping?.unmap();
      this.gate.close();
      close(this.fd);
    }
  }
}

const ALLOCATE_OPTIONS: Rules<DmaBufferOptions> = { heap: TEXT };
const ACCESS_OPTIONS: Rules<DmaBufferAccessOptions> = { signal: SIGNAL };
const MODE = oneOf("read", "write", "readwrite");

function closedBuffer(action: string): Error {
  return errorOf(Errno.EBADF, `Cannot ${action}: the DMABUF is closed`, {
    syscall: "ioctl",
  });
}

/** Waits once for the fences of other devices. */
async function whenIdle(
  fd: number,
  mode: CpuAccessMode,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const waiting = watch(fd, idleEvent(mode), () => resolve());
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    await waiting.stop();
  }
}
