/**
 * Whether the attributes in a gadget's directory are what they should be.
 *
 * @module
 */
import { isSystemError } from "../../../ffi/errno.ts";
import { realPath } from "../../../ffi/file.ts";
import { sameValue } from "./value.ts";
import type { ShownValues } from "./shown_values.ts";
import { type AttributeNode, type GadgetModel, isMedium } from "./tree.ts";
import type { TreeWriter } from "./writer.ts";

/** What a comparison depends on, apart from the directory and the model. */
export interface CompareOptions {
  /** What was applied before: attributes that it names and the new one does not go back to the kernel's defaults. */
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

  /** Compares what `writer` reads. */
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
      if (isSystemError(error, "ENOENT")) return false; // Not there yet.
      // Write-only, an action: done once, with the definition that brings it.
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

  /** Whether the definition before had the same action; that of another process has. */
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
    // Whether it can be used the kernel says when it is written.
    if (isSystemError(error)) return node;
    throw error;
  }
}
