/**
 * Whether the attributes in a gadget's directory are what they should be.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { realPath } from "../../../ffi/file.ts";
import { type AttributeNode, type GadgetModel, isMedium } from "./tree.ts";
import { encodeValue, sameValue } from "./value.ts";
import type { TreeWriter } from "./writer.ts";

/** What a comparison depends on, apart from the directory and the model. */
export interface CompareOptions {
  /** What was applied before: attributes that only it has go back to the kernel's defaults. */
  readonly previous?: GadgetModel;
  /** How values read that the kernel shows in its own way. */
  readonly shown?: ShownValues;
  /** Only what lies at these paths or below counts. Everything by default. */
  readonly only?: readonly string[];
}

/** Compares the attributes of a gadget's directory with those of a model. */
export class TreeComparison {
  readonly #writer: TreeWriter;
  readonly #options: CompareOptions;

  constructor(writer: TreeWriter, options: CompareOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Whether an attribute of `directory` need not be written. */
  same(directory: string, node: AttributeNode): boolean {
    const path = directory === "" ? node.path : `${directory}/${node.path}`;
    const { shown, only } = this.#options;
    const counts = only === undefined ||
      only.some((it) => path === it || path.startsWith(`${it}/`));
    if (!counts) return true;
    try {
      const actual = this.#writer.read(path);
      return sameValue(actual, node) ||
        isMedium(node.path) && sameValue(actual, withRealPath(node)) ||
        shown?.has(path, node, actual) === true;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return false;
      // Write-only, an action: it is done once for each definition that adds it.
      if (isSystemError(error, "EACCES")) return this.#wasDone(directory, node);
      throw error;
    }
  }

  /** Whether an attribute cannot be read: it has no state to go back to. */
  isWriteOnly(path: string): boolean {
    try {
      this.#writer.read(path);
      return false;
    } catch (error) {
      return isSystemError(error, "EACCES");
    }
  }

  /** Whether the previous definition had the same action; that of another process counts as one. */
  #wasDone(directory: string, { path, value }: AttributeNode): boolean {
    const { previous } = this.#options;
    return previous === undefined ||
      previous.functions.some((each) =>
        `functions/${each.directory}` === directory &&
        each.attributes.some((it) => it.path === path && it.value === value)
      );
  }
}

/** The attribute as the kernel shows it. */
function withRealPath(node: AttributeNode): AttributeNode {
  const { value } = node;
  if (typeof value !== "string" || value === "") return node;
  try {
    return { ...node, value: realPath(value) };
  } catch (error) {
    // Writing it shows whether the kernel can open it.
    if (isSystemError(error)) return node;
    throw error;
  }
}

/**
 * Attributes that read differently from what was written: some drivers sort,
 * round or spell values in their own way, or overrule them.
 */
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

  /** Whether an attribute still reads as it did after this value was written. */
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
