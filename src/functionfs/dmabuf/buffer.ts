/**
 * Memory that devices share with this program.
 *
 * @module
 */
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
import { Errno, errorOf } from "../../../ffi/errno.ts";
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
import { Once } from "../once.ts";
import { DmabufGate } from "./gate.ts";

/**
 * Where a new DMABUF comes from.
 * @category DMABUF
 */
export interface DmaBufferOptions {
  /**
   * The name of a DMA heap, a file in `/dev/dma_heap`, such as `"system"`. By
   * default the buffer is ordinary memory from `/dev/udmabuf`, which limits
   * each buffer to 64 MiB unless its module is configured otherwise.
   */
  readonly heap?: string;
}

/**
 * How to wait for the memory of a DMABUF.
 * @category DMABUF
 */
export interface DmaBufferAccessOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * A DMABUF: memory that device drivers share by a file descriptor. Attached to
 * an endpoint ({@linkcode Endpoint.attach}), it is sent and received without a
 * copy.
 *
 * The program accesses the memory with {@linkcode access}, which waits until no
 * device uses it.
 * @category DMABUF
 */
export class DmaBuffer implements AsyncDisposable {
  /** Its size in bytes: whole pages. */
  readonly size: number;
  /** The kernel's name for its exporter: `"udmabuf"`, `"system"`, a driver. */
  readonly exporter: string;
  /** @ignore Its descriptor. */
  readonly fd: number;
  /** @ignore Shared by all objects for this DMABUF. */
  readonly gate: DmabufGate;
  /** @ignore Attachments to detach before the descriptor is closed. */
  readonly attachments: Set<{ detach(): Promise<void> }> = new Set();
  #mapping: Mapping | undefined;
  readonly #accesses = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #ending = new Once();

  private constructor(fd: number, info = dmabufInfo(fd)) {
    if (info === undefined) {
      close(fd);
      throw new TypeError("Cannot make a DMABUF: the kernel returned none");
    }
    this.fd = fd;
    this.size = info.size;
    this.exporter = info.exporter;
    this.gate = DmabufGate.open(info.inode);
  }

  /**
   * Allocates a DMABUF, filled with zeros.
   *
   * @param size Bytes, 1 or more; rounded up to whole pages.
   * @throws {Deno.errors.NotFound} If this kernel has no udmabuf, or no such heap.
   * @throws {Error} What the kernel reports: EINVAL above the limit of udmabuf,
   * ENOMEM.
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
   * Uses a DMABUF of a camera (V4L2), a converter (IIO), a graphics driver (DRM)
   * or another process.
   *
   * @param fd Its file descriptor, which is duplicated and stays the caller's.
   * @throws {TypeError} If it is not that of a DMABUF.
   */
  static fromFileDescriptor(fd: number): DmaBuffer {
    checkInteger("use a DMABUF", "the file descriptor", fd, 0x7fff_ffff);
    const info = dmabufInfo(fd);
    if (info === undefined) {
      throw new TypeError(
        `Cannot use file descriptor ${fd}: it is not a DMABUF`,
      );
    }
    return new DmaBuffer(duplicate(fd), info);
  }

  /**
   * Reads or writes the memory. Waits until no transfer and no other device
   * uses it, announces the access to the kernel (DMA_BUF_IOCTL_SYNC), and calls
   * `use` with the memory itself, not a copy.
   *
   * The array is valid until the promise settles. Its memory cannot move, so
   * transferring its `buffer` fails (`transfer()`, `structuredClone()`, a BYOB
   * reader, {@linkcode OutEndpoint.read} into it). That `buffer` can be larger
   * than the array; the rest of it does not belong to the DMABUF.
   *
   * {@linkcode DmaBufferAttachment.transfer} fails while `use` runs; another
   * access waits.
   *
   * @param mode What `use` does. Reading does not wait for devices that read.
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
   * Detaches the buffer from all endpoints and closes it. The kernel frees the
   * memory when nothing else uses it. A second call returns the same promise;
   * after a failure it tries again.
   */
  close(): Promise<void> {
    return this.#ending.run(() => this.#close());
  }

  /** Closes the buffer; see {@linkcode close}. */
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

  /** Waits until no transfer or access of this program uses the buffer. */
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
      // Even if a detachment has failed: the kernel then holds a reference to
      // the memory.
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
  const message = `Cannot ${action}: the DMABUF is closed`;
  return errorOf(Errno.EBADF, message, { syscall: "ioctl" });
}

/** Waits for the current fences of other devices. */
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
