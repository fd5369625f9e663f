/**
 * Builders for endpoint definitions.
 *
 * @module
 */

import type { Direction } from "../usb/endpoint_attributes.ts";
import type {
  BulkOptions,
  EndpointSettings,
  InEndpointDefinition,
  InterruptOptions,
  IsochronousOptions,
  OutEndpointDefinition,
  PairEndpointDefinition,
} from "./endpoint.ts";

/** Options of {@linkcode bulkPair}. What is said outside of `in` and `out` holds for both halves. */
export interface BulkPairOptions extends Omit<BulkOptions, "address"> {
  /**
   * Which half has the lower endpoint number.
   *
   * @default {"in"}
   */
  readonly first?: Direction;
  /** What is different for the half that sends to the host. */
  readonly in?: BulkOptions;
  /** What is different for the half that receives from the host. */
  readonly out?: BulkOptions;
}

/** Options of {@linkcode interruptPair}. What is said outside of `in` and `out` holds for both halves. */
export interface InterruptPairOptions
  extends Omit<InterruptOptions, "address"> {
  /**
   * Which half has the lower endpoint number.
   *
   * @default {"in"}
   */
  readonly first?: Direction;
  /** What is different for the half that sends to the host. */
  readonly in?: InterruptOptions;
  /** What is different for the half that receives from the host. */
  readonly out?: InterruptOptions;
}

/**
 * Declares a bulk endpoint that sends to the host.
 *
 * @param options Addresses and what differs from the usual at a speed.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { bulkIn } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bulkIn(), { kind: "in", transferType: "bulk" });
 * ```
 */
export function bulkIn(
  options: BulkOptions = {},
): InEndpointDefinition<"bulk"> {
  return { kind: "in", transferType: "bulk", ...options };
}

/**
 * Declares a bulk endpoint that receives from the host.
 *
 * @param options Addresses and what differs from the usual at a speed.
 * @returns The definition, plain data.
 *
 * @example A burst of four packets at super speed
 * ```ts
 * import { bulkOut } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const rx = bulkOut({ super: { maxBurst: 3 } });
 * assertEquals(rx.super?.maxBurst, 3);
 * ```
 */
export function bulkOut(
  options: BulkOptions = {},
): OutEndpointDefinition<"bulk"> {
  return { kind: "out", transferType: "bulk", ...options };
}

/**
 * Declares two adjacent bulk endpoints under one name, one in each direction. On Linux 7.3 and later a function made
 * of pairs only can have one `epN_rw` file per pair.
 *
 * @param options What holds for both halves, and for one of them.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { bulkPair } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bulkPair({ first: "out" }).first, "out");
 * ```
 */
export function bulkPair(
  options: BulkPairOptions = {},
): PairEndpointDefinition<"bulk"> {
  return pair("bulk", options);
}

/**
 * Declares an interrupt endpoint that sends to the host.
 *
 * @param options Packet size, interval, and what differs at a speed.
 * @returns The definition, plain data.
 *
 * @example A keyboard's reports, every 10 ms
 * ```ts
 * import { interruptIn } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const keys = interruptIn({ maxPacketSize: 8, intervalMs: 10 });
 * assertEquals(keys.transferType, "interrupt");
 * ```
 */
export function interruptIn(
  options: InterruptOptions = {},
): InEndpointDefinition<"interrupt"> {
  return { kind: "in", transferType: "interrupt", ...options };
}

/**
 * Declares an interrupt endpoint that receives from the host.
 *
 * @param options Packet size, interval, and what differs at a speed.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { interruptOut } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(interruptOut({ intervalUs: 125 }).kind, "out");
 * ```
 */
export function interruptOut(
  options: InterruptOptions = {},
): OutEndpointDefinition<"interrupt"> {
  return { kind: "out", transferType: "interrupt", ...options };
}

/**
 * Declares two adjacent interrupt endpoints under one name, one in each direction, as HID devices with output reports
 * have them.
 *
 * @param options What holds for both halves, and for one of them.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { interruptPair } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const reports = interruptPair({ maxPacketSize: 16, intervalMs: 4 });
 * assertEquals(reports.in?.maxPacketSize, 16);
 * assertEquals(reports.out?.maxPacketSize, 16);
 * ```
 */
export function interruptPair(
  options: InterruptPairOptions = {},
): PairEndpointDefinition<"interrupt"> {
  return pair("interrupt", options);
}

/**
 * Declares an isochronous endpoint that sends to the host.
 *
 * @param options Packet size, interval, synchronization, and what differs at a speed.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { isochronousIn } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const samples = isochronousIn({
 *   maxPacketSize: 192,
 *   intervalMs: 1,
 *   synchronization: "asynchronous",
 * });
 * assertEquals(samples.kind, "in");
 * ```
 */
export function isochronousIn(
  options: IsochronousOptions = {},
): InEndpointDefinition<"isochronous"> {
  return { kind: "in", transferType: "isochronous", ...options };
}

/**
 * Declares an isochronous endpoint that receives from the host.
 *
 * @param options Packet size, interval, synchronization, and what differs at a speed.
 * @returns The definition, plain data.
 *
 * @example Usage
 * ```ts
 * import { isochronousOut } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isochronousOut({ audio: {} }).transferType, "isochronous");
 * ```
 */
export function isochronousOut(
  options: IsochronousOptions = {},
): OutEndpointDefinition<"isochronous"> {
  return { kind: "out", transferType: "isochronous", ...options };
}

type PairOptions = EndpointSettings & {
  readonly first?: Direction;
  readonly in?: EndpointSettings;
  readonly out?: EndpointSettings;
};

/** Gives both halves what was said for the pair. */
function pair<T extends "bulk" | "interrupt">(
  transferType: T,
  options: PairOptions,
): PairEndpointDefinition<T> {
  const { first = "in", in: inOptions, out: outOptions, ...shared } = options ??
    {};
  return {
    kind: "pair",
    transferType,
    first,
    in: merge(shared, inOptions),
    out: merge(shared, outOptions),
  };
}

/**
 * Settings of a half over those of the pair; the settings for one speed are merged one by one. What is no object stays
 * as it is, for the validation of the function.
 */
function merge(
  shared: EndpointSettings,
  half: EndpointSettings = {},
): EndpointSettings {
  if (!isObject(half)) return half;
  const merged: EndpointSettings = { ...shared, ...half };
  const full = { ...shared.full, ...half.full };
  const high = { ...shared.high, ...half.high };
  const superSpeed = { ...shared.super, ...half.super };
  return {
    ...merged,
    ...(isObject(shared.full) && isObject(half.full) ? { full } : {}),
    ...(isObject(shared.high) && isObject(half.high) ? { high } : {}),
    ...(isObject(shared.super) && isObject(half.super)
      ? { super: superSpeed }
      : {}),
  };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
