/**
 * FunctionFS blocks back to a definition.
 *
 * @module
 */

import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import { decodeFunctionBlock } from "./decode_block.ts";
import type { FunctionDefinition } from "../definition/function.ts";
import { cannot, plannedEndpoint } from "./endpoint_from_nodes.ts";
import {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_VIRTUAL_ADDR,
} from "../compile/functionfs_abi.ts";
import type {
  ExtendedPropertyType,
  MicrosoftOsFeature,
} from "../definition/microsoft_os.ts";
import { PROPERTY_TYPES } from "../compile/microsoft_os_encoding.ts";
import {
  type NormalAssociation,
  normalForm,
  type NormalSetting,
} from "./normal_form.ts";
import { hex } from "../arguments/show.ts";
import type {
  DescriptorNode,
  FunctionBlockTree,
  InterfaceNode,
  OsFeatureNode,
} from "./tree.ts";

/** What the blocks do not say. */
export interface FromBlocksOptions {
  /**
   * The name of the function.
   *
   * @default {"function"}
   */
  readonly name?: string;
  /**
   * The names of the endpoints, in file order. Two adjacent equal names make a pair.
   *
   * @default {["ep1", "ep2", ...]}
   */
  readonly endpointNames?: readonly string[];
  /**
   * What was added to the first interface of associations.
   *
   * @default {0}
   */
  readonly interfaceOffset?: number;
}

/**
 * Makes a definition of blocks that were written for FunctionFS, by this package or by another program. The result is in
 * {@linkcode normalizeDefinition | normal form} and compiles to the same bytes.
 *
 * @param descriptors The descriptors block.
 * @param strings The strings block. Without it, the definition has no descriptions.
 * @param options Names, which are not in the blocks.
 * @returns The definition, not yet validated.
 * @throws {RangeError} When a block is cut off, or is none.
 * @throws {TypeError} When the blocks say something that a definition cannot.
 *
 * @example Usage
 * ```ts
 * import {
 *   bulkPair,
 *   compileFunction,
 *   definitionFromBlocks,
 *   normalizeDefinition,
 *   usbFunction,
 * } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 * });
 * const { descriptors, strings } = compileFunction(echo);
 * const again = definitionFromBlocks(descriptors, strings, {
 *   name: "echo",
 *   endpointNames: ["link", "link"],
 * });
 * assertEquals(again, normalizeDefinition(echo));
 * ```
 */
export function definitionFromBlocks(
  descriptors: Uint8Array,
  strings?: Uint8Array,
  options: FromBlocksOptions = {},
): FunctionDefinition {
  const tree = decodeFunctionBlock(descriptors, strings);
  const speeds = FUNCTION_SPEEDS.filter((it) => tree.speeds[it]?.length);
  const lists = speeds.map((it) => tree.speeds[it] ?? []);
  if (lists.length === 0) throw cannot("no speed has descriptors");
  const [nodes] = lists;
  const otg = nodes.find((it) => it.kind === "otg");
  return normalForm({
    name: options.name ?? "function",
    speeds,
    languages: tree.languages.map((it) => it.language),
    settings: settingsOf(tree, speeds, lists, options.endpointNames),
    associations: associationsOf(tree, nodes, options.interfaceOffset ?? 0),
    microsoftOs: tree.microsoftOs.flatMap(featuresOf),
    options: {
      ...(otg ? { otg: { srp: otg.srp, hnp: otg.hnp } } : {}),
      allControlRecipients: (tree.flags & FUNCTIONFS_ALL_CTRL_RECIP) !== 0,
      config0Setup: (tree.flags & FUNCTIONFS_CONFIG0_SETUP) !== 0,
      rwProxy: (tree.flags & FUNCTIONFS_RW_PROXY_EPS) !== 0,
      virtualAddresses: (tree.flags & FUNCTIONFS_VIRTUAL_ADDR) !== 0,
    },
  });
}

function settingsOf(
  tree: FunctionBlockTree,
  speeds: readonly FunctionSpeed[],
  lists: readonly (readonly DescriptorNode[])[],
  names: readonly string[] | undefined,
): NormalSetting[] {
  const all = lists.map((nodes) => nodes.filter(isInterface));
  const [first, ...others] = all;
  for (const nodes of lists) {
    const stray = nodes.find((it) =>
      it.kind === "endpoint" || it.kind === "functional" ||
      it.kind === "unknown"
    );
    if (stray) {
      throw cannot(
        `a descriptor of kind "${stray.kind}" stands outside of interfaces`,
      );
    }
  }
  for (const settings of others) {
    if (shape(settings) !== shape(first)) {
      throw cannot("the speeds have different interfaces or endpoints");
    }
  }
  checkOrder(first);
  let index = 0;
  return first.map((node, position) => {
    const endpoints = node.endpoints.map((endpoint, place) => {
      const number = index++;
      const name = names?.[number] ?? `ep${number + 1}`;
      const paired = names !== undefined &&
        (names[number - 1] === name || names[number + 1] === name);
      const bySpeed = speeds.map((speed, list) =>
        [speed, all[list][position].endpoints[place]] as const
      );
      return plannedEndpoint(endpoint, bySpeed, {
        name,
        paired,
        index: number + 1,
      });
    });
    return {
      interfaceNumber: node.number,
      alternateSetting: node.alternate,
      class: node.class,
      subclass: node.subclass,
      protocol: node.protocol,
      description: undefined,
      texts: textsOf(tree, node.string),
      descriptors: node.descriptors.map((it) => {
        if (it.kind === "functional") return it.descriptor;
        throw cannot(`descriptor type ${hex(it.type)} has no place in it`);
      }),
      endpoints,
    };
  });
}

function isInterface(node: DescriptorNode): node is InterfaceNode {
  return node.kind === "interface";
}

/** What must be the same at all speeds. */
function shape(settings: readonly InterfaceNode[]): string {
  return JSON.stringify(settings.map((it) => ({
    ...it,
    endpoints: it.endpoints.map(({ address, attributes, refresh }) => ({
      address,
      attributes,
      refresh,
    })),
  })));
}

/** Interfaces count from 0, and the settings of one follow each other. */
function checkOrder(settings: readonly InterfaceNode[]): void {
  let number = -1;
  let alternate = 0;
  for (const it of settings) {
    if (it.alternate === 0) {
      number++;
      alternate = 0;
    } else {
      alternate++;
    }
    if (it.number !== number || it.alternate !== alternate) {
      throw cannot(
        `interface ${it.number} alternate ${it.alternate} is out of order`,
      );
    }
  }
}

function textsOf(
  tree: FunctionBlockTree,
  index: number,
): string[] | undefined {
  if (index === 0 || tree.languages.length === 0) return undefined;
  return tree.languages.map(({ strings }) => {
    const text = strings[index - 1];
    if (text === undefined) throw cannot(`string ${index} is missing`);
    return text;
  });
}

function associationsOf(
  tree: FunctionBlockTree,
  nodes: readonly DescriptorNode[],
  offset: number,
): NormalAssociation[] {
  return nodes.filter((it) => it.kind === "association").map((it) => ({
    firstInterface: it.firstInterface - offset,
    interfaceCount: it.interfaceCount,
    class: it.class,
    subclass: it.subclass,
    protocol: it.protocol,
    texts: textsOf(tree, it.string),
  }));
}

const TYPES: ReadonlyMap<number, ExtendedPropertyType> = new Map(
  Object.entries(PROPERTY_TYPES).map(([name, type]) => [
    type,
    name as ExtendedPropertyType,
  ]),
);

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function featuresOf(node: OsFeatureNode): MicrosoftOsFeature[] {
  const ids = node.compatibleIds.map((it) => ({
    kind: "compatible-id" as const,
    ...it,
  }));
  const properties = node.properties.map(({ type, name, value }) => {
    const typeName = TYPES.get(type);
    if (typeName === undefined) {
      throw cannot(`property "${name}" is of type ${type}`);
    }
    return {
      kind: "property" as const,
      interface: node.interface,
      type: typeName,
      name,
      value: typeName === "binary"
        ? value
        : decoder.decode(new Uint8Array(value)).replace(/\0$/, ""),
    };
  });
  return [...ids, ...properties];
}
