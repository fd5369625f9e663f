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
import { checkMicrosoftOs, checkWebUsb } from "./host.ts";
import { checkInterfaces } from "./interfaces.ts";
import { gadgetShape } from "./shape.ts";
import { checkLanguages, checkName, MAX_FILE_NAME } from "./values.ts";

/** The name begins the names of files in `/run/usb-gadget`. */
const MAX_NAME = MAX_FILE_NAME - GADGET_FILE.owner.length;
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
  const { vendorId, productId, maxSpeed } = definition;
  list.range(vendorId, [0, 0xffff], "vendorId", "idVendor");
  list.range(productId, [0, 0xffff], "productId", "idProduct");
  if (maxSpeed !== undefined && !SPEEDS.includes(maxSpeed)) {
    list.writeFails(
      "speed",
      "maxSpeed",
      `The speed is ${show(maxSpeed)}: use ${choice(SPEEDS)}`,
    );
  }
  checkLanguages(list, "", [definition.manufacturer, definition.product]);
}

function checkConfigurations(
  list: ProblemList,
  { functions, configurations }: GadgetDefinition,
): void {
  if (configurations?.length === 0) {
    list.writeFails(
      "configurations",
      "configurations",
      "There are no configurations: give one at least, or leave them out for one with all functions",
    );
  }
  const names = functions.map((it) => it.name);
  configurations?.forEach((each, index) => {
    const path = `configurations[${index}]`;
    checkLanguages(list, path, [each.description]);
    each.functions?.forEach((name, position) => {
      const at = `${path}.functions[${position}]`;
      if (!names.includes(name)) {
        list.writeFails(
          "configurations",
          at,
          `The gadget has no function ${show(name)}: ${
            names.length > 0 ? `use ${oneOf(names)}` : "define it"
          }`,
        );
      } else if (each.functions?.indexOf(name) !== position) {
        list.writeFails(
          "configurations",
          at,
          `The function ${show(name)} is named twice: name it once`,
        );
      }
    });
    if (each.functions?.length === 0) {
      list.bindFails(
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
