/**
 * Turns decoded endpoints back into planned ones.
 *
 * @module
 */

import type { TransferType } from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type {
  PlannedEndpoint,
  PlannedSpeed,
} from "../compile/endpoint_layout.ts";
import { hex } from "../check/problem_list.ts";
import type { EndpointNode } from "./descriptor_nodes.ts";

/** Returns the error for a block that cannot become a definition. */
export function cannot(reason: string): TypeError {
  return new TypeError(`Cannot make a definition of the block: ${reason}`);
}

/**
 * Combines the descriptors of an endpoint.
 *
 * @param node The endpoint at the first speed.
 * @param bySpeed The endpoint at all speeds.
 */
export function plannedEndpoint(
  node: EndpointNode,
  bySpeed: readonly (readonly [FunctionSpeed, EndpointNode])[],
  { name, paired, index }: Pick<PlannedEndpoint, "name" | "paired" | "index">,
): PlannedEndpoint {
  const { transferType, refresh, synchAddress } = node;
  if (transferType === "control") {
    throw cannot(`endpoint ${hex(node.address)} is a control endpoint`);
  }
  const speeds: Record<FunctionSpeed, PlannedSpeed> = {
    full: NOTHING,
    high: NOTHING,
    super: NOTHING,
  };
  for (const [speed, it] of bySpeed) {
    speeds[speed] = plannedSpeed(it, speed, transferType);
  }
  return {
    name,
    path: "",
    half: node.direction,
    paired,
    index,
    address: node.address,
    transferType,
    attributes: node.attributes,
    synchronization: node.synchronization,
    usage: node.usage,
    audio: refresh === undefined ? undefined : { refresh, synchAddress },
    speeds,
  };
}

const NOTHING: PlannedSpeed = {
  maxPacketSize: 0,
  transactions: 1,
  interval: 0,
  maxBurst: 0,
  streams: 0,
  mult: 0,
  bytesPerInterval: 0,
};

function plannedSpeed(
  node: EndpointNode,
  speed: FunctionSpeed,
  transferType: TransferType,
): PlannedSpeed {
  const { maxPacketSize, transactions, interval, companion } = node;
  if (transactions > 1 && (speed !== "high" || transferType === "bulk")) {
    throw cannot(
      `endpoint ${hex(node.address)} has transactions at ${speed} speed`,
    );
  }
  const planned = { ...NOTHING, maxPacketSize, transactions, interval };
  if (speed !== "super") return planned;
  if (companion === undefined) {
    throw cannot(`endpoint ${hex(node.address)} has no companion`);
  }
  const { maxBurst, streams, mult, bytesPerInterval } = companion;
  return { ...planned, maxBurst, streams, mult, bytesPerInterval };
}
