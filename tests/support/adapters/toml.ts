/**
 * `@std/toml`, over the package smol-toml of npm, for machines without JSR.
 *
 * @module
 */
import * as toml from "smol-toml";

/** Parses TOML, into objects with a prototype as those of std. */
export function parse(tomlString: string): Record<string, unknown> {
  return structuredClone(toml.parse(tomlString));
}

/** Writes TOML. */
export function stringify(obj: Record<string, unknown>): string {
  return toml.stringify(obj);
}
