/**
 * The endpoints of a setting one by one, pairs taken apart.
 *
 * @module
 */

import type { Direction, TransferType } from "../usb/endpoint_attributes.ts";
import type {
  EndpointDefinition,
  EndpointRecord,
  EndpointSettings,
} from "../definition/endpoint.ts";

/** One endpoint of a record, with pairs taken apart. */
export interface DeclaredEndpoint {
  /** The declared name. */
  readonly name: string;
  /** Where it is declared. */
  readonly path: string;
  /** The direction. */
  readonly half: Direction;
  /** Whether it is half of a pair. */
  readonly paired: boolean;
  /** The transfer type. */
  readonly transferType: TransferType;
  /** What is said about it. */
  readonly settings: EndpointSettings;
}

/**
 * Takes the pairs of a record apart.
 *
 * @param endpoints The endpoints of one setting.
 * @param path Where the setting is.
 * @returns Single endpoints in file order.
 */
export function declaredEndpoints(
  endpoints: EndpointRecord | undefined,
  path: string,
): DeclaredEndpoint[] {
  const declared: DeclaredEndpoint[] = [];
  for (const [name, endpoint] of Object.entries(endpoints ?? {})) {
    declared.push(...halves(name, endpoint, `${path}.endpoints.${name}`));
  }
  return declared;
}

function halves(
  name: string,
  endpoint: EndpointDefinition,
  path: string,
): DeclaredEndpoint[] {
  const { kind, transferType } = endpoint;
  if (kind !== "pair") {
    const settings: EndpointSettings = endpoint;
    return [{ name, path, half: kind, paired: false, transferType, settings }];
  }
  const both = (["in", "out"] as const).map((half) => ({
    name,
    path: `${path}.${half}`,
    half,
    paired: true,
    transferType,
    settings: endpoint[half] ?? {},
  }));
  return endpoint.first === "out" ? both.reverse() : both;
}
