/**
 * Finds everything that is wrong with a definition.
 *
 * @module
 */

import type { TransferType } from "../usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import type {
  AlternateDefinition,
  FunctionDefinition,
  InterfaceDefinition,
} from "./definition.ts";
import type {
  EndpointDefinition,
  EndpointRecord,
} from "./endpoint_definition.ts";
import {
  MAX_ALTERNATE_SETTING,
  MAX_ENDPOINTS,
  MAX_NAME_BYTES,
} from "./functionfs_abi.ts";
import {
  declaredEndpoints,
  type Plan,
  planFunction,
  type PlannedEndpoint,
} from "./plan.ts";
import type { Problem } from "./problem.ts";
import { ProblemList, show } from "./problem_list.ts";
import { validateAssociations } from "./validate_association.ts";
import { validateContext, type ValidationContext } from "./validate_context.ts";
import { validateEndpoint } from "./validate_endpoint.ts";
import { validateFunctional } from "./validate_functional.ts";
import { validateMicrosoftOs } from "./validate_microsoft_os.ts";
import { validateStrings } from "./validate_strings.ts";

/** Endpoint numbers that a device has in one direction. */
const MAX_ENDPOINTS_PER_DIRECTION = 15;

/**
 * Finds everything that is wrong with a definition: what FunctionFS would refuse, what would fail when the gadget is
 * bound or configured, and what would crash the kernel.
 *
 * @param definition The function.
 * @param context What is known about the kernel, the controller and the rest of the configuration.
 * @returns All problems, in the order of the definition. None for one that works.
 *
 * @example Usage
 * ```ts
 * import { bulkIn, validateFunction } from "@usb/gadget";
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
  const list = new ProblemList();
  validateName(list, definition.name);
  if (!validateShape(list, definition)) return list.problems;
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

/** Checks what everything else counts on. Plain JavaScript may hand in anything. */
function validateShape(
  list: ProblemList,
  { interfaces }: FunctionDefinition,
): boolean {
  if (!Array.isArray(interfaces) || interfaces.length === 0) {
    list.write(
      "interfaces",
      "interfaces",
      "A function needs at least one interface: add one, it may have no endpoints",
    );
    return false;
  }
  const before = list.problems.length;
  interfaces.forEach((it: InterfaceDefinition, number) => {
    const path = `interfaces[${number}]`;
    validateEndpointShapes(list, it.endpoints, path);
    it.alternates?.forEach((alternate, index) =>
      validateEndpointShapes(
        list,
        alternate.endpoints,
        `${path}.alternates[${index}]`,
      )
    );
  });
  return list.problems.length === before;
}

const TRANSFER_TYPES: readonly TransferType[] = [
  "bulk",
  "interrupt",
  "isochronous",
];

function validateEndpointShapes(
  list: ProblemList,
  endpoints: EndpointRecord | undefined,
  path: string,
): void {
  for (const [name, endpoint] of Object.entries(endpoints ?? {})) {
    const { kind, transferType }: Partial<EndpointDefinition> = endpoint ?? {};
    const isKind = kind === "in" || kind === "out" || kind === "pair";
    if (isKind && TRANSFER_TYPES.includes(transferType!)) continue;
    list.write(
      "endpoint",
      `${path}.endpoints.${name}`,
      "The endpoint is of no known kind: use bulkIn(), bulkOut(), bulkPair() or their like",
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
  for (const endpoint of declaredEndpoints(setting.endpoints, path)) {
    validateEndpoint(list, endpoint);
  }
}

const CLASS_FIELDS = [
  ["class", "Class"],
  ["subclass", "Subclass"],
  ["protocol", "Protocol"],
] as const;

/** Rules for all endpoints together. */
function validateEndpoints(
  list: ProblemList,
  definition: FunctionDefinition,
  { endpoints }: Plan,
): void {
  validateEndpointNames(list, definition);
  validateAddresses(list, endpoints);
  if (endpoints.length > MAX_ENDPOINTS) {
    list.write(
      "endpoint-count",
      endpoints[MAX_ENDPOINTS].path,
      `There are ${endpoints.length} endpoints, but FunctionFS takes ${MAX_ENDPOINTS} in one function: use fewer`,
    );
  }
  for (const half of ["in", "out"] as const) {
    const same = endpoints.filter((it) => it.half === half);
    if (same.length <= MAX_ENDPOINTS_PER_DIRECTION) continue;
    list.bind(
      "endpoint-count",
      same[MAX_ENDPOINTS_PER_DIRECTION].path,
      `There are ${same.length} ${half.toUpperCase()} endpoints, but a device has ${MAX_ENDPOINTS_PER_DIRECTION} in one direction: use fewer`,
    );
  }
}

function validateEndpointNames(
  list: ProblemList,
  { interfaces }: FunctionDefinition,
): void {
  const paths = new Map<string, string>();
  const check = (endpoints: EndpointRecord | undefined, setting: string) => {
    for (const name of Object.keys(endpoints ?? {})) {
      const path = `${setting}.endpoints.${name}`;
      const first = paths.get(name);
      if (first !== undefined) {
        list.configure(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is used at ${first} already: names are those of the whole function`,
        );
      } else if (name === "" || /^(0|[1-9][0-9]*)$/.test(name)) {
        list.configure(
          "endpoint-name",
          path,
          `Endpoint name ${
            show(name)
          } is not possible: JavaScript moves whole numbers to the front, use a word`,
        );
      }
      paths.set(name, first ?? path);
    }
  };
  interfaces.forEach((it, number) => {
    check(it.endpoints, `interfaces[${number}]`);
    it.alternates?.forEach((alternate, index) =>
      check(alternate.endpoints, `interfaces[${number}].alternates[${index}]`)
    );
  });
}

function validateAddresses(
  list: ProblemList,
  endpoints: readonly PlannedEndpoint[],
): void {
  const owners = new Map<number, PlannedEndpoint>();
  for (const endpoint of endpoints) {
    const { address, path } = endpoint;
    const owner = owners.get(address);
    if (owner) {
      list.bind(
        "repeated-address",
        `${path}.address`,
        `Address ${
          show(address)
        } is that of ${owner.path} already: no endpoint may appear twice, not even in two alternate settings`,
      );
    } else {
      owners.set(address, endpoint);
    }
  }
}

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
