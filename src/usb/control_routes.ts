/**
 * A table of control requests.
 *
 * @module
 */
import {
  type ControlAnswer,
  type ControlHandler,
  type SetupRequest,
  unhandled,
} from "./control.ts";
import type { Direction } from "./endpoint_attributes.ts";
import type { RequestRecipient, RequestType } from "./setup_packet.ts";

/** One kind of control request, and who answers it. */
export interface ControlRoute {
  /** `bRequest`. */
  readonly request: number;
  /**
   * The direction of the data, which a request without any has as well: a host
   * gives `"out"` then.
   *
   * @default {undefined} Both.
   */
  readonly direction?: Direction;
  /**
   * Who defines the request.
   *
   * @default {"vendor"}
   */
  readonly type?: RequestType;
  /**
   * Whom the request is for. What is not for an interface or an endpoint only
   * reaches a function with `allControlRecipients`.
   *
   * @default {"interface"}
   */
  readonly recipient?: RequestRecipient;
  /**
   * `wIndex`: the interface, counted within the function, or the number of the
   * endpoint.
   *
   * @default {undefined} Any.
   */
  readonly index?: number;
  /** Answers the request. */
  readonly handler: ControlHandler;
}

/**
 * Makes a control handler from a table. A request that is not in it, or whose
 * handler does not want it, is {@linkcode unhandled}.
 *
 * @param routes The table; the order does not matter. What `hidRequests` and
 * its like return can be spread into it.
 * @returns The handler, for `control` or `standardControl` of a function.
 * @throws {TypeError} When two routes are for the same request.
 *
 * @example Usage
 * ```ts
 * import { controlRoutes, usbFunction } from "@usb/gadget";
 *
 * let brightness = 0;
 * const lamp = usbFunction({
 *   name: "lamp",
 *   interfaces: [{ class: 0xff }],
 *   control: controlRoutes([
 *     {
 *       request: 0x01,
 *       direction: "in",
 *       handler: () => Uint8Array.of(brightness),
 *     },
 *     {
 *       request: 0x02,
 *       direction: "out",
 *       handler: (setup) => {
 *         brightness = setup.value & 0xff;
 *       },
 *     },
 *   ]),
 * });
 * ```
 */
export function controlRoutes(
  routes: readonly ControlRoute[],
): ControlHandler {
  const table = new Map<string, ControlHandler>();
  for (const route of routes) {
    const { type = "vendor", recipient = "interface", request, index } = route;
    const directions = route.direction === undefined
      ? ["in", "out"] as const
      : [route.direction];
    for (const direction of directions) {
      const packet = { direction, type, recipient, request };
      const key = keyOf(packet, index);
      if (table.has(key)) {
        throw new TypeError(`Cannot route control request "${key}" twice`);
      }
      table.set(key, route.handler);
    }
  }
  return async (setup) => {
    for (const index of [setup.index, undefined]) {
      const handler = table.get(keyOf(setup, index));
      if (handler === undefined) continue;
      const answer: ControlAnswer = await handler(setup);
      if (answer !== unhandled || setup.settled) return answer;
    }
    return unhandled;
  };
}

type RequestKind = Pick<
  SetupRequest,
  "direction" | "type" | "recipient" | "request"
>;

/** `"in vendor interface 0x01 at 0"` */
function keyOf(
  { direction, type, recipient, request }: RequestKind,
  index: number | undefined,
): string {
  const name = `0x${request.toString(16).padStart(2, "0")}`;
  const place = index === undefined ? "" : ` at ${index}`;
  return `${direction} ${type} ${recipient} ${name}${place}`;
}

/**
 * Makes the route of a class request to an interface.
 *
 * @param index The interface; undefined for all of the function.
 */
export function classRoute(
  index: number | undefined,
  direction: Direction,
  request: number,
  handler: ControlHandler,
): ControlRoute {
  const route = { type: "class", request, direction, handler } as const;
  return index === undefined ? route : { ...route, index };
}
