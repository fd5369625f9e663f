/**
 * Control requests in words, for messages.
 *
 * @module
 */
import { StandardRequest } from "./request.ts";
import type { SetupPacket } from "./setup_packet.ts";

const STANDARD_NAMES = new Map<number, string>(
  Object.entries(StandardRequest).map(([name, value]) => [value, name]),
);

/**
 * Describes a request: `IN vendor request 0x10 to interface 0 (value 0x0000,
 * length 4)`.
 */
export function describeRequest(setup: SetupPacket): string {
  const { direction, type, recipient, request, value, index, length } = setup;
  const number = hex(request, 2);
  const name = type === "standard" ? STANDARD_NAMES.get(request) : undefined;
  const numbered = recipient === "interface" || recipient === "endpoint";
  const fields = [
    `value ${hex(value, 4)}`,
    ...(numbered ? [] : [`index ${hex(index, 4)}`]),
    `length ${length}`,
  ];
  return [
    direction === "in" ? "IN" : "OUT",
    type,
    "request",
    name === undefined ? number : `${name} (${number})`,
    "to",
    numbered ? `${recipient} ${index}` : `recipient "${recipient}"`,
    `(${fields.join(", ")})`,
  ].join(" ");
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
