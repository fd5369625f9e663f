/**
 * The model of a gadget's directory in configfs: what it should contain. Pure.
 *
 * @module
 */
import type { LocalizedString } from "../../definition/function.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  isKernelFunction,
} from "../../definition/gadget.ts";
import { functionDirectory } from "../../definition/gadget_names.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";
import { languageId } from "../../usb/language.ts";
import { sortAttributes, sortLinks } from "./order.ts";

type Attributes = KernelFunction["attributes"];

/** A file and its value. */
export interface AttributeNode {
  /** Its path below the directory that it belongs to. */
  readonly path: string;
  /** What it should contain. */
  readonly value: Attributes[string];
  /** The kernel uses hexadecimal without `0x`. */
  readonly hex?: boolean;
}

/** A directory below `functions/`. */
export interface FunctionNode {
  readonly directory: string;
  /** In the order in which they are written, like the links. */
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

/** Attributes that are hexadecimal without `0x`, by types of functions. */
const HEX_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  rndis: ["class", "subclass", "protocol"],
};

/** Whether the kernel shows and takes an attribute in hexadecimal without `0x`. */
export function isHexadecimal(type: string, path: string): boolean {
  return HEX_ATTRIBUTES[type]?.includes(path) ?? false;
}

/** Whether an attribute names the medium of a drive. It reads as an absolute path without links. */
export function isMedium(path: string): boolean {
  return /^lun\.\d+\/file$/.test(path);
}

/** Makes the model of a gadget's directory. */
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
            hex: isHexadecimal(each.type, path),
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

/** `cdrom` sets `ro`, but does not reset it: an `ro` that is left out follows `cdrom`. */
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
  const nodes: Record<string, Attributes[string]> = {
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

/** The order of links decides the numbers of interfaces. Some kernels list them unordered, so names keep it. */
function linkName(position: number, directory: string): string {
  return `${String(position).padStart(2, "0")}.${directory}`;
}

/** Files of strings by language directory. A text that lacks a language has its first one there. */
function stringFiles(
  texts: Readonly<Record<string, LocalizedString | undefined>>,
  always: readonly string[] = [],
): Map<string, AttributeNode[]> {
  const files = Object.entries(texts);
  const named = files.flatMap(([, text]) =>
    typeof text === "object" ? Object.keys(text).map(languageDirectory) : []
  );
  const some = files.some(([, text]) => typeof text === "string");
  const languages = named.length > 0 ? named : some ? ["0x409"] : always;
  return new Map(
    languages.map((language) => [
      language,
      files.map(([path, text]) => ({ path, value: textIn(text, language) })),
    ]),
  );
}

function textIn(text: LocalizedString | undefined, language: string): string {
  if (typeof text !== "object") return text ?? "";
  const texts = Object.entries(text);
  const found = texts.find(([tag]) => languageDirectory(tag) === language);
  return (found ?? texts[0])?.[1] ?? "";
}

function languageDirectory(tag: string): string {
  return `0x${languageId(tag)!.toString(16)}`;
}
