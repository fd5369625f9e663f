/**
 * The endpoints of a function as objects, under the names of its definition.
 *
 * @module
 */
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { EndpointsOf, UsbFunction } from "../../definition/function.ts";
import { EndpointPair, type PairFile } from "./pair.ts";
import { InEndpoint } from "./in_endpoint.ts";
import { OutEndpoint } from "./out_endpoint.ts";

/**
 * The object for a declared endpoint.
 *
 * @internal
 */
export type EndpointObject<D> = D extends { readonly kind: "in" } ? InEndpoint
  : D extends { readonly kind: "out" } ? OutEndpoint
  : D extends { readonly kind: "pair" } ? EndpointPair
  : never;

/**
 * The endpoints of a function under the names of its definition.
 * @category Endpoints
 */
export type EndpointObjects<F extends UsbFunction> = {
  readonly [K in keyof EndpointsOf<F>]: EndpointObject<EndpointsOf<F>[K]>;
};

/** Groups the endpoints of one direction as they were declared. */
export function nameEndpoints<F extends UsbFunction>(
  compiled: readonly CompiledEndpoint[],
  endpoints: readonly (InEndpoint | OutEndpoint)[],
  fileOf: (name: string) => PairFile,
): EndpointObjects<F> {
  const named: Record<string, InEndpoint | OutEndpoint | EndpointPair> = {};
  compiled.forEach(({ name }, index) => {
    const endpoint = endpoints[index];
    const other = named[name];
    if (other instanceof OutEndpoint && endpoint instanceof InEndpoint) {
      named[name] = new EndpointPair(endpoint, other, fileOf(name));
    } else if (other instanceof InEndpoint && endpoint instanceof OutEndpoint) {
      named[name] = new EndpointPair(other, endpoint, fileOf(name));
    } else {
      named[name] = endpoint;
    }
  });
  return Object.freeze(named) as EndpointObjects<F>;
}
