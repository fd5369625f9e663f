/**
 * The rules for all endpoints of a function together.
 *
 * @module
 */

import { hex, show } from "../../arguments/show.ts";
import type { EndpointLayout } from "../../compile/endpoint_layout.ts";
import { MAX_ENDPOINTS } from "../../compile/functionfs_abi.ts";
import type { Layout, SettingLayout } from "../../compile/layout.ts";
import type { ProblemList } from "../problem.ts";

/** Endpoint numbers that a device has in one direction. */
const MAX_ENDPOINTS_PER_DIRECTION = 15;

/** Checks names, addresses and the number of endpoints. */
export function checkEndpoints(
  list: ProblemList,
  { settings, endpoints }: Layout,
): void {
  checkNames(list, settings);
  checkAddresses(list, endpoints);
  if (endpoints.length > MAX_ENDPOINTS) {
    list.writeFails(
      "endpoint-count",
      endpoints[MAX_ENDPOINTS].path,
      `There are ${endpoints.length} endpoints, but FunctionFS takes ${MAX_ENDPOINTS} in one function: use fewer`,
    );
  }
  for (const direction of ["in", "out"] as const) {
    const same = endpoints.filter((it) => it.direction === direction);
    if (same.length <= MAX_ENDPOINTS_PER_DIRECTION) continue;
    list.bindFails(
      "endpoint-count",
      same[MAX_ENDPOINTS_PER_DIRECTION].path,
      `There are ${same.length} ${direction.toUpperCase()} endpoints, but a device has ${MAX_ENDPOINTS_PER_DIRECTION} in one direction: use fewer`,
    );
  }
}

function checkNames(
  list: ProblemList,
  settings: readonly SettingLayout[],
): void {
  const paths = new Map<string, string>();
  for (const { declared, path: setting } of settings) {
    for (const name of Object.keys(declared.endpoints ?? {})) {
      const path = `${setting}.endpoints.${name}`;
      const first = paths.get(name);
      if (first !== undefined) {
        list.configureFails(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is used at ${first} already: give each endpoint of the function its own`,
        );
      } else if (name === "" || /^(0|[1-9][0-9]*)$/.test(name)) {
        list.configureFails(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is not possible: JavaScript moves whole numbers to the front, use a word`,
        );
      }
      paths.set(name, first ?? path);
    }
  }
}

function checkAddresses(
  list: ProblemList,
  endpoints: readonly EndpointLayout[],
): void {
  const owners = new Map<number, EndpointLayout>();
  for (const endpoint of endpoints) {
    const { address, path } = endpoint;
    const owner = owners.get(address);
    if (owner) {
      list.bindFails(
        "repeated-address",
        `${path}.address`,
        `Address ${
          hex(address)
        } is that of ${owner.path} already: no endpoint may appear twice, not even in two alternate settings`,
      );
    } else {
      owners.set(address, endpoint);
    }
  }
}
