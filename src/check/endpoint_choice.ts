/**
 * Device controllers, and the endpoints that the kernel picks from them.
 *
 * @module
 */

import {
  type Direction,
  type TransferType,
  USB_DIR_IN,
} from "../usb/endpoint_attributes.ts";
import {
  type FunctionSpeed,
  functionSpeed,
  type Speed,
  SPEEDS,
} from "../usb/speed.ts";

/**
 * An endpoint of a device controller.
 *
 * @category Inspect
 */
export interface UdcEndpoint {
  /** The endpoint number. Without it, the endpoint gets the next free number of its direction when it is picked. */
  readonly number?: number;
  /** The directions it can have. */
  readonly directions: readonly Direction[];
  /** The transfer types it can have. */
  readonly types: readonly TransferType[];
  /**
   * The largest packet, in bytes.
   *
   * @default {1024}
   */
  readonly maxPacketSize?: number;
}

/**
 * What a device controller can do.
 *
 * @category Inspect
 */
export interface UdcCapabilities {
  /** A name for messages, such as `dummy_udc.0`. */
  readonly name?: string;
  /** The highest speed of the gadget: the lower one of the controller's `maximum_speed` and the gadget's `max_speed`. */
  readonly maximumSpeed?: Speed;
  /** The endpoints, in the order in which the kernel tries them. The kernel does not report them. */
  readonly endpoints?: readonly UdcEndpoint[];
}

/** What the kernel looks at when it picks an endpoint. */
export interface EndpointRequest {
  readonly direction: Direction;
  readonly transferType: TransferType;
  /** Bytes in a packet, in the first list of descriptors. */
  readonly maxPacketSize: number;
}

/**
 * Picks an endpoint of a controller for each request, first fit in order as `usb_ep_autoconfig()` does. An interrupt
 * request may get a bulk endpoint.
 *
 * @returns The address for each request, or `undefined` if no endpoint is left for it, or `udc` lists none.
 */
export function pickEndpoints(
  udc: UdcCapabilities,
  requests: readonly EndpointRequest[],
): (number | undefined)[] {
  const free = [...udc.endpoints ?? []];
  const last: Record<Direction, number> = { in: 0, out: 0 };
  return requests.map((request) => {
    const index = free.findIndex((it) => matches(it, request));
    if (index < 0) return undefined;
    const [endpoint] = free.splice(index, 1);
    const number = endpoint.number ?? ++last[request.direction];
    if (number > 15) return undefined;
    return request.direction === "in" ? USB_DIR_IN | number : number;
  });
}

function matches(endpoint: UdcEndpoint, request: EndpointRequest): boolean {
  const { directions, types, maxPacketSize = 1024 } = endpoint;
  const { direction, transferType } = request;
  if (!directions.includes(direction)) return false;
  if (request.maxPacketSize > maxPacketSize) return false;
  return types.includes(transferType) ||
    (transferType === "interrupt" && types.includes("bulk"));
}

/**
 * Explains why a host would find no configuration at the highest speed of a controller: only functions with
 * descriptors for the speed of the bus are offered. Returns `undefined` without a problem, or a known maximum speed.
 */
export function udcSpeedProblem(
  udc: UdcCapabilities,
  speeds: readonly FunctionSpeed[],
): string | undefined {
  const { maximumSpeed } = udc;
  if (maximumSpeed === undefined) return undefined;
  const needed = functionSpeed(maximumSpeed);
  if (needed !== undefined && speeds.includes(needed)) return undefined;
  const name = udc.name === undefined ? "The controller" : `"${udc.name}"`;
  const slower = speeds.some((it) =>
    SPEEDS.indexOf(`${it}-speed`) < SPEEDS.indexOf(maximumSpeed)
  );
  return `${name} runs at ${maximumSpeed}, for which the function has no descriptors, so a host finds no configuration: add the speed${
    slower ? ", or limit the gadget's max_speed" : ""
  }`;
}

const fixed = (
  number: number,
  direction: Direction,
  type: TransferType,
): UdcEndpoint => ({ number, directions: [direction], types: [type] });

const generic = (direction: Direction): UdcEndpoint => ({
  directions: [direction],
  types: ["bulk", "interrupt"],
});

/** The endpoints `ep-aout` to `ep-mout`. */
const GENERIC_DIRECTIONS: readonly Direction[] = [
  ...["out", "in", "out", "out", "in", "out", "in"] as const,
  ...["out", "out", "in", "out", "in", "out"] as const,
];

/**
 * The controller that the kernel module `dummy_hcd` emulates (Linux 7.3, `is_super_speed=1`). It has no isochronous
 * endpoints. Its generic endpoints repeat the numbers of others, so a host can use four bulk endpoints in each
 * direction only.
 *
 * @category Inspect
 */
export const DUMMY_UDC: UdcCapabilities = {
  name: "dummy_udc.0",
  maximumSpeed: "super-speed",
  endpoints: [
    fixed(1, "in", "bulk"),
    fixed(2, "out", "bulk"),
    fixed(5, "in", "interrupt"),
    fixed(6, "in", "bulk"),
    fixed(7, "out", "bulk"),
    fixed(10, "in", "interrupt"),
    fixed(11, "in", "bulk"),
    fixed(12, "out", "bulk"),
    fixed(15, "in", "interrupt"),
    fixed(1, "out", "bulk"),
    fixed(2, "in", "bulk"),
    ...GENERIC_DIRECTIONS.map(generic),
  ],
};
