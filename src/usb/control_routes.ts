/**
 * A table of control requests.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkInteger,
  LIST,
  OBJECT,
} from "../arguments/rules.ts";
import { type ControlHandler, unhandled } from "./control.ts";
import type { Direction } from "./endpoint_attributes.ts";
import {
  encodeSetup,
  type RequestRecipient,
  type RequestType,
} from "./setup_packet.ts";

/**
 * One kind of control request, and its handler.
 *
 * @category Control
 */
export interface ControlRoute {
  /** `bRequest`. */
  readonly request: number;
  /** The direction of the data; `"out"` for a request without data. Without it, both directions. */
  readonly direction?: Direction;
  /**
   * Who defines the request.
   *
   * @default {"vendor"}
   */
  readonly type?: RequestType;
  /**
   * The recipient of the request. Only requests to an interface or an endpoint
   * reach a function without `allControlRecipients`.
   *
   * @default {"interface"}
   */
  readonly recipient?: RequestRecipient;
  /**
   * `wIndex`: the interface, counted within the function, or the number of the
   * endpoint. Without it, any.
   */
  readonly index?: number;
  /** Answers the request. */
  readonly handler: ControlHandler;
}

/**
 * Makes a control handler from a table. Requests that are not in the table are
 * {@linkcode unhandled}. A route with an index takes precedence over one
 * without.
 *
 * @param routes The table, in any order. The tables of classes, such as
 * `hidRequests()`, can be spread into it.
 * @returns The handler, for `control` or `standardControl` of a function.
 * @throws {TypeError} When two routes are for the same request, or a value has
 * the wrong type.
 * @throws {RangeError} When a number does not fit into its field.
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
 *
 * @category Control
 */
export function controlRoutes(
  routes: readonly ControlRoute[],
): ControlHandler {
  const action = "route control requests";
  checkArgument(action, "the table", routes, LIST);
  const table = new Map<number, ControlHandler>();
  for (const route of routes) {
    checkArgument(action, "a route", route, OBJECT);
    checkArgument(action, '"handler"', route.handler, CALLBACK);
    if (route.index !== undefined) {
      checkInteger(action, '"index"', route.index, 0xffff);
    }
    const { type = "vendor", recipient = "interface", request } = route;
    const directions = route.direction === undefined
      ? ["in", "out"] as const
      : [route.direction];
    for (const direction of directions) {
      const packet = encodeSetup({ direction, type, recipient, request });
      const key = keyOf(packet[0], request, route.index);
      if (table.has(key)) {
        throw new TypeError(
          `Cannot route two handlers: both are for ${direction} ${type} request ${request} to "${recipient}"`,
        );
      }
      table.set(key, route.handler);
    }
  }
  return (setup) => {
    const { requestType, request, index } = setup;
    const handler = table.get(keyOf(requestType, request, index)) ??
      table.get(keyOf(requestType, request, undefined));
    return handler === undefined ? unhandled : handler(setup);
  };
}

/** Combines the fields that select a handler into one number. */
function keyOf(
  requestType: number,
  request: number,
  index: number | undefined,
): number {
  return (index ?? -1) * 0x10000 + requestType * 0x100 + request;
}
