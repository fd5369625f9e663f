/**
 * Gadgets as text: in a few lines, or with everything that configfs and their
 * descriptors say.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { list, readFile } from "../../ffi/file.ts";
import { decodeText, isBinary } from "../gadget/configfs/value.ts";
import { decodeFunctionBlock } from "../inspect/decode_block.ts";
import { formatDescriptors } from "../inspect/format_descriptors.ts";
import type { DecodedFunctionBlock } from "../inspect/descriptor_nodes.ts";
import { recordedBlocks } from "../state/descriptors.ts";
import type {
  FoundConfiguration,
  FoundFunction,
  FoundGadget,
} from "./inventory.ts";

/** How deep to look for attributes: `lun.0/file`, but not the formats of uvc. */
const MAX_DEPTH = 3;

/** A gadget with the content of its functions. */
export interface GadgetTree extends FoundGadget {
  readonly functions: readonly FunctionTree[];
}

/** A function with its content. */
export interface FunctionTree extends FoundFunction {
  /** Attributes of a kernel function, by the paths of their files. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Descriptors of a function of FunctionFS, if there is a copy. */
  readonly descriptors?: DecodedFunctionBlock;
}

/** Reads the content of a gadget's functions. */
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
      // Some are write-only, or cannot be read at the moment.
      if (isSystemError(error)) return [];
      throw error;
    }
  });
}

function formatValue(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  return isBinary(text) ? `(${bytes.length} bytes)` : text;
}

/** A gadget in a few lines: identity, controller, owner, functions. */
export function formatGadget(gadget: FoundGadget): string {
  return [
    ...formatIdentity(gadget),
    ...Object.entries(gadget.configurations).map(([name, { functions }]) =>
      `  ${name}: ${functions.join(", ") || "no functions"}`
    ),
    ...gadget.functions.filter((it) => it.directory.startsWith("ffs."))
      .flatMap(formatFunction),
  ].join("\n");
}

/** The device, its configurations, and its functions with their content. */
export function formatGadgetTree(gadget: GadgetTree): string {
  const configurations = Object.entries(gadget.configurations);
  return [
    ...formatIdentity(gadget),
    `  ${formatAttributes(gadget.attributes)}`,
    ...configurations.map(([name, it]) => formatConfiguration(name, it)),
    ...gadget.functions.flatMap((it) => ["", ...formatFunctionTree(it)]),
  ].join("\n");
}

function formatIdentity(gadget: FoundGadget): string[] {
  const { name, ids, strings, udc, owner, pid } = gadget;
  const words = Object.values(strings).map((it) => JSON.stringify(it));
  const owners = {
    alive: `process ${pid}`,
    dead: `process ${pid}, which has left it behind`,
    persistent: "persistent",
    foreign: "not of this package",
  };
  return [
    `${name}  ${[ids, ...words].join(" ")}`,
    `  controller: ${udc || "none"}`,
    `  owner: ${owners[owner]}`,
  ];
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

/** A function of FunctionFS: where it is mounted, and which processes serve it. */
function formatFunction(found: FoundFunction): string[] {
  const { directory, ready, mounts, heldBy } = found;
  const state = ready === undefined ? "" : ready ? ", ready" : ", not ready";
  return [
    `  ${directory}: ${
      mounts.length === 0 ? "not mounted" : `on ${mounts.join(", ")}`
    }${state}`,
    ...heldBy.map(({ pid, program }) => `    held by ${pid} (${program})`),
  ];
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
    : formatDescriptors(descriptors);
  return [
    ...formatFunction(found),
    ...tree.split("\n").map((line) => `    ${line}`),
  ];
}
