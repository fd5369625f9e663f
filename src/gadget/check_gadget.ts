/**
 * Checks a gadget before anything is written.
 *
 * @module
 */
import type { LocalizedString } from "../descriptors/mod.ts";
import { languageId } from "../usb/mod.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  instanceName,
  isKernelFunction,
  isOwnFunction,
  MAX_INSTANCE_NAME,
} from "./gadget_definition.ts";
import type { KernelFunction } from "./kernel_function.ts";

const MAX_STRING_LENGTH = 126;
/** MAX_USB_STRING_LANGS, the same for the device and each configuration. */
const MAX_LANGUAGES = 2;
/** MAX_CONFIG_INTERFACES; 16 before Linux 6.12. */
const MAX_INTERFACES = 32;
/** configfs refuses longer names of gadgets, functions and configurations. */
const MAX_NAME = 40;
const SPEEDS = [
  "low-speed",
  "full-speed",
  "high-speed",
  "super-speed",
  "super-speed-plus",
];

/**
 * Checks what the kernel would refuse without a reason, or take silently.
 *
 * @throws {TypeError} If a value has no meaning.
 * @throws {RangeError} If a number or a text is out of its range.
 */
export function checkGadget(definition: GadgetDefinition, name: string): void {
  checkName("gadget", name);
  checkIdentity(definition);
  if (definition.functions.length === 0) {
    throw new TypeError("Cannot make gadget: it has no functions");
  }
  const names = new Set<string>();
  for (const each of definition.functions) {
    if (names.has(each.name)) {
      throw new TypeError(
        `Cannot make gadget: two functions have the name "${each.name}"`,
      );
    }
    names.add(each.name);
    checkFunction(each, name);
  }
  checkConfigurations(definition, names);
}

function checkIdentity(definition: GadgetDefinition): void {
  number("vendorId", definition.vendorId, 0xffff);
  number("productId", definition.productId, 0xffff);
  number("deviceVersion", definition.deviceVersion, 0xffff);
  number("usbVersion", definition.usbVersion, 0xffff);
  number("class", definition.class, 0xff);
  number("subclass", definition.subclass, 0xff);
  number("protocol", definition.protocol, 0xff);
  number("maxPower", definition.maxPower, 900);
  const { maxSpeed, microsoftOs, webUsb } = definition;
  if (maxSpeed !== undefined && !SPEEDS.includes(maxSpeed)) {
    throw new TypeError(
      `Cannot make gadget: "maxSpeed" must be one of ${
        SPEEDS.map((it) => `"${it}"`).join(", ")
      }, is ${JSON.stringify(maxSpeed)}`,
    );
  }
  if (typeof microsoftOs === "object") {
    number("microsoftOs.vendorCode", microsoftOs.vendorCode, 0xff);
    const count = definition.configurations?.length ?? 1;
    number("microsoftOs.configuration", microsoftOs.configuration, count - 1);
    text("microsoftOs.signature", microsoftOs.signature, 7);
  }
  number("webUsb.vendorCode", webUsb?.vendorCode, 0xff);
  number("webUsb.version", webUsb?.version, 0xffff);
  text("webUsb.landingPage", webUsb?.landingPage, 260);
  const languages = new Set<number>();
  strings("manufacturer", definition.manufacturer, languages);
  strings("product", definition.product, languages);
  strings("serialNumber", definition.serialNumber, languages);
  checkLanguages("its strings", languages);
}

function checkFunction(each: GadgetFunction, gadget: string): void {
  checkName("function", each.name);
  if (isKernelFunction(each)) return checkKernelFunction(each);
  const instance = instanceName(gadget, each.name);
  if (instance.length > MAX_INSTANCE_NAME) {
    throw new RangeError(
      `Cannot make gadget: the FunctionFS instance name "${instance}" has ${instance.length} characters, ${MAX_INSTANCE_NAME} is the limit`,
    );
  }
  if (!isOwnFunction(each)) number("interfaces", each.interfaces, 32);
}

function checkKernelFunction(each: KernelFunction): void {
  checkName("function type", each.type);
  const what = `function "${each.name}"`;
  if (`${each.type}.${each.name}`.length >= MAX_NAME) {
    throw new RangeError(
      `Cannot make gadget: the name "${each.type}.${each.name}" has ${
        each.type.length + each.name.length + 1
      } characters, ${MAX_NAME - 1} is the limit`,
    );
  }
  for (const [path, value] of Object.entries(each.attributes)) {
    checkPath(`an attribute of ${what}`, path);
    const valid = value instanceof Uint8Array || typeof value === "boolean" ||
      typeof value === "string" && !value.includes("\0") ||
      typeof value === "number" && Number.isSafeInteger(value);
    if (!valid) {
      throw new TypeError(
        `Cannot make gadget: attribute "${path}" of ${what} must be a text, an integer, a boolean or bytes, is ${
          Deno.inspect(value)
        }`,
      );
    }
  }
  for (const [path, target] of Object.entries(each.links)) {
    checkPath(`a link of ${what}`, path);
    checkPath(`a link of ${what}`, target);
  }
}

function checkConfigurations(
  definition: GadgetDefinition,
  names: ReadonlySet<string>,
): void {
  const { configurations = [{}] } = definition;
  if (configurations.length === 0) {
    throw new TypeError("Cannot make gadget: it has no configurations");
  }
  configurations.forEach((each, index) => {
    const where = `configurations[${index}]`;
    number(`${where}.maxPower`, each.maxPower, 900);
    const languages = new Set<number>();
    strings(`${where}.description`, each.description, languages);
    checkLanguages(`configuration ${index + 1}`, languages);
    const seen = new Set<string>();
    for (const name of each.functions ?? []) {
      if (!names.has(name)) {
        throw new TypeError(
          `Cannot make gadget: "${where}" names the function "${name}", which the gadget has not got`,
        );
      }
      if (seen.has(name)) {
        throw new TypeError(
          `Cannot make gadget: "${where}" names the function "${name}" twice`,
        );
      }
      seen.add(name);
    }
  });
  configurationFunctions(definition).forEach((functions, index) => {
    if (functions.length === 0) {
      throw new TypeError(
        `Cannot make gadget: configuration ${index + 1} has no functions`,
      );
    }
    const count = functions.map(countInterfaces)
      .reduce((sum: number, it) => sum + (it ?? 1), 0);
    if (count > MAX_INTERFACES) {
      throw new RangeError(
        `Cannot make gadget: configuration ${
          index + 1
        } has ${count} interfaces, ${MAX_INTERFACES} is the limit of Linux`,
      );
    }
  });
  interfaceOffsets(definition);
}

function countInterfaces(each: GadgetFunction): number | undefined {
  return isOwnFunction(each) ? each.interfaces.length : each.interfaces;
}

/**
 * How many interfaces come before each function. An association names its
 * first interface by number, and the kernel does not rewrite that.
 *
 * @throws {TypeError} If a function with associations stands at different
 * places, or behind a function whose interfaces are not known.
 */
export function interfaceOffsets(
  definition: GadgetDefinition,
): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const functions of configurationFunctions(definition)) {
    let offset: number | undefined = 0;
    for (const each of functions) {
      const matters: boolean = isOwnFunction(each) &&
        (each.associations?.length ?? 0) > 0;
      const before = offsets.get(each.name);
      if (matters && offset === undefined) {
        throw new TypeError(
          `Cannot make gadget: the function "${each.name}" has associations, and the number of interfaces before it is not known; give it as "interfaces" of the functions before it`,
        );
      }
      if (matters && before !== undefined && before !== offset) {
        throw new TypeError(
          `Cannot make gadget: the function "${each.name}" has associations, and must have the same number of interfaces before it in each configuration`,
        );
      }
      offsets.set(each.name, before ?? offset ?? 0);
      const count: number | undefined = countInterfaces(each);
      offset = offset === undefined || count === undefined
        ? undefined
        : offset + count;
    }
  }
  return offsets;
}

function number(key: string, value: number | undefined, max: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(
      `Cannot make gadget: "${key}" must be an integer from 0 to ${max}, is ${value}`,
    );
  }
}

function text(key: string, value: string | undefined, max: number): void {
  if (value === undefined) return;
  if (value.length > max) {
    throw new RangeError(
      `Cannot make gadget: "${key}" has ${value.length} UTF-16 units, ${max} is the limit`,
    );
  }
  if (/[\0\n]/.test(value)) {
    throw new TypeError(
      `Cannot make gadget: "${key}" has a NUL or a line break inside: ${
        JSON.stringify(value)
      }`,
    );
  }
}

function strings(
  key: string,
  value: LocalizedString | undefined,
  languages: Set<number>,
): void {
  if (value === undefined) return;
  for (const [language, each] of localized(value)) {
    languages.add(language);
    if (each.length > MAX_STRING_LENGTH) {
      throw new RangeError(
        `Cannot make gadget: "${key}" has ${each.length} UTF-16 units, ${MAX_STRING_LENGTH} is the limit of USB`,
      );
    }
    text(key, each, MAX_STRING_LENGTH);
  }
}

function checkLanguages(what: string, languages: ReadonlySet<number>): void {
  if (languages.size > MAX_LANGUAGES) {
    throw new RangeError(
      `Cannot make gadget: ${what} has ${languages.size} languages, ${MAX_LANGUAGES} is the limit of Linux`,
    );
  }
}

/**
 * The texts by LANGID. A text for all languages counts as English.
 *
 * @throws {TypeError} If a language is not known.
 */
export function localized(value: LocalizedString): [number, string][] {
  const record = typeof value === "string" ? { "en-US": value } : value;
  return Object.entries(record).map(([tag, each]) => {
    const id = languageId(tag);
    if (id === undefined) {
      throw new TypeError(
        `Cannot make gadget: the language "${tag}" is not known; give its LANGID, such as "0x0409"`,
      );
    }
    return [id, each];
  });
}

/** Names become names of directories: nothing may lead out of the gadget's. */
export function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new TypeError(
      `Cannot make gadget: the ${what} name "${name}" must consist of letters, digits, "_", "-" and ".", and not begin with "." or "-"`,
    );
  }
  if (name.length > 255) {
    throw new RangeError(
      `Cannot make gadget: the ${what} name has ${name.length} characters, 255 is the limit`,
    );
  }
}

function checkPath(what: string, path: string): void {
  for (const part of path.split("/")) checkName(what, part);
}
