/**
 * The rules that depend on the kernel, the controller and the other functions of a configuration.
 *
 * @module
 */

import { hex } from "../../arguments/show.ts";
import { measureSpeed } from "../../compile/descriptor_encoding.ts";
import {
  MAX_CONFIGURATION_LENGTH,
  MAX_STRING_IDS,
} from "../../compile/functionfs_abi.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
  type KernelVersion,
} from "../../compile/kernel_version.ts";
import type { Layout } from "../../compile/layout.ts";
import {
  pickEndpoints,
  type UdcCapabilities,
  udcSpeedProblem,
} from "../endpoint_choice.ts";
import type { ProblemList } from "../problem.ts";

/**
 * How much the rest of a gadget uses of the limits that all functions share.
 *
 * @category Inspect
 */
export interface ConfigurationUse {
  /**
   * Interfaces of other functions in the configuration.
   *
   * @default {0}
   */
  readonly interfaces?: number;
  /**
   * Strings of the gadget, its configurations and its other functions. The default is manufacturer, product and serial
   * number.
   *
   * @default {3}
   */
  readonly strings?: number;
  /**
   * Bytes of the other functions' descriptors in the configuration.
   *
   * @default {0}
   */
  readonly bytes?: number;
}

/**
 * What is known about where a function will run.
 *
 * @category Inspect
 */
export interface ValidationContext {
  /** The kernel. Without it, the newest one. */
  readonly kernel?: KernelVersion;
  /** The device controller. Without it, one that can do everything. */
  readonly udc?: UdcCapabilities;
  /** The rest of the gadget. Without it, the function is alone. */
  readonly configuration?: ConfigurationUse;
}

/** Manufacturer, product and serial number. */
const GADGET_STRINGS = 3;
/** The configuration descriptor itself. */
const CONFIGURATION_LENGTH = 9;

/** Interfaces that a configuration can have (`MAX_CONFIG_INTERFACES`). */
export function maxInterfaces(kernel: KernelVersion | undefined): number {
  return kernelHas(kernel, KERNEL_FEATURES.manyInterfaces) ? 32 : 16;
}

/** Checks a valid function against where it will run. */
export function checkContext(
  list: ProblemList,
  layout: Layout,
  { kernel, udc, configuration = {} }: ValidationContext,
): void {
  const greatest = maxInterfaces(kernel);
  const count = layout.definition.interfaces.length +
    (configuration.interfaces ?? 0);
  if (count > greatest) {
    list.bindFails(
      "interface-count",
      "interfaces",
      `The configuration has ${count} interfaces, but the kernel takes ${greatest}: use fewer`,
    );
  }
  checkSizes(list, layout, configuration);
  if (kernel) checkKernel(list, layout, kernel);
  if (udc) checkUdc(list, layout, udc);
}

function checkSizes(
  list: ProblemList,
  layout: Layout,
  { strings = GADGET_STRINGS, bytes = 0 }: ConfigurationUse,
): void {
  for (const speed of layout.speeds) {
    const length = CONFIGURATION_LENGTH + bytes +
      measureSpeed(layout, speed).length;
    if (length <= MAX_CONFIGURATION_LENGTH) continue;
    list.configureFails(
      "configuration-size",
      "interfaces",
      `The configuration descriptor has ${length} bytes at ${speed} speed, but the kernel takes ${MAX_CONFIGURATION_LENGTH}: use fewer interfaces, endpoints or descriptors`,
    );
  }
  const { size } = layout.strings;
  const greatest = MAX_STRING_IDS - strings;
  if (size > greatest) {
    list.bindFails(
      "string-count",
      "interfaces",
      `There are ${size} different descriptions, but the gadget has string identifiers for ${greatest}: use fewer`,
    );
  }
}

function checkKernel(
  list: ProblemList,
  { definition, settings }: Layout,
  kernel: KernelVersion,
): void {
  const version = `Linux ${kernel.major}.${kernel.minor}`;
  for (
    const { alternateSetting, declared, interfaceNumber, path } of settings
  ) {
    declared.descriptors?.forEach(({ kind }, index) => {
      if (kind !== "dfu" || kernelHas(kernel, KERNEL_FEATURES.dfu)) return;
      list.writeFails(
        "kernel",
        `${path}.descriptors[${index}]`,
        `${version} refuses DFU functional descriptors: use Linux 6.12 or later, or leave it out`,
      );
    });
    if (
      alternateSetting === 1 &&
      !kernelHas(kernel, KERNEL_FEATURES.alternateSettings)
    ) {
      list.configureFails(
        "kernel",
        `interfaces[${interfaceNumber}].alternates`,
        `${version} does not let the host select alternate settings: use Linux 6.8 or later, or one setting`,
      );
    }
  }
  if (
    definition.rwProxy === true && !kernelHas(kernel, KERNEL_FEATURES.rwProxy)
  ) {
    list.writeFails(
      "kernel",
      "rwProxy",
      `${version} has no files for both directions: use Linux 7.3 or later, or set rwProxy to "auto"`,
    );
  }
}

function checkUdc(
  list: ProblemList,
  { definition, speeds, endpoints }: Layout,
  udc: UdcCapabilities,
): void {
  const name = udc.name === undefined ? "The controller" : `"${udc.name}"`;
  const [slowest] = speeds;
  const speedProblem = udcSpeedProblem(udc, speeds);
  if (speedProblem) list.configureFails("udc-speed", "speeds", speedProblem);
  if (udc.endpoints === undefined || slowest === undefined) return;
  const picked = pickEndpoints(
    udc,
    endpoints.map(({ direction, transferType, speeds }) => ({
      direction,
      transferType,
      maxPacketSize: speeds[slowest].maxPacketSize,
    })),
  );
  const owners = new Map<number, string>();
  endpoints.forEach(({ direction, transferType, address, path }, index) => {
    const real = picked[index];
    if (real === undefined) {
      list.bindFails(
        "udc-endpoints",
        path,
        `${name} has no ${transferType} ${direction.toUpperCase()} endpoint left: use fewer, or declare it earlier`,
      );
      return;
    }
    const owner = owners.get(real);
    if (owner !== undefined) {
      list.configureFails(
        "udc-endpoints",
        path,
        `${name} gives this endpoint the address ${
          hex(real)
        }, which ${owner} has already: use fewer endpoints in this direction`,
      );
    }
    owners.set(real, owner ?? path);
    if (definition.virtualAddresses && address !== real) {
      list.configureFails(
        "virtual-address",
        path,
        `${name} gives this endpoint the address ${hex(real)}, not ${
          hex(address)
        }, so the host cannot set the configuration: declare that address, or do without virtualAddresses`,
      );
    }
  });
}
