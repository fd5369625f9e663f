/**
 * The two formats of gadget files: TOML and JSON.
 *
 * @module
 */

import { hex } from "../../arguments/show.ts";

/** What a gadget file contains: tables, lists, texts, numbers and booleans. */
export type Content = Readonly<Record<string, unknown>>;

/**
 * Parses a gadget file: JSON if its name ends with `.json`, else TOML.
 *
 * @param path Names the file in errors.
 * @throws {SyntaxError} If the text is not in that format.
 */
export async function parseGadgetFile(
  text: string,
  path: string,
): Promise<Content> {
  const parse = path.endsWith(".json") ? JSON.parse : (await toml()).parse;
  try {
    return parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : error;
    throw new SyntaxError(`Cannot parse ${path}: ${reason}`);
  }
}

/** Numbers that readers expect in hexadecimal, as TOML has them. */
const DECIMAL =
  /^(vendorId|productId|deviceVersion|class|subclass|protocol|vendorCode|version) = (\d+)$/gm;

/** Writes what a gadget file contains as TOML. */
export async function formatToml(content: Content): Promise<string> {
  const { stringify } = await toml();
  return stringify(content).trim().replace(
    DECIMAL,
    (_: string, name: string, digits: string) => {
      const value = Number(digits);
      return `${name} = ${hex(value, value > 0xff ? 4 : 2)}`;
    },
  );
}

/** A dynamic import, so that the package can be checked without JSR. */
function toml() {
  return import("@std/toml");
}
