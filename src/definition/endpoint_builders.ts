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

/**
 * Options of {@linkcode bulkPair}. Those outside of `in` and `out` apply to both endpoints.
 *
 * @category Endpoint builders
 */
export interface BulkPairOptions extends Omit<BulkOptions, "address"> {
  /**
   * The direction with the lower endpoint number.
   * @default {"in"}
   */
  readonly first?: Direction;
  /** Options of the endpoint that sends to the host. */
  readonly in?: BulkOptions;
  /** Options of the endpoint that receives from the host. */
  readonly out?: BulkOptions;
}

/**
 * Options of {@linkcode interruptPair}. Those outside of `in` and `out` apply to both endpoints.
 *
 * @category Endpoint builders
 */
export interface InterruptPairOptions
  extends Omit<InterruptOptions, "address"> {
  /**
   * The direction with the lower endpoint number.
   * @default {"in"}
   */
  readonly first?: Direction;
  /** Options of the endpoint that sends to the host. */
  readonly in?: InterruptOptions;
  /** Options of the endpoint that receives from the host. */
  readonly out?: InterruptOptions;
}

/**
 * Declares a bulk endpoint that sends to the host.
 *
 * @priority 8
 * @category Endpoint builders
 */
export function bulkIn(
  options: BulkOptions = {},
): InEndpointDefinition<"bulk"> {
  return { kind: "in", transferType: "bulk", ...options };
}

/**
 * Declares a bulk endpoint that receives from the host.
 *
 * @example A burst of four packets at super speed
 * ```ts
 * import { bulkOut } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const rx = bulkOut({ super: { maxBurst: 3 } });
 * assertEquals(rx.super?.maxBurst, 3);
 * ```
 *
 * @priority 8
 * @category Endpoint builders
 */
export function bulkOut(
  options: BulkOptions = {},
): OutEndpointDefinition<"bulk"> {
  return { kind: "out", transferType: "bulk", ...options };
}

/**
 * Declares two adjacent bulk endpoints under one name, one in each direction. On Linux 7.3 and later, a function that
 * consists of pairs can have one `epN_rw` file per pair.
 *
 * @example Usage
 * ```ts
 * import { bulkPair } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bulkPair({ first: "out" }).first, "out");
 * ```
 *
 * @priority 8
 * @category Endpoint builders
 */
export function bulkPair(
  options: BulkPairOptions = {},
): PairEndpointDefinition<"bulk"> {
  return pair("bulk", options);
}

/**
 * Declares an interrupt endpoint that sends to the host.
 *
 * @example A keyboard's reports, every 10 ms
 * ```ts
 * import { interruptIn } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const keys = interruptIn({ maxPacketSize: 8, intervalMs: 10 });
 * assertEquals(keys.transferType, "interrupt");
 * ```
 *
 * @priority 8
 * @category Endpoint builders
 */
export function interruptIn(
  options: InterruptOptions = {},
): InEndpointDefinition<"interrupt"> {
  return { kind: "in", transferType: "interrupt", ...options };
}

/**
 * Declares an interrupt endpoint that receives from the host.
 *
 * @priority 8
 * @category Endpoint builders
 */
export function interruptOut(
  options: InterruptOptions = {},
): OutEndpointDefinition<"interrupt"> {
  return { kind: "out", transferType: "interrupt", ...options };
}

/**
 * Declares two adjacent interrupt endpoints under one name, one in each direction, as in HID devices with output
 * reports.
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
 *
 * @priority 8
 * @category Endpoint builders
 */
export function interruptPair(
  options: InterruptPairOptions = {},
): PairEndpointDefinition<"interrupt"> {
  return pair("interrupt", options);
}

/**
 * Declares an isochronous endpoint that sends to the host.
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
 *
 * @priority 8
 * @category Endpoint builders
 */
export function isochronousIn(
  options: IsochronousOptions = {},
): InEndpointDefinition<"isochronous"> {
  return { kind: "in", transferType: "isochronous", ...options };
}

/**
 * Declares an isochronous endpoint that receives from the host.
 *
 * @priority 8
 * @category Endpoint builders
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

/** Gives both endpoints the options of the pair. */
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
 * Puts the options of one endpoint over those of the pair, and merges those for each speed. What is not an object stays,
 * and is refused when the function is checked.
 */
function merge(
  shared: EndpointSettings,
  own: EndpointSettings = {},
): EndpointSettings {
  if (!isObject(own)) return own;
  const speeds = (["full", "high", "super"] as const)
    .filter((it) => isObject(shared[it]) && isObject(own[it]))
    .map((it) => [it, { ...shared[it], ...own[it] }]);
  return { ...shared, ...own, ...Object.fromEntries(speeds) };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
