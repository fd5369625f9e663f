/**
 * The options that calls on endpoints share.
 *
 * @module
 */
import {
  checkArgument,
  checkOptions,
  NUMBER,
  oneOf,
  type Rules,
  SIGNAL,
} from "../../arguments/rules.ts";

/**
 * How to wait for an endpoint.
 * @category Endpoints
 */
export interface EndpointOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** Whether a transfer on a packet border gets a zero-length packet. */
export const ZLP = oneOf("auto", "never");

/** The rules of {@linkcode EndpointOptions}. */
export const ENDPOINT_RULES: Rules<EndpointOptions> = { signal: SIGNAL };

/** Checks options that contain only a signal; throws TypeError. */
export function checkSignal(action: string, options: EndpointOptions): void {
  checkOptions(action, options, ENDPOINT_RULES);
}

type AnyTransferOptions = EndpointOptions & { readonly zlp?: unknown };

/** Checks the options of a transfer, fast; throws TypeError. */
export function checkTransferOptions<T extends EndpointOptions>(
  action: string,
  name: string,
  options: T,
  rules: Rules<T> = ENDPOINT_RULES as Rules<T>,
): void {
  if (typeof options === "object" && options !== null) {
    const { signal, zlp }: AnyTransferOptions = options;
    let known = true;
    for (const key in options) known &&= key in rules;
    if (
      known &&
      (signal === undefined || signal instanceof AbortSignal) &&
      (zlp === undefined || ZLP.accepts(zlp))
    ) return;
  }
  checkOptions(`${action} endpoint "${name}"`, options, rules);
}

/** Checks how many transfers may be in flight at once. */
export function assertDepth(depth: number, action: string): void {
  checkArgument(action, '"depth"', depth, NUMBER);
  if (Number.isInteger(depth) && depth >= 1) return;
  throw new RangeError(
    `Cannot ${action}: the depth must be a positive integer, is ${depth}`,
  );
}
