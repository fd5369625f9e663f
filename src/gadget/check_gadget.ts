/**
 * Checks a gadget before anything is written.
 *
 * @module
 */
import { DefinitionError } from "../descriptors/mod.ts";
import { ProblemList, show } from "../descriptors/problem_list.ts";
import { checkEffect } from "./check_effect.ts";
import { checkNameLengths } from "./check_names.ts";
import {
  checkLanguages,
  checkName,
  checkNumber,
  checkPath,
  checkString,
  checkText,
} from "./check_values.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  isKernelFunction,
  isOwnFunction,
} from "./gadget_definition.ts";
import { gadgetShape } from "./gadget_shape.ts";
import { interfaceOffsets, interfaceTotals } from "./interface_offsets.ts";
import type { KernelFunction } from "./kernel_function.ts";

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
  checkShape(definition, name);
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
    checkFunction(each);
  }
  checkConfigurations(definition, names);
}

/** Checks what everything else counts on, and what would have no effect. */
function checkShape(definition: GadgetDefinition, name: string): void {
  const list = new ProblemList();
  checkNameLengths(list, name, definition);
  if (gadgetShape(list, definition, "")) checkEffect(list, definition);
  if (list.problems.length === 0) return;
  throw new DefinitionError(`gadget ${show(name)}`, list.problems);
}

function checkIdentity(definition: GadgetDefinition): void {
  checkNumber("vendorId", definition.vendorId, 0xffff);
  checkNumber("productId", definition.productId, 0xffff);
  checkNumber("deviceVersion", definition.deviceVersion, 0xffff);
  checkNumber("usbVersion", definition.usbVersion, 0xffff);
  checkNumber("class", definition.class, 0xff);
  checkNumber("subclass", definition.subclass, 0xff);
  checkNumber("protocol", definition.protocol, 0xff);
  checkNumber("maxPower", definition.maxPower, 900);
  const { maxSpeed, microsoftOs, webUsb } = definition;
  if (maxSpeed !== undefined && !SPEEDS.includes(maxSpeed)) {
    throw new TypeError(
      `Cannot make gadget: "maxSpeed" must be one of ${
        SPEEDS.map((it) => `"${it}"`).join(", ")
      }, is ${JSON.stringify(maxSpeed)}`,
    );
  }
  if (typeof microsoftOs === "object") {
    checkNumber("microsoftOs.vendorCode", microsoftOs.vendorCode, 0xff);
    const count = definition.configurations?.length ?? 1;
    checkNumber(
      "microsoftOs.configuration",
      microsoftOs.configuration,
      count - 1,
    );
    checkText("microsoftOs.signature", microsoftOs.signature, 7);
  }
  checkNumber("webUsb.vendorCode", webUsb?.vendorCode, 0xff);
  checkNumber("webUsb.version", webUsb?.version, 0xffff);
  checkText("webUsb.landingPage", webUsb?.landingPage, 260);
  const languages = new Set<number>();
  checkString("manufacturer", definition.manufacturer, languages);
  checkString("product", definition.product, languages);
  checkString("serialNumber", definition.serialNumber, languages);
  checkLanguages("its strings", languages);
}

function checkFunction(each: GadgetFunction): void {
  checkName("function", each.name);
  if (isKernelFunction(each)) return checkKernelFunction(each);
  if (!isOwnFunction(each)) checkNumber("interfaces", each.interfaces, 32);
}

function checkKernelFunction(each: KernelFunction): void {
  checkName("function type", each.type);
  if (each.type === "ffs") {
    throw new TypeError(
      `Cannot make gadget: function "${each.name}" of type "ffs" is none of the kernel; use externalFunction()`,
    );
  }
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
    checkNumber(`${where}.maxPower`, each.maxPower, 900);
    const languages = new Set<number>();
    checkString(`${where}.description`, each.description, languages);
    checkLanguages(`the strings of configuration ${index + 1}`, languages);
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
    if (functions.length > 0) return;
    throw new TypeError(
      `Cannot make gadget: configuration ${index + 1} has no functions`,
    );
  });
  interfaceTotals(definition).forEach((count, index) => {
    if (count <= MAX_INTERFACES) return;
    throw new RangeError(
      `Cannot make gadget: configuration ${
        index + 1
      } has ${count} interfaces, ${MAX_INTERFACES} is the limit of Linux`,
    );
  });
  interfaceOffsets(definition);
}
