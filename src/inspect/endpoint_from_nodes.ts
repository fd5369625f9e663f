/**
 * Turns decoded endpoints back into definitions.
 *
 * @module
 */

import type { FunctionSpeed } from "../usb/speed.ts";
import type {
  EndpointDefinition,
  EndpointSettings,
  SuperSpeedSettings,
} from "../definition/endpoint.ts";
import { hex } from "../arguments/show.ts";
import type { EndpointNode } from "./descriptor_nodes.ts";

/** An endpoint at each speed. */
export type EndpointAtSpeeds = readonly {
  readonly speed: FunctionSpeed;
  readonly node: EndpointNode;
}[];

/** Returns the error for a block that cannot become a definition. */
export function cannot(reason: string): TypeError {
  return new TypeError(`Cannot make a definition of the block: ${reason}`);
}

/** Returns the endpoints of a setting by name. Two adjacent equal names make a pair. */
export function endpointRecord(
  endpoints: readonly EndpointAtSpeeds[],
  names: readonly string[],
): Record<string, EndpointDefinition> {
  const record: Record<string, EndpointDefinition> = {};
  for (let i = 0; i < endpoints.length; i++) {
    const name = names[i];
    const { direction, transferType } = endpoints[i][0].node;
    for (const { speed, node } of endpoints.slice(i, i + 2).flat()) {
      const reason = endpointProblem(node, speed);
      if (reason) throw cannot(`endpoint ${hex(node.address)} ${reason}`);
    }
    if (transferType === "control") continue;
    const settings = explicitSettings(endpoints[i]);
    if (names[i + 1] !== name) {
      record[name] = { kind: direction, transferType, ...settings };
      continue;
    }
    const other = explicitSettings(endpoints[++i]);
    const [input, output] = direction === "in"
      ? [settings, other]
      : [other, settings];
    record[name] = {
      kind: "pair",
      transferType,
      first: direction,
      in: input,
      out: output,
    };
  }
  return record;
}

/** Explains why a definition cannot have an endpoint, after its name; `undefined` if it can. */
export function endpointProblem(
  { transferType, transactions, companion }: EndpointNode,
  speed: FunctionSpeed,
): string | undefined {
  if (transferType === "control") return "is a control endpoint";
  if (transactions > 1 && (speed !== "high" || transferType === "bulk")) {
    return `has transactions at ${speed} speed`;
  }
  return speed === "super" && companion === undefined
    ? "has no companion"
    : undefined;
}

function explicitSettings(endpoint: EndpointAtSpeeds): EndpointSettings {
  const { address, synchronization, usage, refresh, synchAddress } =
    endpoint[0].node;
  return {
    address,
    ...(synchronization ? { synchronization } : {}),
    ...(usage ? { usage } : {}),
    ...(refresh === undefined ? {} : { audio: { refresh, synchAddress } }),
    ...Object.fromEntries(
      endpoint.map(({ speed, node }) => [speed, speedSettings(node, speed)]),
    ),
  };
}

function speedSettings(
  { transferType, companion, ...node }: EndpointNode,
  speed: FunctionSpeed,
): SuperSpeedSettings {
  const { maxPacketSize, interval, transactions } = node;
  const isPeriodic = transferType !== "bulk";
  const settings = { maxPacketSize, interval };
  if (speed === "full") return settings;
  if (speed === "high") {
    return { ...settings, ...(isPeriodic ? { transactions } : {}) };
  }
  if (companion === undefined) return settings;
  const { maxBurst, streams, mult, bytesPerInterval } = companion;
  return {
    ...settings,
    maxBurst,
    ...(isPeriodic ? { bytesPerInterval } : { streams }),
    ...(transferType === "isochronous" ? { mult } : {}),
  };
}
