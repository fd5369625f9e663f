/**
 * The calls on `ep0` of a registered function, and what their results mean.
 *
 * What a read or a write does depends on the state of the kernel's control
 * request (`ffs_ep0_read()` and `ffs_ep0_write()` in `f_fs.c`):
 *
 * | state     | read                              | write              |
 * | --------- | --------------------------------- | ------------------ |
 * | none      | takes events; EAGAIN without any  | ESRCH              |
 * | IN waits  | stalls it: EL2HLT                 | answers it         |
 * | OUT waits | takes its data, acknowledges it   | stalls it: EL2HLT  |
 * | cancelled | EIDRM, and it is over             | the same           |
 *
 * @module
 */
import { O_RDWR, POLLIN, POLLOUT } from "../../../ffi/abi.ts";
import { Errno } from "../../../ffi/errno.ts";
import { close, open } from "../../../ffi/file.ts";
import { ERRNO, libc } from "../../../ffi/libc.ts";
import { allocate, copyIn, copyOut, free } from "../../../ffi/native_memory.ts";
import { interruptThreads } from "../../../ffi/signal.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";

/** How often to try an answer that a signal to the process interrupts. */
const MAX_ATTEMPTS = 4;

/**
 * `ep0`, open twice. Every call locks the file in the kernel. The event loop
 * reads events and must not wait for the lock: nonblocking. An answer must not
 * fail because another call holds the lock: blocking.
 */
export class ControlFile {
  /** The nonblocking descriptor, to be watched. */
  readonly fd: number;
  readonly #answers: number;
  readonly #poll = new DataView(new ArrayBuffer(8)); // struct pollfd

  /** Opens `ep0` a second time, and takes over the open descriptor. */
  constructor(fd: number, path: string) {
    this.fd = fd;
    this.#answers = open(path, O_RDWR, { action: "open control endpoint" });
    this.#poll.setInt32(0, this.#answers, true);
  }

  /**
   * Takes the pending events. No request may be waiting.
   *
   * @returns Bytes, or a negative error number: -EAGAIN without events.
   */
  readEvents(buffer: Uint8Array<ArrayBuffer>): number {
    const { read } = libc();
    const size = BigInt(buffer.byteLength);
    for (;;) {
      const length = read(this.fd, buffer, size);
      if (length >= 0) return length;
      const errno = ERRNO[0];
      // EIDRM: a request was cancelled, and needs no answer.
      const again = errno === Errno.EINTR || errno === Errno.EIDRM ||
        // A UDC that is being unbound may have locked the file.
        errno === Errno.EAGAIN && this.#is(POLLIN);
      if (!again) return -errno;
    }
  }

  /**
   * Answers an IN request, and waits until the host has finished it. Runs on
   * another thread, so the error number of a failure is lost.
   *
   * @param data Copied before this returns.
   * @param maySucceed Whether to try again after a failure.
   * @returns Bytes that the host has taken, or a negative number.
   */
  async send(data: Uint8Array, maySucceed: () => boolean): Promise<number> {
    const memory = allocate(data.byteLength);
    copyIn(memory, data as Uint8Array<ArrayBuffer>);
    const size = BigInt(data.byteLength);
    let count = await libc().write_blocking(this.#answers, memory, size);
    for (let n = 1; count < 0 && n < MAX_ATTEMPTS && maySucceed(); n++) {
      count = await libc().write_blocking(this.#answers, memory, size);
    }
    free(memory);
    return count;
  }

  /** Takes the data of an OUT request; see {@linkcode send}. */
  async take(
    buffer: Uint8Array<ArrayBuffer>,
    maySucceed: () => boolean,
  ): Promise<number> {
    const memory = allocate(buffer.byteLength);
    const size = BigInt(buffer.byteLength);
    let count = await libc().read_blocking(this.#answers, memory, size);
    for (let n = 1; count < 0 && n < MAX_ATTEMPTS && maySucceed(); n++) {
      count = await libc().read_blocking(this.#answers, memory, size);
    }
    if (count > 0) copyOut(memory, buffer, count);
    free(memory);
    return count;
  }

  /** Makes a waiting {@linkcode send} or {@linkcode take} fail. */
  interrupt(): void {
    interruptThreads(this.#answers);
  }

  /**
   * Stalls a request, by I/O in the opposite direction. Never waits.
   *
   * @returns Whether it was cancelled before.
   */
  stall(direction: Direction): boolean {
    const { read, write } = libc();
    for (;;) {
      const result = direction === "in"
        ? read(this.#answers, NOTHING, 0n)
        : write(this.#answers, NOTHING, 0n);
      const errno = result < 0 ? ERRNO[0] : 0;
      if (errno !== Errno.EINTR) return errno === Errno.EIDRM;
    }
  }

  /** Whether the kernel has events, among them a request. */
  hasEvents(): boolean {
    return this.#is(POLLIN);
  }

  /** Whether the kernel has a request that waits or was cancelled. */
  waits(): boolean {
    return this.#is(POLLOUT);
  }

  /**
   * Whether an IN request that wants data was cancelled; if so, it is over.
   * Detected by an answer from an invalid address, which changes nothing.
   */
  wasCancelled(): boolean {
    for (;;) {
      libc().write(this.#answers, null, 1n);
      const errno = ERRNO[0];
      if (errno !== Errno.EINTR) return errno !== Errno.EFAULT;
    }
  }

  /** Stalls an unknown request, if one waits. Never waits for the host. */
  abandon(): void {
    // The check stalls an OUT request, and leaves an IN request unchanged.
    if (this.waits() && !this.wasCancelled()) this.stall("in");
  }

  /** Closes both descriptors. */
  close(): void {
    close(this.fd);
    close(this.#answers);
  }

  /** Polls for one bit; waits for the lock, which is never held for long. */
  #is(bit: number): boolean {
    this.#poll.setInt16(4, bit, true);
    libc().poll_now(this.#poll, 1n, 0);
    return (this.#poll.getInt16(6, true) & bit) !== 0;
  }
}

const NOTHING = new Uint8Array(8);
