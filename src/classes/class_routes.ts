/**
 * What the request tables of all classes have in common.
 *
 * @module
 */
import { CALLBACK, checkOptions, NUMBER, TEXT } from "../arguments/rules.ts";
import type { Rules } from "../arguments/rules.ts";
import { unhandled } from "../usb/control.ts";
import type { ControlAnswer, ControlHandler } from "../usb/control.ts";
import type { ControlRoute } from "../usb/control_routes.ts";
import type { Direction } from "../usb/endpoint_attributes.ts";

/** Makes a route for a class request to an interface. */
export type ClassRoute = (
  direction: Direction,
  request: number,
  handler: ControlHandler,
) => ControlRoute;

const RULES = { function: CALLBACK, number: NUMBER, string: TEXT };

/**
 * Checks the options of a request table, and returns what makes its routes.
 *
 * @param requests What the table answers, for messages: `"HID requests"`.
 * @param types The type of each option except `interface`.
 * @throws {TypeError} If an option is unknown, missing or of the wrong type.
 */
export function classRoutes<T extends { readonly interface?: number }>(
  requests: string,
  options: T,
  types: {
    readonly [K in Exclude<keyof T, "interface">]-?: keyof typeof RULES;
  },
  required: readonly (keyof T & string)[] = [],
): ClassRoute {
  const rules = Object.entries<keyof typeof RULES>(types)
    .map(([name, type]) => [name, RULES[type]]);
  checkOptions(
    `answer ${requests}`,
    options,
    { interface: NUMBER, ...Object.fromEntries(rules) } as Rules<T>,
    required,
  );
  const { interface: index } = options;
  return (direction, request, handler) => ({
    type: "class",
    request,
    direction,
    handler,
    ...(index === undefined ? {} : { index }),
  });
}

/** Acknowledges a request when its action is done, or stalls it if it has none. */
export async function acknowledge(
  action: (() => unknown) | undefined,
): Promise<ControlAnswer> {
  if (action === undefined) return unhandled;
  await action();
}
