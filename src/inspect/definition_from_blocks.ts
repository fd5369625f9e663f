/**
 * Turns FunctionFS blocks back into a definition.
 *
 * @module
 */

import { languageTag } from "../usb/language.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import {
  decodeFunctionBlock,
  propertyText,
  propertyTypeName,
} from "./decode_block.ts";
import type {
  AlternateDefinition,
  FunctionDefinition,
  InterfaceDefinition,
  LocalizedString,
} from "../definition/function.ts";
import { cannot, endpointRecord } from "./endpoint_from_nodes.ts";
import { compileFunction } from "../check/compile_function.ts";
import {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_VIRTUAL_ADDR,
} from "../compile/functionfs_abi.ts";
import type { MicrosoftOsFeature } from "../definition/microsoft_os.ts";
import { hex } from "../arguments/show.ts";
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
 * import { compileFunction, definitionFromBlocks } from "@usb/gadget/inspect";
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
 * assertEquals(again.interfaces[0].endpoints?.link.kind, "pair");
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
  if (speeds.length === 0) throw cannot("no speed has descriptors");
  const nodes = block.speeds[speeds[0]] ?? [];
  const otg = nodes.find((it) => it.kind === "otg");
  const { languages, flags } = block;
  return {
    name: options.name ?? "function",
    interfaces: interfacesOf(block, speeds, options.endpointNames),
    speeds,
    ...(languages.length > 0
      ? { languages: languages.map((it) => languageTag(it.language)) }
      : {}),
    associations: nodes.filter((it) => it.kind === "association").map((it) => ({
      firstInterface: it.firstInterface - (options.interfaceOffset ?? 0),
      interfaceCount: it.interfaceCount,
      class: it.class,
      subclass: it.subclass,
      protocol: it.protocol,
      ...describedBy(block, it.string),
    })),
    microsoftOs: block.microsoftOs.flatMap(featuresOf),
    ...(otg ? { otg: { srp: otg.srp, hnp: otg.hnp } } : {}),
    allControlRecipients: (flags & FUNCTIONFS_ALL_CTRL_RECIP) !== 0,
    config0Setup: (flags & FUNCTIONFS_CONFIG0_SETUP) !== 0,
    rwProxy: (flags & FUNCTIONFS_RW_PROXY_EPS) !== 0,
    virtualAddresses: (flags & FUNCTIONFS_VIRTUAL_ADDR) !== 0,
  };
}

/**
 * Returns the normal form of a valid definition: every default, address, packet size and interval is explicit, texts are
 * listed by language, and what has no order is sorted. Two definitions have the same normal form when they compile to
 * the same bytes and have the same names.
 *
 * @throws {DefinitionError} When the definition has problems.
 *
 * @example Usage
 * ```ts
 * import { interruptIn } from "@usb/gadget";
 * import { normalizeDefinition } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const normal = normalizeDefinition({
 *   name: "sensor",
 *   speeds: ["full"],
 *   interfaces: [{ class: 0xff, endpoints: { values: interruptIn() } }],
 * });
 * assertEquals(normal.interfaces[0].endpoints?.values, {
 *   kind: "in",
 *   transferType: "interrupt",
 *   address: 0x81,
 *   usage: "periodic",
 *   full: { maxPacketSize: 64, interval: 8 },
 * });
 * ```
 *
 * @category Inspect
 */
export function normalizeDefinition(
  definition: FunctionDefinition,
): FunctionDefinition {
  const { descriptors, strings, endpoints } = compileFunction(definition);
  return definitionFromBlocks(descriptors, strings, {
    name: definition.name,
    endpointNames: endpoints.map((it) => it.name),
  });
}

/** An interface while its alternate settings are added. */
type GrowingInterface = InterfaceDefinition & {
  readonly alternates: AlternateDefinition[];
};

function interfacesOf(
  block: DecodedFunctionBlock,
  speeds: readonly FunctionSpeed[],
  names: readonly string[] = [],
): InterfaceDefinition[] {
  const lists = speeds.map((it) => settingsOf(block.speeds[it] ?? []));
  const [first, ...others] = lists;
  if (others.some((settings) => shape(settings) !== shape(first))) {
    throw cannot("the speeds have different interfaces or endpoints");
  }
  let endpointCount = 0;
  const interfaces: GrowingInterface[] = [];
  first.forEach((node, position) => {
    const start = endpointCount;
    endpointCount += node.endpoints.length;
    const setting = {
      class: node.class,
      subclass: node.subclass,
      protocol: node.protocol,
      ...describedBy(block, node.string),
      descriptors: node.descriptors.map((it) => {
        if (it.kind === "functional") return it.descriptor;
        throw cannot(
          `a definition cannot carry descriptor type ${hex(it.type)}`,
        );
      }),
      endpoints: endpointRecord(
        node.endpoints.map((_, place) =>
          speeds.map((speed, index) => ({
            speed,
            node: lists[index][position].endpoints[place],
          }))
        ),
        node.endpoints.map((_, place) =>
          names[start + place] ?? `ep${start + place + 1}`
        ),
      ),
    };
    const { number, alternate } = node;
    const current = interfaces.at(-1);
    if (number === interfaces.length && alternate === 0) {
      interfaces.push({ ...setting, alternates: [] });
    } else if (
      current && number === interfaces.length - 1 &&
      alternate === current.alternates.length + 1
    ) {
      // Without a description, it would have that of the interface.
      const description = current.description && !setting.description
        ? { description: "" }
        : {};
      current.alternates.push({ ...setting, ...description });
    } else {
      throw cannot(
        `interface ${number} alternate ${alternate} is out of order`,
      );
    }
  });
  return interfaces;
}

/** Returns the interfaces of a speed, which must contain all other descriptors. */
function settingsOf(nodes: readonly DescriptorNode[]): InterfaceNode[] {
  return nodes.flatMap((it) => {
    switch (it.kind) {
      case "interface":
        return [it];
      case "association":
      case "otg":
        return [];
      default:
        throw cannot(
          `a descriptor of kind "${it.kind}" is outside of interfaces`,
        );
    }
  });
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

/** Returns a string in each language, if there is one. */
function describedBy(
  { languages }: DecodedFunctionBlock,
  index: number,
): { readonly description?: LocalizedString } {
  if (index === 0 || languages.length === 0) return {};
  const texts = languages.map(({ language, strings }) => {
    const text = strings[index - 1];
    if (text === undefined) throw cannot(`string ${index} is missing`);
    return [languageTag(language), text];
  });
  return { description: Object.fromEntries(texts) };
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
