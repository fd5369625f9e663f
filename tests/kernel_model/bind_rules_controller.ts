/**
 * What goes wrong with accepted descriptors on a device controller.
 *
 * @module
 */

import {
  addressDirection,
  attributesTransferType,
} from "../../src/usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../../src/usb/speed.ts";
import { FUNCTIONFS_VIRTUAL_ADDR } from "../../src/compile/functionfs_abi.ts";
import { hex, type ProblemList } from "../../src/check/problem_list.ts";
import {
  type EndpointRequest,
  pickEndpoints,
  udcSpeedProblem,
} from "../../src/check/endpoint_choice.ts";
import type { ValidationContext } from "../../src/check/function/context.ts";
import type { AcceptedDescriptors } from "./write_model.ts";
import { isEndpoint, packetSize } from "./write_model_list.ts";

/**
 * Finds what the controller cannot do. The kernel picks its endpoints with the descriptors of the first speed that has
 * any.
 *
 * @param list Where problems go.
 * @param block The block.
 * @param speeds The speeds with descriptors.
 * @param first The first speed with endpoints, if there is one.
 * @param context Where the function will run.
 */
export function validateController(
  list: ProblemList,
  block: AcceptedDescriptors,
  speeds: readonly FunctionSpeed[],
  first: FunctionSpeed | undefined,
  { udc }: ValidationContext,
): void {
  const endpoints = first ? block.lists[first].filter(isEndpoint) : [];
  for (const direction of ["in", "out"] as const) {
    const same = endpoints.filter(({ bytes }) =>
      addressDirection(bytes[2]) === direction
    );
    if (same.length <= 15) continue;
    list.bind(
      "endpoint-count",
      same[15].path,
      `There are ${same.length} ${direction.toUpperCase()} endpoints, but a device has 15 in one direction: use fewer`,
    );
  }
  if (udc === undefined) return;
  const name = udc.name === undefined ? "The controller" : `"${udc.name}"`;
  const speedProblem = udcSpeedProblem(udc, speeds);
  if (speedProblem) list.configure("udc-speed", "descriptors", speedProblem);
  if (udc.endpoints === undefined) return;
  const requests: EndpointRequest[] = [];
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
  pickEndpoints(udc, requests).forEach((real, index) => {
    const { bytes, path } = endpoints[index];
    if (real === undefined) {
      list.bind(
        "udc-endpoints",
        path,
        `${name} has no such endpoint left: use fewer`,
      );
      return;
    }
    if (owners.has(real)) {
      list.configure(
        "udc-endpoints",
        path,
        `${name} gives this endpoint the address ${
          hex(real)
        }, which another has already: use fewer endpoints in this direction`,
      );
    }
    owners.add(real);
    if (block.flags & FUNCTIONFS_VIRTUAL_ADDR && bytes[2] !== real) {
      list.configure(
        "virtual-address",
        path,
        `${name} gives this endpoint the address ${hex(real)}, not ${
          hex(bytes[2])
        }, so the host cannot set the configuration: use that address, or clear FUNCTIONFS_VIRTUAL_ADDR`,
      );
    }
  });
}
