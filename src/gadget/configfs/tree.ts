/**
 * What a gadget's directory in configfs should contain. Pure.
 *
 * @module
 */
import type { LocalizedString } from "../../definition/function.ts";
import { sortAttributes, sortLinks } from "./order.ts";
import { localized } from "../../check/gadget/values.ts";
import {
  configurationFunctions,
  functionDirectory,
  type GadgetDefinition,
  isKernelFunction,
} from "../../definition/gadget.ts";
import type {
  Attributes,
  AttributeValue,
} from "../../definition/kernel_attributes.ts";

/** A file and its value. */
export interface AttributeNode {
  /** Its path below the directory that it belongs to. */
  readonly path: string;
  /** What it should contain. */
  readonly value: AttributeValue;
  /** The kernel reads and writes it in hexadecimal without `0x`. */
  readonly hex?: boolean;
}

/** A directory below `functions/`. */
export interface FunctionNode {
  readonly directory: string;
  /** In the order in which the kernel takes them, as the links. */
  readonly attributes: readonly AttributeNode[];
  /** Links inside it: path and target, both below it. */
  readonly links: readonly (readonly [string, string])[];
}

/** A directory below `configs/`. */
export interface ConfigurationNode {
  readonly directory: string;
  readonly attributes: readonly AttributeNode[];
  /** Files by language directory. */
  readonly strings: ReadonlyMap<string, readonly AttributeNode[]>;
  /** Links to functions, in order: their names and the functions' directories. */
  readonly links: readonly (readonly [string, string])[];
}

/** A gadget's directory. */
export interface GadgetModel {
  readonly attributes: readonly AttributeNode[];
  readonly strings: ReadonlyMap<string, readonly AttributeNode[]>;
  readonly functions: readonly FunctionNode[];
  readonly configurations: readonly ConfigurationNode[];
  /** The configuration that `os_desc` links to. */
  readonly osConfiguration: string | undefined;
}

/** Attributes of rndis that are hexadecimal without saying so. */
const HEX_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  rndis: ["class", "subclass", "protocol"],
};

/** Whether an attribute names the medium of a drive; it reads as an absolute path without links. */
export function isMedium(path: string): boolean {
  return /^lun\.\d+\/file$/.test(path);
}

/** Says what the directory of a gadget should contain. */
export function modelGadget(
  definition: GadgetDefinition,
  name: string,
): GadgetModel {
  const { manufacturer, product, serialNumber, microsoftOs } = definition;
  const configurations = modelConfigurations(definition, name);
  const { configuration = 0 } = typeof microsoftOs === "object"
    ? microsoftOs
    : {};
  return {
    attributes: gadgetAttributes(definition),
    strings: stringFiles({
      manufacturer,
      product,
      serialnumber: serialNumber,
    }, ["0x409"]),
    functions: definition.functions.map((each) => ({
      directory: functionDirectory(name, each),
      attributes: isKernelFunction(each)
        ? sortAttributes(
          Object.entries(withReadOnly(each.attributes)).map((
            [path, value],
          ) => ({
            path,
            value,
            hex: HEX_ATTRIBUTES[each.type]?.includes(path) ?? false,
          })),
        )
        : [],
      links: isKernelFunction(each)
        ? sortLinks(Object.entries(each.links))
        : [],
    })),
    configurations,
    osConfiguration: microsoftOs
      ? configurations[configuration].directory
      : undefined,
  };
}

/** `cdrom` sets `ro`, and does not reset it: where `ro` is left out, it follows. */
function withReadOnly(attributes: Attributes): Attributes {
  const implied = Object.entries(attributes).flatMap(([path, value]) => {
    const [, drive] = /^(lun\.\d+)\/cdrom$/.exec(path) ?? [];
    return drive === undefined ? [] : [[`${drive}/ro`, value]];
  });
  return { ...Object.fromEntries(implied), ...attributes };
}

function gadgetAttributes(definition: GadgetDefinition): AttributeNode[] {
  const { microsoftOs, webUsb } = definition;
  const os = typeof microsoftOs === "object" ? microsoftOs : {};
  const nodes: Record<string, AttributeValue> = {
    idVendor: definition.vendorId,
    idProduct: definition.productId,
    bcdDevice: definition.deviceVersion ?? 0x0100,
    bDeviceClass: definition.class ?? 0,
    bDeviceSubClass: definition.subclass ?? 0,
    bDeviceProtocol: definition.protocol ?? 0,
    // The kernel's own default: as fast as the controller can.
    max_speed: definition.maxSpeed ?? "super-speed-plus",
  };
  if (definition.usbVersion !== undefined) {
    nodes.bcdUSB = definition.usbVersion;
  }
  if (microsoftOs) {
    nodes["os_desc/b_vendor_code"] = os.vendorCode ?? 0x01;
    nodes["os_desc/qw_sign"] = os.signature ?? "MSFT100";
  }
  nodes["os_desc/use"] = microsoftOs ? 1 : 0;
  if (webUsb !== undefined) {
    nodes["webusb/bVendorCode"] = webUsb.vendorCode ?? 0x02;
    nodes["webusb/bcdVersion"] = webUsb.version ?? 0x0100;
    nodes["webusb/landingPage"] = webUsb.landingPage ?? "";
  }
  nodes["webusb/use"] = webUsb !== undefined ? 1 : 0;
  return Object.entries(nodes).map(([path, value]) => ({ path, value }));
}

function modelConfigurations(
  definition: GadgetDefinition,
  name: string,
): ConfigurationNode[] {
  const { configurations = [{}] } = definition;
  const functions = configurationFunctions(definition);
  return configurations.map((each, index) => {
    const {
      maxPower = definition.maxPower ?? 500,
      selfPowered = definition.selfPowered ?? false,
      remoteWakeup = definition.remoteWakeup ?? false,
      description,
    } = each;
    const attributes = 0x80 | (selfPowered ? 0x40 : 0) |
      (remoteWakeup ? 0x20 : 0);
    return {
      directory: `c.${index + 1}`,
      attributes: [
        { path: "MaxPower", value: maxPower },
        { path: "bmAttributes", value: attributes },
      ],
      strings: stringFiles({ configuration: description }),
      links: functions[index].map((it, position) => {
        const directory = functionDirectory(name, it);
        return [linkName(position, directory), directory] as const;
      }),
    };
  });
}

/**
 * The order of links decides the numbers of interfaces, and configfs does not
 * tell it on all kernels; so the names do.
 */
function linkName(position: number, directory: string): string {
  return `${String(position).padStart(2, "0")}.${directory}`;
}

/**
 * Files of strings by language directory. A text for all languages is in each,
 * and so is the first one of a text that has not got the language.
 */
function stringFiles(
  texts: Readonly<Record<string, LocalizedString | undefined>>,
  always: readonly string[] = [],
): Map<string, AttributeNode[]> {
  const files = Object.entries(texts).map(([path, text]) => ({
    path,
    texts: new Map(
      text === undefined
        ? []
        : localized(text).map(([id, it]) => [`0x${id.toString(16)}`, it]),
    ),
    everywhere: typeof text !== "object",
  }));
  const languages = new Set(
    files.filter(({ everywhere }) => !everywhere)
      .flatMap(({ texts }) => [...texts.keys()]),
  );
  if (languages.size === 0) {
    const some = files.some(({ texts }) => texts.size > 0);
    for (const language of some ? ["0x409"] : always) languages.add(language);
  }
  return new Map(
    [...languages].map((language) => [
      language,
      files.map(({ path, texts }) => ({
        path,
        value: texts.get(language) ?? [...texts.values()][0] ?? "",
      })),
    ]),
  );
}
