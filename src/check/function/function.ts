/**
 * Finds everything that is wrong with a definition.
 *
 * @module
 */

import { type NamesOf, refuseUnknown } from "../../arguments/known_names.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../usb/speed.ts";
import type {
  AlternateDefinition,
  FunctionDefinition,
  InterfaceDefinition,
} from "../../definition/function.ts";
import { functionShape } from "./shape.ts";
import {
  MAX_ALTERNATE_SETTING,
  MAX_NAME_BYTES,
} from "../../compile/functionfs_abi.ts";
import { type Plan, planFunction } from "../../compile/layout.ts";
import { declaredEndpoints } from "../../compile/declared_endpoints.ts";
import type { Problem } from "../problem.ts";
import { describeFunction, ProblemList, show } from "../problem_list.ts";
import { validateAssociations } from "./association.ts";
import { validateContext, type ValidationContext } from "./context.ts";
import { validateEndpoint } from "./endpoint.ts";
import { validateEndpoints } from "./endpoints.ts";
import { type InterfaceClass, validateFunctional } from "./functional.ts";
import { validateMicrosoftOs } from "./microsoft_os.ts";
import { validateStrings } from "./strings.ts";

/**
 * Finds everything that is wrong with a definition: what FunctionFS would refuse, what would fail when the gadget is
 * bound or configured, and what would crash the kernel.
 *
 * @param definition The function.
 * @param context What is known about the kernel, the controller and the rest of the configuration.
 * @returns All problems, in the order of the definition. None for one that works.
 * @throws {TypeError} For something in the context that does not exist.
 *
 * @example Usage
 * ```ts
 * import { bulkIn } from "@usb/gadget";
 * import { validateFunction } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const [problem] = validateFunction({
 *   name: "scope",
 *   interfaces: [{
 *     class: 0xff,
 *     endpoints: { tx: bulkIn({ full: { maxPacketSize: 100 } }) },
 *   }],
 * });
 * assertEquals(problem, {
 *   path: "interfaces[0].endpoints.tx.full.maxPacketSize",
 *   rule: "packet-size",
 *   message:
 *     "Packet size 100 is not possible for a bulk endpoint at full speed: use 8, 16, 32 or 64",
 *   stage: "configure",
 * });
 * ```
 */
export function validateFunction(
  definition: FunctionDefinition,
  context: ValidationContext = {},
): Problem[] {
  refuseUnknown(`validate ${describeFunction(definition)}`, context, CONTEXT);
  const list = new ProblemList();
  if (typeof definition === "object" && definition !== null) {
    validateName(list, definition.name);
  }
  if (!functionShape(list, definition, "")) return list.problems;
  const plan = planFunction(definition);
  validateSpeeds(list, definition.speeds);
  validateInterfaces(list, definition);
  validateEndpoints(list, definition, plan);
  validateAssociations(list, definition);
  validateStrings(list, definition);
  validateMicrosoftOs(list, definition);
  validateRwProxy(list, definition, plan);
  // What is wrong with the values of single fields would only be said twice below.
  if (list.problems.length === 0) {
    validateContext(list, definition, plan, context);
  }
  return list.problems;
}

const CONTEXT: NamesOf<ValidationContext> = {
  kernel: true,
  udc: true,
  configuration: true,
};

const encoder = new TextEncoder();

/** The name becomes that of a directory, `ffs.NAME`, and the source of a mount. */
function validateName(list: ProblemList, name: unknown): void {
  if (typeof name !== "string" || name === "") {
    list.bind(
      "name",
      "name",
      `Name is ${show(name)}: give one of 1 to 35 bytes`,
    );
  } else if (/[/\0\n]/.test(name)) {
    list.bind(
      "name",
      "name",
      `Name ${
        show(name)
      } cannot be that of a directory: remove slashes, line breaks and NUL characters`,
    );
  } else {
    const { length } = encoder.encode(name);
    if (length <= MAX_NAME_BYTES) return;
    list.bind(
      "name",
      "name",
      `Name ${
        show(name)
      } has ${length} bytes, but configfs takes ${MAX_NAME_BYTES} after "ffs.": shorten it`,
    );
  }
}

function validateSpeeds(
  list: ProblemList,
  speeds: readonly FunctionSpeed[] | undefined,
): void {
  if (speeds === undefined) return;
  if (speeds.length === 0) {
    list.write(
      "speeds",
      "speeds",
      `There is no speed: name one of "full", "high" and "super", or leave speeds out`,
    );
  }
  speeds.forEach((speed, index) => {
    if (!FUNCTION_SPEEDS.includes(speed)) {
      list.write(
        "speeds",
        `speeds[${index}]`,
        `Speed ${show(speed)} is not known: use "full", "high" or "super"`,
      );
    } else if (speeds.indexOf(speed) !== index) {
      list.write(
        "speeds",
        `speeds[${index}]`,
        `Speed "${speed}" is named twice: name it once`,
      );
    }
  });
  if (
    speeds.includes("high") && speeds.includes("super") &&
    !speeds.includes("full")
  ) {
    list.hazard(
      "speeds",
      "speeds",
      `High and super speed without full speed crash the kernel when the gadget is bound: add "full"`,
    );
  }
}

function validateInterfaces(
  list: ProblemList,
  { interfaces }: FunctionDefinition,
): void {
  interfaces.forEach((it, number) => {
    const path = `interfaces[${number}]`;
    if (it.class === undefined) {
      list.range(undefined, [0, 255], `${path}.class`, "Class");
    }
    validateSetting(list, it, it, path);
    const { alternates = [] } = it;
    alternates.forEach((alternate, index) =>
      validateSetting(list, alternate, it, `${path}.alternates[${index}]`)
    );
    if (alternates.length > MAX_ALTERNATE_SETTING) {
      list.configure(
        "alternates",
        `${path}.alternates`,
        `There are ${alternates.length} alternate settings, but FunctionFS lets the host select settings 0 to ${MAX_ALTERNATE_SETTING}: use ${MAX_ALTERNATE_SETTING} at most`,
      );
    }
  });
}

function validateSetting(
  list: ProblemList,
  setting: AlternateDefinition,
  base: InterfaceDefinition,
  path: string,
): void {
  for (const [name, what] of CLASS_FIELDS) {
    const value = setting[name];
    if (value !== undefined) {
      list.range(value, [0, 255], `${path}.${name}`, what);
    }
  }
  const above = {
    class: setting.class ?? base.class ?? 0,
    subclass: setting.subclass ?? base.subclass ?? 0,
  };
  setting.descriptors?.forEach((descriptor, index) =>
    validateFunctional(list, descriptor, above, `${path}.descriptors[${index}]`)
  );
  if (setting.descriptors === undefined) {
    validateInherited(list, base, above, path);
  }
  for (const endpoint of declaredEndpoints(setting.endpoints, path)) {
    validateEndpoint(list, endpoint);
  }
}

/** What is wrong with the descriptors themselves is said of the interface. */
function validateInherited(
  list: ProblemList,
  base: InterfaceDefinition,
  above: InterfaceClass,
  path: string,
): void {
  const { class: code, subclass = 0, descriptors = [] } = base;
  if (above.class === code && above.subclass === subclass) return;
  const own = new ProblemList();
  for (const each of descriptors) validateFunctional(own, each, above, "");
  if (own.problems.length === 0) return;
  list.write(
    "functional",
    `${path}.descriptors`,
    "The setting is of another class than the descriptors that it takes over from the interface: give its own, or [] for none",
  );
}

const CLASS_FIELDS = [
  ["class", "Class"],
  ["subclass", "Subclass"],
  ["protocol", "Protocol"],
] as const;

function validateRwProxy(
  list: ProblemList,
  { rwProxy }: FunctionDefinition,
  { endpoints }: Plan,
): void {
  if (rwProxy !== true) return;
  const single = endpoints.find((it) => !it.paired);
  if (single) {
    list.write(
      "rw-proxy",
      "rwProxy",
      `Files for both directions need every endpoint in a pair, and ${single.path} is in none: declare pairs, or set rwProxy to "auto"`,
    );
  } else if (endpoints.length === 0) {
    list.write(
      "rw-proxy",
      "rwProxy",
      `There is no pair to have a file for both directions: declare one, or set rwProxy to "auto"`,
    );
  }
}
