/**
 * Names that a host gives.
 *
 * @module
 */
import { ResponseError, type ResponseName } from "../protocol/response.ts";

/** Bytes of a name at most, as file systems have them. */
const MAX_BYTES = 255;

/**
 * Checks the name of a new object, so that it stays in its folder.
 *
 * @param otherwise The response to one that cannot be.
 */
export function checkName(
  name: string,
  otherwise: Exclude<ResponseName, "OK">,
): void {
  const isName = name !== "" && name !== "." && name !== ".." &&
    !name.includes("/") && !name.includes("\0") && name.isWellFormed() &&
    new TextEncoder().encode(name).byteLength <= MAX_BYTES;
  if (!isName) throw new ResponseError(otherwise);
}
