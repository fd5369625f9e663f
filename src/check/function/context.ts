/**
 * Rules that depend on the kernel, the controller and the other functions of a configuration.
 *
 * @module
 */

import type { FunctionDefinition } from "../../definition/function.ts";
import {
  functionContent,
  measureSpeed,
} from "../../compile/descriptor_encoding.ts";
import {
  MAX_CONFIGURATION_LENGTH,
  MAX_STRING_IDS,
} from "../../compile/functionfs_abi.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
  type KernelVersion,
} from "../../compile/kernel_version.ts";
import type { Plan } from "../../compile/layout.ts";
import { hex, type ProblemList } from "../problem_list.ts";
import { functionLanguages, StringTable } from "../../compile/string_table.ts";
import {
  pickEndpoints,
  type UdcCapabilities,
  udcSpeedProblem,
} from "../endpoint_choice.ts";

/** What the rest of a gadget takes of the limits that all functions share. */
export interface ConfigurationUse {
  /**
   * Interfaces of other functions in the configuration.
   *
   * @default {0}
   */
  readonly interfaces?: number;
  /**
   * Strings of the gadget, its configurations and its other functions.
   *
   * @default {3, for manufacturer, product and serial number}
   */
  readonly strings?: number;
  /**
   * Bytes of the other functions' descriptors in the configuration.
   *
   * @default {0}
   */
  readonly bytes?: number;
}

/** What is known about where a function will run. */
export interface ValidationContext {
  /** The kernel. Without it, the newest one. */
  readonly kernel?: KernelVersion;
  /** The device controller. Without it, one that can do everything. */
  readonly udc?: UdcCapabilities;
  /** The rest of the gadget. Without it, the function is alone. */
  readonly configuration?: ConfigurationUse;
}

/** Strings that a gadget has of its own. */
export const GADGET_STRINGS = 3;
/** The configuration descriptor itself. */
export const CONFIGURATION_LENGTH = 9;

/**
 * The number of interfaces that a configuration can have (`MAX_CONFIG_INTERFACES`).
 *
 * @param kernel The kernel.
 * @returns 32, or 16 before Linux 6.12.
 */
export function maxInterfaces(kernel: KernelVersion | undefined): number {
  return kernelHas(kernel, KERNEL_FEATURES.manyInterfaces) ? 32 : 16;
}

/**
 * Validates a function against where it will run.
 *
 * @param list Where problems go.
 * @param definition The function.
 * @param plan Its plan.
 * @param context Where it will run.
 */
export function validateContext(
  list: ProblemList,
  definition: FunctionDefinition,
  plan: Plan,
  { kernel, udc, configuration = {} }: ValidationContext,
): void {
  validateInterfaceCount(list, definition, kernel, configuration);
  validateSizes(list, definition, plan, configuration);
  validateKernel(list, definition, kernel);
  if (udc) validateUdc(list, definition, plan, udc);
}

function validateInterfaceCount(
  list: ProblemList,
  { interfaces }: FunctionDefinition,
  kernel: KernelVersion | undefined,
  { interfaces: others = 0 }: ConfigurationUse,
): void {
  const greatest = maxInterfaces(kernel);
  const count = interfaces.length + others;
  if (count <= greatest) return;
  list.bind(
    "interface-count",
    "interfaces",
    `The configuration has ${count} interfaces, but the kernel takes ${greatest}: use fewer`,
  );
}

function validateSizes(
  list: ProblemList,
  definition: FunctionDefinition,
  plan: Plan,
  { strings: otherStrings = GADGET_STRINGS, bytes = 0 }: ConfigurationUse,
): void {
  const strings = new StringTable(functionLanguages(definition));
  const content = functionContent(definition, plan, strings, 0);
  for (const speed of plan.speeds) {
    const length = CONFIGURATION_LENGTH + bytes +
      measureSpeed(content, speed).length;
    if (length <= MAX_CONFIGURATION_LENGTH) continue;
    list.configure(
      "configuration-size",
      "interfaces",
      `The configuration descriptor has ${length} bytes at ${speed} speed, but the kernel takes ${MAX_CONFIGURATION_LENGTH}: use fewer interfaces, endpoints or descriptors`,
    );
  }
  const greatest = MAX_STRING_IDS - otherStrings;
  if (strings.size > greatest) {
    list.bind(
      "string-count",
      "interfaces",
      `There are ${strings.size} different descriptions, but the gadget has string identifiers for ${greatest}: use fewer`,
    );
  }
}

function validateKernel(
  list: ProblemList,
  definition: FunctionDefinition,
  kernel: KernelVersion | undefined,
): void {
  if (kernel === undefined) return;
  const version = `Linux ${kernel.major}.${kernel.minor}`;
  definition.interfaces.forEach((it, number) => {
    const path = `interfaces[${number}]`;
    const settings = [it, ...it.alternates ?? []];
    settings.forEach((setting, index) => {
      const place = index === 0 ? path : `${path}.alternates[${index - 1}]`;
      setting.descriptors?.forEach(({ kind }, position) => {
        if (kind !== "dfu" || kernelHas(kernel, KERNEL_FEATURES.dfu)) return;
        list.write(
          "kernel",
          `${place}.descriptors[${position}]`,
          `${version} refuses DFU functional descriptors: use Linux 6.12 or later, or leave it out`,
        );
      });
    });
    if (
      settings.length > 1 &&
      !kernelHas(kernel, KERNEL_FEATURES.alternateSettings)
    ) {
      list.configure(
        "kernel",
        `${path}.alternates`,
        `${version} does not let the host select alternate settings: use Linux 6.8 or later, or one setting`,
      );
    }
  });
  if (
    definition.rwProxy === true && !kernelHas(kernel, KERNEL_FEATURES.rwProxy)
  ) {
    list.write(
      "kernel",
      "rwProxy",
      `${version} has no files for both directions: use Linux 7.3 or later, or set rwProxy to "auto"`,
    );
  }
}

function validateUdc(
  list: ProblemList,
  { virtualAddresses }: FunctionDefinition,
  { speeds, endpoints }: Plan,
  udc: UdcCapabilities,
): void {
  const name = udc.name === undefined ? "The controller" : `"${udc.name}"`;
  const [slowest] = speeds;
  const speedProblem = udcSpeedProblem(udc, speeds);
  if (speedProblem) list.configure("udc-speed", "speeds", speedProblem);
  if (udc.endpoints === undefined || slowest === undefined) return;
  const picked = pickEndpoints(
    udc,
    endpoints.map((it) => ({
      direction: it.half,
      transferType: it.transferType,
      maxPacketSize: it.speeds[slowest].maxPacketSize,
    })),
  );
  const owners = new Map<number, string>();
  endpoints.forEach(({ half, transferType, address, path }, index) => {
    const real = picked[index];
    if (real === undefined) {
      list.bind(
        "udc-endpoints",
        path,
        `${name} has no ${transferType} ${half.toUpperCase()} endpoint left: use fewer, or declare it earlier`,
      );
      return;
    }
    const owner = owners.get(real);
    if (owner !== undefined) {
      list.configure(
        "udc-endpoints",
        path,
        `${name} gives this endpoint the address ${
          hex(real)
        }, which ${owner} has already: use fewer endpoints in this direction`,
      );
    }
    owners.set(real, owner ?? path);
    if (virtualAddresses && address !== real) {
      list.configure(
        "virtual-address",
        path,
        `${name} gives this endpoint the address ${hex(real)}, not ${
          hex(address)
        }, so the host cannot set the configuration: declare that address, or do without virtualAddresses`,
      );
    }
  });
}
