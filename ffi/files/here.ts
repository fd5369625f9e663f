/**
 * Calls on files at any place, on this thread.
 *
 * @module
 */
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  RWF_NOWAIT,
} from "../abi.ts";
import { ERRNO } from "../libc.ts";
import { addressOf } from "../memory.ts";
import { fileCalls } from "./symbols.ts";

/** The direction of a transfer. */
export type Direction = "read" | "write";

/** A read or a write that may wait. */
export interface Transfer {
  readonly direction: Direction;
  readonly fd: number;
  /** Native memory. */
  readonly memory: bigint;
  readonly length: number;
  readonly offset: number;
}

const IOVEC = new BigUint64Array(2); // struct iovec

/**
 * Transfers what needs no waiting: reads what is in the page cache. -EAGAIN if
 * that is nothing, -EOPNOTSUPP if the file system cannot say.
 *
 * Not for files that are open for direct I/O: it waits for these.
 */
export function transferNow(
  direction: Direction,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
): number {
  IOVEC[0] = addressOf(bytes);
  IOVEC[1] = BigInt(bytes.byteLength);
  return vector(direction, fd, offset, RWF_NOWAIT);
}

/** Transfers on this thread, even if it waits. */
export function transferHere(transfer: Transfer): number {
  const { direction, fd, memory, length, offset } = transfer;
  IOVEC[0] = memory;
  IOVEC[1] = BigInt(length);
  return vector(direction, fd, offset, 0);
}

function vector(
  direction: Direction,
  fd: number,
  offset: number,
  flags: number,
): number {
  const { preadv2, pwritev2 } = fileCalls();
  const call = direction === "read" ? preadv2 : pwritev2;
  const result = call(fd, IOVEC, 1, BigInt(offset), flags);
  const errno = ERRNO[0];
  return result < 0 ? -errno : result;
}

/** The mode of fallocate() that frees a range. */
export const PUNCH_HOLE = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** Whether the file system frees ranges of a file: tried behind the file's end. */
export function canPunchHoles(fd: number, fileLength: number): boolean {
  const { fallocate } = fileCalls();
  return fallocate(fd, PUNCH_HOLE, BigInt(fileLength), 4096n) === 0;
}
