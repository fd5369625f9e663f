/**
 * The clock in which the kernel gives the times of input events.
 *
 * @module
 */
import { testLibc } from "./libc.ts";

/** linux/time.h */
export const CLOCK_MONOTONIC = 1;

/** Returns the time of CLOCK_MONOTONIC in milliseconds. */
export function monotonicNow(): number {
  // struct timespec: seconds and nanoseconds
  const time = new BigInt64Array(2);
  testLibc.clock_gettime(CLOCK_MONOTONIC, time);
  return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
}
