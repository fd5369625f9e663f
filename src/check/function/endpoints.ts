/**
 * Rules for all endpoints of a function together.
 *
 * @module
 */

import type { FunctionDefinition } from "../../definition/function.ts";
import type { EndpointRecord } from "../../definition/endpoint.ts";
import { MAX_ENDPOINTS } from "../../compile/functionfs_abi.ts";
import type { Plan } from "../../compile/layout.ts";
import type { PlannedEndpoint } from "../../compile/endpoint_layout.ts";
import { hex, type ProblemList, show } from "../problem_list.ts";

/** Endpoint numbers that a device has in one direction. */
const MAX_ENDPOINTS_PER_DIRECTION = 15;

/**
 * Validates names, addresses and the number of endpoints.
 *
 * @param list Where problems go.
 * @param definition The function.
 * @param plan Its plan.
 */
export function validateEndpoints(
  list: ProblemList,
  definition: FunctionDefinition,
  { endpoints }: Plan,
): void {
  validateEndpointNames(list, definition);
  validateAddresses(list, endpoints);
  if (endpoints.length > MAX_ENDPOINTS) {
    list.write(
      "endpoint-count",
      endpoints[MAX_ENDPOINTS].path,
      `There are ${endpoints.length} endpoints, but FunctionFS takes ${MAX_ENDPOINTS} in one function: use fewer`,
    );
  }
  for (const half of ["in", "out"] as const) {
    const same = endpoints.filter((it) => it.half === half);
    if (same.length <= MAX_ENDPOINTS_PER_DIRECTION) continue;
    list.bind(
      "endpoint-count",
      same[MAX_ENDPOINTS_PER_DIRECTION].path,
      `There are ${same.length} ${half.toUpperCase()} endpoints, but a device has ${MAX_ENDPOINTS_PER_DIRECTION} in one direction: use fewer`,
    );
  }
}

function validateEndpointNames(
  list: ProblemList,
  { interfaces }: FunctionDefinition,
): void {
  const paths = new Map<string, string>();
  const check = (endpoints: EndpointRecord | undefined, setting: string) => {
    for (const name of Object.keys(endpoints ?? {})) {
      const path = `${setting}.endpoints.${name}`;
      const first = paths.get(name);
      if (first !== undefined) {
        list.configure(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is used at ${first} already: names are those of the whole function`,
        );
      } else if (name === "" || /^(0|[1-9][0-9]*)$/.test(name)) {
        list.configure(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is not possible: JavaScript moves whole numbers to the front, use a word`,
        );
      }
      paths.set(name, first ?? path);
    }
  };
  interfaces.forEach((it, number) => {
    check(it.endpoints, `interfaces[${number}]`);
    it.alternates?.forEach((alternate, index) =>
      check(alternate.endpoints, `interfaces[${number}].alternates[${index}]`)
    );
  });
}

function validateAddresses(
  list: ProblemList,
  endpoints: readonly PlannedEndpoint[],
): void {
  const owners = new Map<number, PlannedEndpoint>();
  for (const endpoint of endpoints) {
    const { address, path } = endpoint;
    const owner = owners.get(address);
    if (owner) {
      list.bind(
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
