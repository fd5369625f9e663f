/**
 * Endpoints of a tree back to planned ones.
 *
 * @module
 */

import type { TransferType } from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type {
  EndpointLayout,
  SpeedLayout,
} from "../compile/endpoint_layout.ts";
import { hex } from "../arguments/show.ts";
import type { EndpointNode } from "./tree.ts";

/**
 * Says that a block cannot become a definition.
 *
 * @param reason Why.
 * @returns The error to throw.
 */
export function cannot(reason: string): TypeError {
  return new TypeError(`Cannot make a definition of the block: ${reason}`);
}

/**
 * Makes a planned endpoint of what a block says about it at each speed.
 *
 * @param node The endpoint at the first speed.
 * @param bySpeed The endpoint at all speeds.
 * @param identity What the block does not say.
 * @returns The planned endpoint.
 */
export function plannedEndpoint(
  node: EndpointNode,
  bySpeed: readonly (readonly [FunctionSpeed, EndpointNode])[],
  { name, paired, index }: Pick<EndpointLayout, "name" | "paired" | "index">,
): EndpointLayout {
  const { transferType, refresh, synchAddress } = node;
  if (transferType === "control") {
    throw cannot(`endpoint ${hex(node.address)} is a control endpoint`);
  }
  const speeds: Record<FunctionSpeed, SpeedLayout> = {
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
    direction: node.direction,
    paired,
    index,
    address: node.address,
    transferType,
    settings: {},
    attributes: node.attributes,
    synchronization: node.synchronization,
    usage: node.usage,
    audio: refresh === undefined ? undefined : { refresh, synchAddress },
    speeds,
  };
}

const NOTHING: SpeedLayout = {
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
): SpeedLayout {
  const { maxPacketSize, transactions, interval, companion } = node;
  if (transactions > 1 && (speed !== "high" || transferType === "bulk")) {
    throw cannot(
      `endpoint ${hex(node.address)} has transactions at ${speed} speed`,
    );
  }
  if (speed !== "super") {
    return { ...NOTHING, maxPacketSize, transactions, interval };
  }
  if (companion === undefined) {
    throw cannot(`endpoint ${hex(node.address)} has no companion`);
  }
  const { maxBurst, streams, mult, bytesPerInterval } = companion;
  return {
    maxPacketSize,
    transactions,
    interval,
    maxBurst,
    streams,
    mult,
    bytesPerInterval,
  };
}
