/**
 * Checks a gadget before anything is written.
 *
 * @module
 */
import type { GadgetDefinition } from "../../definition/gadget.ts";
import { GADGET_FILE } from "../../definition/gadget_names.ts";
import { DefinitionError, ProblemList } from "../problem.ts";
import { choice, show } from "../../arguments/show.ts";
import { checkFunctions } from "./function.ts";
import { checkMicrosoftOs, checkWebUsb, MAX_PAGE_BYTES } from "./host.ts";
import { checkInterfaces } from "./interfaces.ts";
import { gadgetShape } from "./shape.ts";
import {
  checkName,
  checkNumbers,
  checkStrings,
  checkText,
  checkVersion,
  MAX_FILE_NAME,
} from "./values.ts";

/** The name begins the names of files in `/run/usb-gadget`. */
const MAX_NAME = MAX_FILE_NAME - GADGET_FILE.owner.length;
/** A host grants 900 mA at super speed, and 500 mA below. */
const POWER = { maxPower: ["The current in mA", 900] } as const;
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
  checkName(list, "name", name, "The gadget's name", MAX_NAME);
  // The other rules rely on the shape.
  if (gadgetShape(list, definition, "")) {
    checkIdentity(list, definition);
    checkFunctions(list, definition);
    checkMicrosoftOs(list, definition);
    checkWebUsb(list, definition);
    checkConfigurations(list, definition);
    if (list.problems.length === 0) checkInterfaces(list, definition);
  }
  if (list.problems.length === 0) return;
  throw new DefinitionError(`gadget ${show(name)}`, list.problems);
}

function checkIdentity(list: ProblemList, definition: GadgetDefinition): void {
  const { manufacturer, product, maxSpeed, microsoftOs, webUsb } = definition;
  list.range(definition.vendorId, [0, 0xffff], "vendorId", "idVendor");
  list.range(definition.productId, [0, 0xffff], "productId", "idProduct");
  checkVersion(list, "deviceVersion", definition.deviceVersion, "bcdDevice");
  checkVersion(list, "usbVersion", definition.usbVersion, "bcdUSB");
  checkNumbers(list, "", definition, {
    class: ["bDeviceClass", 0xff],
    subclass: ["bDeviceSubClass", 0xff],
    protocol: ["bDeviceProtocol", 0xff],
    ...POWER,
  });
  if (maxSpeed !== undefined && !SPEEDS.includes(maxSpeed)) {
    list.write(
      "speed",
      "maxSpeed",
      `The speed is ${show(maxSpeed)}: use ${choice(SPEEDS)}`,
    );
  }
  if (typeof microsoftOs === "object") {
    const last = (definition.configurations?.length ?? 1) - 1;
    checkNumbers(list, "microsoftOs.", microsoftOs, {
      vendorCode: ["bMS_VendorCode", 0xff],
      configuration: ["The index of the configuration", Math.max(last, 0)],
    });
    checkText(list, "microsoftOs.signature", microsoftOs.signature, 7);
  }
  if (webUsb !== undefined) {
    checkNumbers(list, "webUsb.", webUsb, {
      vendorCode: ["bVendorCode", 0xff],
      version: ["bcdVersion", 0xffff],
    });
    checkText(list, "webUsb.landingPage", webUsb.landingPage, MAX_PAGE_BYTES);
  }
  checkStrings(list, "", { manufacturer, product });
  checkText(list, "serialNumber", definition.serialNumber);
}

function checkConfigurations(
  list: ProblemList,
  { functions, configurations }: GadgetDefinition,
): void {
  if (configurations?.length === 0) {
    list.write(
      "configurations",
      "configurations",
      "There are no configurations: give one at least, or leave them out for one with all functions",
    );
  }
  const names = functions.map((it) => it.name);
  configurations?.forEach((each, index) => {
    const path = `configurations[${index}]`;
    checkNumbers(list, `${path}.`, each, POWER);
    checkStrings(list, path, { description: each.description });
    each.functions?.forEach((name, position) => {
      const at = `${path}.functions[${position}]`;
      if (!names.includes(name)) {
        list.write(
          "configurations",
          at,
          `The gadget has no function ${show(name)}: ${
            names.length > 0 ? `use ${oneOf(names)}` : "define it"
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

function oneOf(names: readonly string[]): string {
  return names.length > 1 ? choice(names) : show(names[0]);
}
