/**
 * Files that are read and written without blocking the event loop.
 *
 * @module
 */
import { check, Errno, errorOf, systemError } from "../../ffi/errno.ts";
import type { SystemErrorFields } from "../../ffi/errno.ts";
import { close, seekToEnd } from "../../ffi/file.ts";
import {
  punchHoleElsewhere,
  syncElsewhere,
  transferElsewhere,
} from "../../ffi/files/elsewhere.ts";
import {
  type Direction,
  type Transfer,
  transferNow,
} from "../../ffi/files/here.ts";
import { transferOrReason } from "../../ffi/files/second_look.ts";
import { ERRNO, libc } from "../../ffi/libc.ts";
import { copyIn, copyOut, NativePool } from "../../ffi/native_memory.ts";
import {
  openChecked,
  type OpenedFile,
  type OpenFileOptions,
  punchesHoles,
} from "./open.ts";

export type { OpenFileOptions };

/** A read or a write that failed, perhaps after a part of it was done. */
export type TransferFailure = Error & SystemErrorFields & {
  /** Bytes that were transferred before. */
  readonly done: number;
};

/** What is transferred in one step. It bounds the time of a copy on this thread. */
const STEP = 256 * 1024;
/** Enough for direct I/O with every disk. */
const ALIGNMENT = 4096;

/**
 * An open file, or block device.
 *
 * No call waits for the disk on this thread. What the page cache has is read at
 * once; everything else runs on a thread of Deno's pool, which costs some ten
 * microseconds. Calls may overlap.
 */
export class OpenFile implements Disposable {
  /** The path that was opened. */
  readonly path: string;
  /** Whether {@linkcode punchHole} works. */
  readonly punchesHoles: boolean;
  /**
   * What offsets and lengths must be multiples of, if it is open for direct I/O
   * and the kernel knows (since Linux 6.1). Otherwise 1.
   */
  readonly alignment: number;
  readonly #fd: number;
  /** The smallest part to divide a transfer into that fails. */
  readonly #granularity: number;
  /** Whether to try transfers that do not wait, by direction. */
  readonly #tries: Record<Direction, boolean>;
  /** Memory for threads that can outlive this one: see native_memory.ts. */
  readonly #memory = new NativePool(ALIGNMENT);
  /** Calls that use the descriptor. */
  #pending = 0;
  #closed = false;

  /**
   * Opens a regular file or a block device. A block device that is opened for
   * writing must not be mounted, or in use otherwise.
   *
   * @throws {Error} What the system reports: ENOENT, EACCES; EISDIR for a
   * directory; ENOTBLK for anything else; EBUSY for a block device that is in use;
   * EINVAL for `direct` where there is no direct I/O.
   * @param opened What is open, if it already is. Then {@linkcode punchHole} does
   * not work.
   */
  constructor(
    path: string,
    options: OpenFileOptions = {},
    opened: OpenedFile = openChecked(path, options),
  ) {
    const { fd, status } = opened;
    const { write = false, direct = false, granularity = 512 } = options;
    this.path = path;
    this.#fd = fd;
    // With the page cache, a part fails for as long as the whole is cached.
    this.#granularity = direct ? granularity : STEP;
    this.alignment = direct ? status.directAlignment || 1 : 1;
    this.punchesHoles = write && punchesHoles(fd, path, status);
    // Direct I/O waits even if it is asked not to.
    this.#tries = { read: !direct, write: !direct };
  }

  /** Its length now. */
  get byteLength(): number {
    return seekToEnd(this.#use(), { path: this.path });
  }

  /** Cuts it, or lengthens it with zeros that take no room on the disk. */
  resize(byteLength: number): void {
    const result = libc().ftruncate(this.#use(), BigInt(byteLength));
    check(result, ERRNO[0], {
      action: `give file ${byteLength} bytes`,
      syscall: "ftruncate",
      path: this.path,
    });
  }

  /**
   * Reads into memory; returns the number of bytes, fewer than it has room for
   * only at the end of the file.
   *
   * @throws {TransferFailure} If something cannot be read; what comes before is
   * in the memory.
   */
  read(
    offset: number,
    into: Uint8Array<ArrayBuffer>,
  ): number | Promise<number> {
    return this.#transfer("read", offset, into);
  }

  /**
   * Writes all bytes, and returns their number. They must not be changed
   * meanwhile.
   *
   * @throws {TransferFailure} If something cannot be written; what comes before
   * is.
   */
  write(
    offset: number,
    from: Uint8Array<ArrayBuffer>,
  ): number | Promise<number> {
    return this.#transfer("write", offset, from);
  }

  /**
   * Makes durable what was written before (fdatasync).
   *
   * @throws {Error} If something that was written is lost. The next call does not
   * report it again.
   */
  async sync(): Promise<void> {
    if (await this.#during(syncElsewhere(this.#use()))) return;
    throw errorOf(
      Errno.EIO,
      `Cannot make file durable: data that was written is lost: ${this.path}`,
      { syscall: "fdatasync", path: this.path },
    );
  }

  /** Frees a range on the disk, which reads as zeros then. The length stays. */
  async punchHole(offset: number, length: number): Promise<void> {
    const freed = punchHoleElsewhere(this.#use(), offset, length);
    if (await this.#during(freed)) return;
    throw errorOf(
      Errno.EIO,
      `Cannot free ${length} bytes at ${offset} of a file: ${this.path}`,
      { syscall: "fallocate", path: this.path },
    );
  }

  /**
   * Closes the file. Calls that are pending go on, and it stays open for them.
   * What was written is not made durable by this.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pending === 0) this.#release();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }

  #transfer(
    direction: Direction,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): number | Promise<number> {
    this.#use();
    const done = this.#now(direction, offset, bytes.subarray(0, STEP));
    if (done === bytes.byteLength) return done;
    return this.#during(this.#rest(direction, offset, bytes, done));
  }

  /** Goes on where {@linkcode OpenFile.#now} has stopped. */
  async #rest(
    direction: Direction,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
    done: number,
  ): Promise<number> {
    let limit = STEP;
    while (done < bytes.byteLength) {
      const step = bytes.subarray(done, done + limit);
      const mayDivide = step.byteLength > this.#granularity;
      const count = await this.#elsewhere(
        direction,
        offset + done,
        step,
        mayDivide ? transferElsewhere : transferOrReason,
      );
      if (count < 0 && mayDivide) {
        // The kernel fails all of it for one bad block.
        limit = this.#halfOf(step.byteLength);
        continue;
      }
      if (count < 0) throw this.#failure(direction, -count, done);
      if (count === 0) {
        if (direction === "read") return done; // the end of the file
        throw this.#failure(direction, Errno.ENOSPC, done);
      }
      done += count;
      // Other events had their turn during that step, so this thread is free.
      const next = bytes.subarray(done, done + limit);
      if (next.byteLength > 0) {
        done += this.#now(direction, offset + done, next);
      }
    }
    return done;
  }

  #halfOf(length: number): number {
    const units = Math.ceil(length / this.#granularity);
    return Math.ceil(units / 2) * this.#granularity;
  }

  /** Transfers what needs no waiting; returns how much that is. */
  #now(
    direction: Direction,
    offset: number,
    step: Uint8Array<ArrayBuffer>,
  ): number {
    if (!this.#tries[direction]) return 0;
    const count = transferNow(direction, this.#fd, step, offset);
    if (count >= 0) return count;
    // Not in the page cache, or an error, which the other thread finds as well.
    // All others mean that the file system has no such call.
    const once = [Errno.EAGAIN, Errno.EINTR, Errno.EIO, Errno.ENOSPC];
    if (!once.some((it) => it === -count)) this.#tries[direction] = false;
    return 0;
  }

  /** Transfers on another thread; returns what `call` does. */
  async #elsewhere(
    direction: Direction,
    offset: number,
    step: Uint8Array<ArrayBuffer>,
    call: (transfer: Transfer) => Promise<number>,
  ): Promise<number> {
    const length = step.byteLength;
    const memory = this.#memory.take(length);
    if (direction === "write") copyIn(memory, step);
    const fd = this.#fd;
    const count = await call({ direction, fd, memory, length, offset });
    // If the memory has been transferred, the data is not wanted.
    if (direction === "read" && count > 0 && count <= step.byteLength) {
      copyOut(memory, step, count);
    }
    this.#memory.give(memory, length);
    return count;
  }

  #failure(direction: Direction, errno: number, done: number): TransferFailure {
    return Object.assign(
      systemError(errno, {
        action: `${direction} file`,
        syscall: direction === "read" ? "pread" : "pwrite",
        path: this.path,
      }),
      { done },
    );
  }

  /** The descriptor, if the file is still open. */
  #use(): number {
    if (!this.#closed) return this.#fd;
    throw errorOf(
      Errno.EBADF,
      `Cannot use a file that is closed: ${this.path}`,
      { syscall: "close", path: this.path },
    );
  }

  /** Keeps the descriptor open until a call has ended. */
  async #during<T>(call: Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await call;
    } finally {
      this.#pending--;
      if (this.#closed && this.#pending === 0) this.#release();
    }
  }

  #release(): void {
    close(this.#fd);
    this.#memory.clear();
  }
}
