/**
 * Speeds, and what they allow.
 *
 * @module
 */

import type { TransferType } from "./endpoint_attributes.ts";

/** A speed, spelled as the kernel spells it in sysfs (`current_speed`, `maximum_speed`) and configfs (`max_speed`). */
export type Speed =
  | "low-speed"
  | "full-speed"
  | "high-speed"
  | "super-speed"
  | "super-speed-plus";

/** All speeds, the slowest first. */
export const SPEEDS: readonly Speed[] = [
  "low-speed",
  "full-speed",
  "high-speed",
  "super-speed",
  "super-speed-plus",
];

/**
 * A speed that a function has its own descriptors for: full (12 Mbit/s), high (480 Mbit/s) or super (5 Gbit/s).
 * The descriptors for super speed also serve SuperSpeed Plus.
 */
export type FunctionSpeed = "full" | "high" | "super";

/** The speeds that a function can have descriptors for, in the order of the FunctionFS block. */
export const FUNCTION_SPEEDS: readonly FunctionSpeed[] = [
  "full",
  "high",
  "super",
];

/**
 * Which descriptors of a function are used at a speed.
 *
 * @param speed The speed of the bus.
 * @returns The function's speed, or `undefined` at low speed, which FunctionFS does not know.
 */
export function functionSpeed(speed: Speed): FunctionSpeed | undefined {
  switch (speed) {
    case "full-speed":
      return "full";
    case "high-speed":
      return "high";
    case "super-speed":
    case "super-speed-plus":
      return "super";
    case "low-speed":
      return undefined;
  }
}

/**
 * The largest packet of a transfer type at a speed, in bytes (USB 2.0 sections 5.6.3, 5.7.3 and 5.8.3,
 * USB 3.2 section 9.6.6).
 */
export const MAX_PACKET_SIZES: Readonly<
  Record<TransferType, Readonly<Record<FunctionSpeed, number>>>
> = {
  bulk: { full: 64, high: 512, super: 1024 },
  interrupt: { full: 64, high: 1024, super: 1024 },
  isochronous: { full: 1023, high: 1024, super: 1024 },
};
