/**
 * The endpoints of a function as objects, under the names of its definition.
 *
 * @module
 */
import type { EndpointsOf, UsbFunction } from "../../definition/function.ts";
import type { SessionLife } from "../session.ts";
import { EndpointPair, type PairFile } from "./pair.ts";
import { InEndpointCore } from "./in_core.ts";
import { InEndpoint } from "./in_endpoint.ts";
import type { OutEndpointCore } from "./out_core.ts";
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

/** Makes an object of an endpoint. */
export function endpointOf(
  core: InEndpointCore | OutEndpointCore,
  session?: SessionLife,
): InEndpoint | OutEndpoint {
  return core instanceof InEndpointCore
    ? new InEndpoint(core, session)
    : new OutEndpoint(core, session);
}

/**
 * Groups the endpoints of one direction as they were declared.
 *
 * @param session The only session that they belong to, if any.
 */
export function nameEndpoints<F extends UsbFunction>(
  cores: readonly (InEndpointCore | OutEndpointCore)[],
  fileOf: (name: string) => PairFile,
  session: SessionLife | undefined,
): EndpointObjects<F> {
  const named: Record<string, InEndpoint | OutEndpoint | EndpointPair> = {};
  for (const core of cores) {
    const { name } = core;
    const other = named[name];
    const endpoint = endpointOf(core, session);
    if (other instanceof OutEndpoint && endpoint instanceof InEndpoint) {
      named[name] = new EndpointPair(endpoint, other, fileOf(name));
    } else if (other instanceof InEndpoint && endpoint instanceof OutEndpoint) {
      named[name] = new EndpointPair(other, endpoint, fileOf(name));
    } else {
      named[name] = endpoint;
    }
  }
  return Object.freeze(named) as EndpointObjects<F>;
}
