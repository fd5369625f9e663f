/**
 * What goes wrong with accepted Microsoft OS descriptors.
 *
 * @module
 */

import { EXTENDED_PROPERTIES, PROPERTY_LENGTH } from "./kernel.ts";
import type { BlockProblems } from "./refusal.ts";
import type { OsFeatureDescriptor } from "./write_model_os.ts";

/** String, expand-string, binary and link. */
const ANSWERED_TYPES: readonly number[] = [1, 2, 3, 6];
const BINARY = 3;

/**
 * Finds what the kernel makes wrong of a feature descriptor when the host asks for it.
 */
export function validateFeature(
  list: BlockProblems,
  { index, entries, path }: OsFeatureDescriptor,
): void {
  if (index !== EXTENDED_PROPERTIES) return;
  entries.forEach((bytes, number) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const type = view.getUint32(4, true);
    const nameLength = view.getUint16(8, true);
    const at = `${path}[${number}]`;
    if (!bytes.subarray(10, 10 + nameLength).includes(0)) {
      list.hazard(
        "os-terminator",
        `${at}.bPropertyName`,
        "The name has no terminator, so the kernel reads beyond it: end it with a NUL",
      );
    }
    if (!ANSWERED_TYPES.includes(type)) {
      list.configureFails(
        "os-property",
        `${at}.dwPropertyDataType`,
        `The kernel cannot answer with type ${type}, and stalls: use 1, 2, 3 or 6`,
      );
    } else if (
      type !== BINARY &&
      bytes.subarray(PROPERTY_LENGTH + nameLength).at(-1) !== 0
    ) {
      list.configureFails(
        "os-terminator",
        `${at}.bPropertyData`,
        "The text has no terminator, so the kernel overwrites its last character: end it with a NUL",
      );
    }
  });
}
