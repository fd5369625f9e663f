/**
 * What the kernel makes of values: some drivers sort, round or spell them in
 * their own way, or overrule them.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { encodeValue, sameValue } from "./value.ts";
import { type AttributeNode, isMedium } from "./tree.ts";
import type { TreeWriter } from "./writer.ts";

/** Attributes that read differently from what was written, by their paths. */
export class ShownValues {
  readonly #values = new Map<string, { written: string; shown: string }>();

  /** Notes how all that was written reads now. */
  note(writer: TreeWriter): void {
    for (const [path, node] of writer.written) {
      this.#values.delete(path);
      // A link may lead elsewhere by the next time.
      if (isMedium(node.path)) continue;
      const actual = readIfPossible(writer, path);
      if (actual === undefined || sameValue(actual, node)) continue;
      this.#values.set(path, { written: key(node), shown: actual.toHex() });
    }
  }

  /** Whether a value is what became of another when that was written. */
  has(path: string, node: AttributeNode, actual: Uint8Array): boolean {
    const value = this.#values.get(path);
    return value?.written === key(node) && value.shown === actual.toHex();
  }
}

function key(node: AttributeNode): string {
  const value = encodeValue(node);
  return typeof value === "string" ? value : `bytes ${value.toHex()}`;
}

function readIfPossible(
  writer: TreeWriter,
  path: string,
): Uint8Array | undefined {
  try {
    return writer.read(path);
  } catch (error) {
    // Gone by now, or write-only.
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
