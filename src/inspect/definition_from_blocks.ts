/**
 * Turns FunctionFS blocks back into a definition.
 *
 * @module
 */

import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import {
  decodeFunctionBlock,
  propertyText,
  propertyTypeName,
} from "./decode_block.ts";
import type { FunctionDefinition } from "../definition/function.ts";
import { cannot, plannedEndpoint } from "./endpoint_from_nodes.ts";
import {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_VIRTUAL_ADDR,
} from "../compile/functionfs_abi.ts";
import type { MicrosoftOsFeature } from "../definition/microsoft_os.ts";
import {
  type NormalAssociation,
  normalForm,
  type NormalSetting,
} from "./normal_form.ts";
import { hex } from "../check/problem_list.ts";
import type {
  DecodedFunctionBlock,
  DescriptorNode,
  InterfaceNode,
  OsFeatureNode,
} from "./descriptor_nodes.ts";

/**
 * What the blocks do not contain.
 *
 * @category Inspect
 */
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
   * The offset that was added to the first interface of associations.
   *
   * @default {0}
   */
  readonly interfaceOffset?: number;
}

/**
 * Turns FunctionFS blocks, from this package or another program, back into a definition. The definition is in
 * {@linkcode normalizeDefinition | normal form}, compiles to the same bytes, and is not yet validated.
 *
 * @param descriptors The descriptors block.
 * @param strings The strings block. Without it, the definition has no descriptions.
 * @throws {RangeError} When the data is cut off or not a block.
 * @throws {TypeError} When the blocks contain something that a definition cannot express.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import {
 *   compileFunction,
 *   definitionFromBlocks,
 *   normalizeDefinition,
 * } from "@usb/gadget/inspect";
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
 *
 * @category Inspect
 */
export function definitionFromBlocks(
  descriptors: Uint8Array,
  strings?: Uint8Array,
  options: FromBlocksOptions = {},
): FunctionDefinition {
  const block = decodeFunctionBlock(descriptors, strings);
  const speeds = FUNCTION_SPEEDS.filter((it) => block.speeds[it]?.length);
  const lists = speeds.map((it) => block.speeds[it] ?? []);
  if (lists.length === 0) throw cannot("no speed has descriptors");
  const [nodes] = lists;
  const otg = nodes.find((it) => it.kind === "otg");
  return normalForm({
    name: options.name ?? "function",
    speeds,
    languages: block.languages.map((it) => it.language),
    settings: settingsOf(block, speeds, lists, options.endpointNames),
    associations: associationsOf(block, nodes, options.interfaceOffset ?? 0),
    microsoftOs: block.microsoftOs.flatMap(featuresOf),
    options: {
      ...(otg ? { otg: { srp: otg.srp, hnp: otg.hnp } } : {}),
      allControlRecipients: (block.flags & FUNCTIONFS_ALL_CTRL_RECIP) !== 0,
      config0Setup: (block.flags & FUNCTIONFS_CONFIG0_SETUP) !== 0,
      rwProxy: (block.flags & FUNCTIONFS_RW_PROXY_EPS) !== 0,
      virtualAddresses: (block.flags & FUNCTIONFS_VIRTUAL_ADDR) !== 0,
    },
  });
}

function settingsOf(
  block: DecodedFunctionBlock,
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
        `a descriptor of kind "${stray.kind}" is outside of interfaces`,
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
      texts: textsOf(block, node.string),
      descriptors: node.descriptors.map((it) => {
        if (it.kind === "functional") return it.descriptor;
        throw cannot(`it cannot carry descriptor type ${hex(it.type)}`);
      }),
      endpoints,
    };
  });
}

function isInterface(node: DescriptorNode): node is InterfaceNode {
  return node.kind === "interface";
}

/** Describes what must be the same at all speeds. */
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

/** Interfaces are numbered from 0, and the settings of each are adjacent. */
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
  block: DecodedFunctionBlock,
  index: number,
): string[] | undefined {
  if (index === 0 || block.languages.length === 0) return undefined;
  return block.languages.map(({ strings }) => {
    const text = strings[index - 1];
    if (text === undefined) throw cannot(`string ${index} is missing`);
    return text;
  });
}

function associationsOf(
  block: DecodedFunctionBlock,
  nodes: readonly DescriptorNode[],
  offset: number,
): NormalAssociation[] {
  return nodes.filter((it) => it.kind === "association").map((it) => ({
    firstInterface: it.firstInterface - offset,
    interfaceCount: it.interfaceCount,
    class: it.class,
    subclass: it.subclass,
    protocol: it.protocol,
    texts: textsOf(block, it.string),
  }));
}

function featuresOf(node: OsFeatureNode): MicrosoftOsFeature[] {
  const ids = node.compatibleIds.map((it) => ({
    kind: "compatible-id" as const,
    ...it,
  }));
  const properties = node.properties.map(({ type, name, value }) => {
    const typeName = propertyTypeName(type);
    if (typeName === undefined) {
      throw cannot(`property "${name}" is of type ${type}`);
    }
    return {
      kind: "property" as const,
      interface: node.interface,
      type: typeName,
      name,
      value: typeName === "binary" ? value : propertyText(value),
    };
  });
  return [...ids, ...properties];
}
