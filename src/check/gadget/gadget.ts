/**
 * Checks a gadget before anything is written.
 *
 * @module
 */
import { choice, show } from "../../arguments/show.ts";
import { DefinitionError, ProblemList } from "../problem.ts";
import { checkEffect } from "./effect.ts";
import { checkFunction } from "./function.ts";
import { checkNameLengths } from "./names.ts";
import {
  checkLanguages,
  checkName,
  checkNumber,
  checkString,
  checkText,
  checkVersion,
} from "./values.ts";
import type {
  ConfigurationDefinition,
  GadgetDefinition,
} from "../../definition/gadget.ts";
import { gadgetShape } from "./shape.ts";
import { interfaceOffsets, interfaceTotals } from "./interface_offsets.ts";

/** MAX_CONFIG_INTERFACES; 16 before Linux 6.12. */
const MAX_INTERFACES = 32;
/** What a host grants at super speed; 500 mA below. */
const MAX_POWER = 900;
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
 * @throws {DefinitionError} With everything that is wrong.
 */
export function checkGadget(definition: GadgetDefinition, name: string): void {
  const list = new ProblemList();
  checkName(list, "", name, "The gadget's name");
  checkNameLengths(list, name, definition);
  // What follows counts on the shape.
  if (gadgetShape(list, definition, "")) {
    checkIdentity(list, definition);
    checkFunctions(list, definition);
    checkEffect(list, definition);
    checkConfigurations(list, definition);
    if (list.problems.length === 0) checkInterfaces(list, definition);
  }
  if (list.problems.length === 0) return;
  throw new DefinitionError(`gadget ${show(name)}`, list.problems);
}

function checkIdentity(list: ProblemList, definition: GadgetDefinition): void {
  const { maxSpeed, microsoftOs, webUsb } = definition;
  list.range(definition.vendorId, [0, 0xffff], "vendorId", "idVendor");
  list.range(definition.productId, [0, 0xffff], "productId", "idProduct");
  checkVersion(list, "deviceVersion", definition.deviceVersion, "bcdDevice");
  checkVersion(list, "usbVersion", definition.usbVersion, "bcdUSB");
  checkNumber(list, "class", definition.class, 0xff, "bDeviceClass");
  checkNumber(list, "subclass", definition.subclass, 0xff, "bDeviceSubClass");
  checkNumber(list, "protocol", definition.protocol, 0xff, "bDeviceProtocol");
  checkPower(list, "", definition);
  if (maxSpeed !== undefined && !SPEEDS.includes(maxSpeed)) {
    list.write(
      "speed",
      "maxSpeed",
      `The speed is ${show(maxSpeed)}: use ${choice(SPEEDS)}`,
    );
  }
  if (typeof microsoftOs === "object") {
    const at = "microsoftOs";
    const { vendorCode, configuration, signature } = microsoftOs;
    const count = definition.configurations?.length ?? 1;
    checkNumber(list, `${at}.vendorCode`, vendorCode, 0xff, "bMS_VendorCode");
    checkNumber(
      list,
      `${at}.configuration`,
      configuration,
      Math.max(count - 1, 0),
      "The index of the configuration",
    );
    checkText(list, `${at}.signature`, signature, 7);
  }
  checkNumber(
    list,
    "webUsb.vendorCode",
    webUsb?.vendorCode,
    0xff,
    "bVendorCode",
  );
  checkNumber(list, "webUsb.version", webUsb?.version, 0xffff, "bcdVersion");
  checkText(list, "webUsb.landingPage", webUsb?.landingPage, 260);
  const languages = new Set<number>();
  checkString(list, "manufacturer", definition.manufacturer, languages);
  checkString(list, "product", definition.product, languages);
  checkText(list, "serialNumber", definition.serialNumber);
  checkLanguages(list, "", languages);
}

/** Checks how the device, or one configuration of it, is powered. */
function checkPower(
  list: ProblemList,
  prefix: string,
  { maxPower }: Omit<ConfigurationDefinition, "functions">,
): void {
  checkNumber(
    list,
    `${prefix}maxPower`,
    maxPower,
    MAX_POWER,
    "The current in mA",
  );
}

function checkFunctions(
  list: ProblemList,
  { functions }: GadgetDefinition,
): void {
  if (functions.length === 0) {
    list.bind(
      "functions",
      "functions",
      "There are no functions: give one at least",
    );
  }
  const names = new Set<string>();
  functions.forEach((each, index) => {
    const path = `functions[${index}]`;
    if (names.has(each.name)) {
      list.write(
        "name",
        `${path}.name`,
        `The name ${show(each.name)} is used twice: give each function its own`,
      );
    }
    names.add(each.name);
    checkFunction(list, path, each);
  });
}

function checkConfigurations(
  list: ProblemList,
  { functions, configurations }: GadgetDefinition,
): void {
  if (configurations === undefined) return;
  if (configurations.length === 0) {
    list.write(
      "configurations",
      "configurations",
      "There are no configurations: give one at least, or leave them out for one with all functions",
    );
  }
  const names = functions.map((it) => it.name);
  configurations.forEach((each, index) => {
    const path = `configurations[${index}]`;
    checkPower(list, `${path}.`, each);
    const languages = new Set<number>();
    checkString(list, `${path}.description`, each.description, languages);
    checkLanguages(list, path, languages);
    each.functions?.forEach((name, position) => {
      const at = `${path}.functions[${position}]`;
      if (!names.includes(name)) {
        list.write(
          "configurations",
          at,
          `The gadget has no function ${show(name)}: ${
            names.length > 1
              ? `use ${choice(names)}`
              : names.length > 0
              ? `use ${show(names[0])}`
              : "define it"
          }`,
        );
      } else if (each.functions?.indexOf(name) !== position) {
        list.write(
          "configurations",
          at,
          `The function ${show(name)} is named twice: name it once`,
        );
      }
    });
    if (each.functions?.length === 0) {
      list.bind(
        "configurations",
        `${path}.functions`,
        "The configuration has no functions: name one at least, or leave them out for all",
      );
    }
  });
}

/** Checks how many interfaces there are, and what numbers they get. */
function checkInterfaces(
  list: ProblemList,
  definition: GadgetDefinition,
): void {
  interfaceTotals(definition).forEach((count, index) => {
    if (count <= MAX_INTERFACES) return;
    list.bind(
      "interfaces",
      definition.configurations === undefined
        ? "functions"
        : `configurations[${index}]`,
      `There are ${count} interfaces, and Linux takes ${MAX_INTERFACES} in a configuration: use fewer functions`,
    );
  });
  interfaceOffsets(definition, list);
}
