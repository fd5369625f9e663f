/**
 * What goes wrong with accepted descriptors on a device controller.
 *
 * @module
 */

import {
  type BlockContext,
  type Controller,
  hex,
  VIRTUAL_ADDR,
} from "./kernel.ts";
import type { BlockProblems } from "./refusal.ts";
import {
  addressDirection,
  attributesTransferType,
} from "../../src/usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../../src/usb/speed.ts";
import type { AcceptedDescriptors } from "./write_model.ts";
import { isEndpoint, packetSize } from "./write_model_list.ts";

/** What `usb_ep_autoconfig()` looks at. */
interface Request {
  readonly direction: "in" | "out";
  readonly transferType: string;
  readonly maxPacketSize: number;
}

/** First fit in order; an interrupt endpoint also takes a bulk one. */
function autoconfig(
  free: NonNullable<Controller["endpoints"]>,
  requests: readonly Request[],
): (number | undefined)[] {
  const taken = new Set<unknown>();
  const last = { in: 0, out: 0 };
  return requests.map(({ direction, transferType, maxPacketSize }) => {
    const found = free.find((it) =>
      !taken.has(it) && it.directions.includes(direction) &&
      maxPacketSize <= (it.maxPacketSize ?? 1024) &&
      (it.types.includes(transferType) ||
        transferType === "interrupt" && it.types.includes("bulk"))
    );
    if (found === undefined) return undefined;
    taken.add(found);
    const number = found.number ?? ++last[direction];
    if (number > 15) return undefined;
    return direction === "in" ? 0x80 | number : number;
  });
}

/**
 * Finds what the controller cannot do. The kernel picks its endpoints with the descriptors of the first speed that has
 * any.
 */
export function validateController(
  list: BlockProblems,
  block: AcceptedDescriptors,
  speeds: readonly FunctionSpeed[],
  first: FunctionSpeed | undefined,
  { udc }: BlockContext,
): void {
  const endpoints = first ? block.lists[first].filter(isEndpoint) : [];
  for (const direction of ["in", "out"] as const) {
    const same = endpoints.filter(({ bytes }) =>
      addressDirection(bytes[2]) === direction
    );
    if (same.length <= 15) continue;
    list.bindFails(
      "endpoint-count",
      same[15].path,
      `There are ${same.length} ${direction.toUpperCase()} endpoints, but a device has 15 in one direction: use fewer`,
    );
  }
  if (udc === undefined) return;
  const name = udc.name === undefined ? "The controller" : `"${udc.name}"`;
  const { maximumSpeed } = udc;
  if (
    maximumSpeed !== undefined &&
    !speeds.some((it) => maximumSpeed.startsWith(`${it}-speed`))
  ) {
    list.configureFails(
      "udc-speed",
      "descriptors",
      `${name} runs at ${maximumSpeed}, for which there are no descriptors`,
    );
  }
  if (udc.endpoints === undefined) return;
  const requests: Request[] = [];
  for (const endpoint of endpoints) {
    const transferType = attributesTransferType(endpoint.bytes[3]);
    if (transferType === "control") return;
    requests.push({
      direction: addressDirection(endpoint.bytes[2]),
      transferType,
      maxPacketSize: packetSize(endpoint)[0],
    });
  }
  const owners = new Set<number>();
  autoconfig(udc.endpoints, requests).forEach((real, index) => {
    const { bytes, path } = endpoints[index];
    if (real === undefined) {
      list.bindFails(
        "udc-endpoints",
        path,
        `${name} has no such endpoint left: use fewer`,
      );
      return;
    }
    if (owners.has(real)) {
      list.configureFails(
        "udc-endpoints",
        path,
        `${name} gives this endpoint the address ${
          hex(real)
        }, which another has already: use fewer endpoints in this direction`,
      );
    }
    owners.add(real);
    if (block.flags & VIRTUAL_ADDR && bytes[2] !== real) {
      list.configureFails(
        "virtual-address",
        path,
        `${name} gives this endpoint the address ${hex(real)}, not ${
          hex(bytes[2])
        }, so the host cannot set the configuration: use that address, or clear FUNCTIONFS_VIRTUAL_ADDR`,
      );
    }
  });
}
