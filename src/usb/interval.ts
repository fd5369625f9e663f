/**
 * Service intervals: time to `bInterval` and back.
 *
 * @module
 */

import type { TransferType } from "./endpoint_attributes.ts";
import type { FunctionSpeed } from "./speed.ts";

/** One frame, the unit at full speed, in microseconds. */
const FRAME_US = 1000;
/** One microframe or bus interval, the unit at high and super speed, in microseconds. */
const MICROFRAME_US = 125;

/**
 * Encodes a service interval as `bInterval` (USB 2.0 section 9.6.6, table 9-13).
 *
 * Interrupt endpoints at full speed count frames, 1 to 255. All other periodic endpoints have 2 to the power of
 * `bInterval - 1` frames or microframes, `bInterval` being 1 to 16. The result is never slower than asked for, unless
 * the speed has no interval that short.
 *
 * @param intervalUs The time between two packets, in microseconds.
 * @param transferType The transfer type. A bulk endpoint has no interval, so the result is 0.
 * @param speed The speed.
 * @returns The value of `bInterval`.
 */
export function encodeInterval(
  intervalUs: number,
  transferType: TransferType,
  speed: FunctionSpeed,
): number {
  if (transferType === "bulk") return 0;
  const unit = speed === "full" ? FRAME_US : MICROFRAME_US;
  const count = Math.max(1, Math.floor(intervalUs / unit));
  if (speed === "full" && transferType === "interrupt") {
    return Math.min(count, 255);
  }
  return Math.min(floorLog2(count) + 1, 16);
}

/**
 * Decodes `bInterval`.
 *
 * @param interval The value of `bInterval`.
 * @param transferType The transfer type.
 * @param speed The speed.
 * @returns The time between two packets in microseconds, or `undefined` for a bulk endpoint, and for a value that the
 * specification does not allow.
 *
 * @example Usage
 * ```ts
 * import { decodeInterval } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeInterval(4, "interrupt", "high"), 1000);
 * ```
 */
export function decodeInterval(
  interval: number,
  transferType: TransferType,
  speed: FunctionSpeed,
): number | undefined {
  if (transferType === "bulk" || interval < 1 || interval > 255) {
    return undefined;
  }
  if (speed === "full" && transferType === "interrupt") {
    return interval * FRAME_US;
  }
  if (interval > 16) return undefined;
  return 2 ** (interval - 1) * (speed === "full" ? FRAME_US : MICROFRAME_US);
}

/** The exponent of the largest power of two that is not above a positive number. Exact, unlike `Math.log2`. */
function floorLog2(count: number): number {
  if (count >= 2 ** 31) return 31;
  return 31 - Math.clz32(count);
}
