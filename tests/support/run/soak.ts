/**
 * The two sizes of a test: the full one for `deno task test:soak`, and a small one
 * for everyday runs.
 *
 * @module
 */

/** Returns the full count in a soak run, and the small one otherwise. */
export function soak(full: number, small: number): number {
  return Deno.env.get("GADGET_SOAK") === "1" ? full : small;
}
