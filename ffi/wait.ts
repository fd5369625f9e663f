/**
 * Waiting for one file on the event loop's own thread, for a moment.
 *
 * @module
 */
import { POLLIN } from "./abi.ts";
import { libc } from "./libc.ts";

/**
 * A wait for a file to become readable that is over before anybody notices.
 * The event loop stands still meanwhile: for a millisecond at the very most.
 */
export class ShortWait {
  readonly #poll = new DataView(new ArrayBuffer(8)); // struct pollfd
  readonly #time: BigInt64Array<ArrayBuffer>; // struct timespec

  /**
   * @param fd The file.
   * @param microseconds How long to wait at most, below a second.
   */
  constructor(fd: number, microseconds: number) {
    this.#poll.setInt32(0, fd, true);
    this.#poll.setInt16(4, POLLIN, true);
    this.#time = BigInt64Array.of(0n, BigInt(microseconds * 1000));
  }

  /** Waits. Tells whether the file is readable. */
  wait(): boolean {
    return libc().ppoll(this.#poll, 1n, this.#time, null) > 0;
  }
}

/**
 * Waits for a moment until a file is ready for one of `events`.
 *
 * @param fd The file.
 * @param events POLLIN, POLLOUT or both.
 * @param microseconds How long to wait at most, below a second.
 * @returns What it is ready for, 0 for nothing.
 */
export function pollOnce(
  fd: number,
  events: number,
  microseconds: number,
): number {
  const poll = new DataView(new ArrayBuffer(8)); // struct pollfd
  poll.setInt32(0, fd, true);
  poll.setInt16(4, events, true);
  const time = BigInt64Array.of(0n, BigInt(microseconds * 1000));
  libc().ppoll(poll, 1n, time, null);
  return poll.getInt16(6, true);
}
