/**
 * A gadget with all that configfs and its FunctionFS functions tell, as data
 * and as text.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { list, readFile } from "../../ffi/file.ts";
import { decodeFunctionBlock } from "../inspect/decode_block.ts";
import { formatTree } from "../inspect/format_tree.ts";
import type { FunctionBlockTree } from "../inspect/tree.ts";
import { recordedBlocks } from "../state/descriptors.ts";
import type {
  FoundConfiguration,
  FoundFunction,
  FoundGadget,
} from "./inventory.ts";
import { formatFunction, formatIdentity } from "./gadget_text.ts";

/** Directories inside a function's that are worth a look, `lun.0` for one. */
const MAX_DEPTH = 3;

/** A gadget, and what its functions are. */
export interface GadgetTree extends FoundGadget {
  readonly functions: readonly FunctionTree[];
}

/** A function, and what it is. */
export interface FunctionTree extends FoundFunction {
  /** What configfs says of a function of the kernel, by the paths of its files. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** What a function of FunctionFS was registered with, where that is known. */
  readonly descriptors?: FunctionBlockTree;
}

/** Looks into the functions of a gadget. */
export function gadgetTree(gadget: FoundGadget): GadgetTree {
  const functions = gadget.functions.map((found): FunctionTree => {
    const { directory, mounts } = found;
    if (!directory.startsWith("ffs.")) {
      const path = `${gadget.path}/functions/${directory}`;
      return { ...found, attributes: Object.fromEntries(readAttributes(path)) };
    }
    const blocks = mounts.map(recordedBlocks).find((it) => it !== undefined);
    if (blocks === undefined) return found;
    const { descriptors, strings } = blocks;
    return { ...found, descriptors: decodeFunctionBlock(descriptors, strings) };
  });
  return { ...gadget, functions };
}

/** The device, its configurations, and their functions with what they are. */
export function formatGadgetTree(gadget: GadgetTree): string {
  const configurations = Object.entries(gadget.configurations);
  return [
    ...formatIdentity(gadget),
    `  ${formatAttributes(gadget.attributes)}`,
    ...configurations.map(([name, it]) => formatConfiguration(name, it)),
    ...gadget.functions.flatMap((it) => ["", ...formatFunctionTree(it)]),
  ].join("\n");
}

function formatConfiguration(
  name: string,
  { description, attributes, functions }: FoundConfiguration,
): string {
  const title = description === undefined
    ? name
    : `${name} ${JSON.stringify(description)}`;
  return `  ${title}, ${formatAttributes(attributes)}: ${
    functions.join(", ") || "no functions"
  }`;
}

function formatAttributes(attributes: Readonly<Record<string, string>>) {
  return Object.entries(attributes).map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function formatFunctionTree(found: FunctionTree): string[] {
  const { directory, attributes, descriptors } = found;
  if (attributes !== undefined) {
    return [
      `  ${directory}: a function of the kernel`,
      ...Object.entries(attributes).map((it) => `    ${it.join(" ")}`),
    ];
  }
  const tree = descriptors === undefined
    ? "no copy of its descriptors; it is not open, or not by this package"
    : formatTree(descriptors);
  return [
    ...formatFunction(found),
    ...tree.split("\n").map((line) => `    ${line}`),
  ];
}

/** The attributes of a kernel function, with their paths. */
function readAttributes(
  path: string,
  prefix = "",
  depth = 1,
): [string, string][] {
  return list(path).sort((a, b) => a.name < b.name ? -1 : 1).flatMap((it) => {
    const name = `${prefix}${it.name}`;
    const inner = `${path}/${it.name}`;
    if (it.isSymlink) return [];
    if (it.isDirectory) {
      return depth < MAX_DEPTH
        ? readAttributes(inner, `${name}/`, depth + 1)
        : [];
    }
    try {
      return [[name, formatValue(readFile(inner))]];
    } catch (error) {
      // Some can only be written, or not be read now.
      if (isSystemError(error)) return [];
      throw error;
    }
  });
}

function formatValue(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
    .replace(/[\n\0]+$/, "");
  // deno-lint-ignore no-control-regex -- a report descriptor is no text
  return /[\0-\x08\ufffd]/.test(text) ? `(${bytes.length} bytes)` : text;
}
