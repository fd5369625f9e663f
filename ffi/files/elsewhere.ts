/**
 * Calls on files that may wait for the disk, on threads of Deno's pool.
 *
 * @module
 */
import { PUNCH_HOLE, type Transfer } from "./here.ts";
import { fileCalls } from "./symbols.ts";

/**
 * Reads or writes. Returns a count, or -1: the error number is lost, see
 * second_look.ts.
 */
export async function transferElsewhere(transfer: Transfer): Promise<number> {
  const { direction, fd, memory, length, offset } = transfer;
  const { pread_blocking, pwrite_blocking } = fileCalls();
  const call = direction === "read" ? pread_blocking : pwrite_blocking;
  return await call(fd, memory, BigInt(length), BigInt(offset));
}

/**
 * Makes the contents of a file durable, on another thread. Returns whether it
 * succeeded: the error number is lost, and a second call would not find it,
 * because the kernel reports a failed write once.
 */
export async function syncElsewhere(fd: number): Promise<boolean> {
  return await fileCalls().fdatasync_blocking(fd) === 0;
}

/** Frees a range of a file on another thread; returns whether it succeeded. */
export async function punchHoleElsewhere(
  fd: number,
  offset: number,
  length: number,
): Promise<boolean> {
  const { fallocate_blocking } = fileCalls();
  const start = BigInt(offset);
  return await fallocate_blocking(fd, PUNCH_HOLE, start, BigInt(length)) === 0;
}

const closing = new Set<Promise<unknown>>();

/**
 * Closes a file on another thread. That takes long for the last descriptor of a
 * large file that was removed: its room is freed then.
 */
export function closeElsewhere(fd: number): void {
  const closed: Promise<unknown> = fileCalls().close_blocking(fd)
    .finally(() => closing.delete(closed));
  closing.add(closed);
}

/** Resolves when what is being closed is closed; `undefined` if that is nothing. */
export function allClosed(): Promise<unknown> | undefined {
  return closing.size === 0 ? undefined : Promise.all(closing);
}
