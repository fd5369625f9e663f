/**
 * What goes wrong with accepted blocks later: when the gadget is bound, and when the host configures it.
 *
 * @module
 */

import { DescriptorType } from "../../src/usb/descriptor_type.ts";
import { attributesTransferType } from "../../src/usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../src/usb/speed.ts";
import { validateController } from "./bind_rules_controller.ts";
import { validateFeature } from "./bind_rules_os.ts";
import {
  intervalRange,
  packetSizeProblem,
} from "../../src/check/function/endpoint_limits.ts";
import {
  MAX_ALTERNATE_SETTING,
  MAX_CONFIGURATION_LENGTH,
  MAX_STRING_BYTES,
  MAX_STRING_IDS,
} from "../../src/compile/functionfs_abi.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
} from "../../src/compile/kernel_version.ts";
import { hex, type ProblemList } from "../../src/check/problem_list.ts";
import {
  CONFIGURATION_LENGTH,
  GADGET_STRINGS,
  maxInterfaces,
  type ValidationContext,
} from "../../src/check/function/context.ts";
import type { AcceptedDescriptors } from "./write_model.ts";
import {
  type BlockDescriptor,
  isEndpoint,
  packetSize,
} from "./write_model_list.ts";
import type { BlockLanguage } from "./write_model_strings.ts";

/**
 * Finds what goes wrong with an accepted descriptors block later.
 *
 * @param list Where problems go.
 * @param block The block.
 * @param context Where the function will run.
 */
export function validateAccepted(
  list: ProblemList,
  block: AcceptedDescriptors,
  context: ValidationContext,
): void {
  const speeds = FUNCTION_SPEEDS.filter((it) => block.lists[it].length > 0);
  if (speeds.length === 0) {
    list.bind(
      "speeds",
      "descriptors",
      "No speed has descriptors: add an interface at one speed at least",
    );
    return;
  }
  const withEndpoints = speeds.filter((it) => block.lists[it].some(isEndpoint));
  if (withEndpoints.join() === "high,super") {
    list.hazard(
      "speeds",
      "descriptors",
      "High and super speed have endpoints and full speed has none, which crashes the kernel when the gadget is bound: add full speed",
    );
  }
  for (const speed of speeds) validateList(list, block, speed, context);
  validateInterfaces(list, block, speeds[0], context);
  const { strings = GADGET_STRINGS } = context.configuration ?? {};
  if (block.stringCount > MAX_STRING_IDS - strings) {
    list.bind(
      "string-count",
      "descriptors",
      `The descriptors refer to string ${block.stringCount}, but the gadget has identifiers for ${
        MAX_STRING_IDS - strings
      }: use fewer`,
    );
  }
  validateController(list, block, speeds, withEndpoints[0], context);
  for (const feature of block.os) validateFeature(list, feature);
}

const EMPTY_PACKETS =
  "Packet size 0 makes the kernel print a warning and fail when the host configures the gadget: give a size";

/** Rules for the descriptors of one speed. */
function validateList(
  list: ProblemList,
  block: AcceptedDescriptors,
  speed: FunctionSpeed,
  { kernel, configuration }: ValidationContext,
): void {
  const descriptors = block.lists[speed];
  const owners = new Map<number, string>();
  let isBelowZero = false;
  let length = CONFIGURATION_LENGTH + (configuration?.bytes ?? 0);
  descriptors.forEach((descriptor, index) => {
    const { type, bytes, path } = descriptor;
    length += bytes.length;
    if (type === DescriptorType.INTERFACE) {
      const alternate = bytes[3];
      if (alternate === 0) isBelowZero = true;
      if (alternate > MAX_ALTERNATE_SETTING) {
        list.configure(
          "alternates",
          `${path}.bAlternateSetting`,
          `Alternate setting ${alternate} cannot be selected: use 0 to ${MAX_ALTERNATE_SETTING}`,
        );
      } else if (
        alternate > 0 && !kernelHas(kernel, KERNEL_FEATURES.alternateSettings)
      ) {
        list.configure(
          "kernel",
          `${path}.bAlternateSetting`,
          `Alternate setting ${alternate} cannot be selected before Linux 6.8: use 0`,
        );
      }
      validateEndpointCount(list, descriptors, index);
    } else if (isEndpoint(descriptor)) {
      const owner = owners.get(bytes[2]);
      if (owner !== undefined) {
        list.bind(
          "repeated-address",
          `${path}.bEndpointAddress`,
          `Address ${hex(bytes[2])} is that of ${owner} already: use each once`,
        );
      }
      owners.set(bytes[2], owner ?? path);
      if (!isBelowZero) {
        list.configure(
          "alternate-zero",
          path,
          "No interface with alternate setting 0 comes before this endpoint, so it cannot be enabled: add one",
        );
      }
      validateEndpoint(list, descriptor, speed);
      if (speed === "super") {
        const next = descriptors[index + 1]?.type;
        if (next !== DescriptorType.SUPERSPEED_ENDPOINT_COMPANION) {
          list.configure(
            "companion",
            path,
            "No super-speed companion follows this endpoint, so it cannot be enabled: add one",
          );
        }
      }
    }
  });
  if (length <= MAX_CONFIGURATION_LENGTH) return;
  list.configure(
    "configuration-size",
    `descriptors.${speed}`,
    `The configuration descriptor has ${length} bytes, but the kernel takes ${MAX_CONFIGURATION_LENGTH}: use fewer descriptors`,
  );
}

/** `bNumEndpoints` is what the host goes by; FunctionFS ignores it. */
function validateEndpointCount(
  list: ProblemList,
  descriptors: readonly BlockDescriptor[],
  index: number,
): void {
  const { bytes, path } = descriptors[index];
  let count = 0;
  for (let i = index + 1; i < descriptors.length; i++) {
    if (descriptors[i].type === DescriptorType.INTERFACE) break;
    if (isEndpoint(descriptors[i])) count++;
  }
  if (count === bytes[4]) return;
  list.configure(
    "endpoint-count",
    `${path}.bNumEndpoints`,
    `The interface says it has ${
      bytes[4]
    } endpoints, but ${count} follow: make them equal`,
  );
}

function validateEndpoint(
  list: ProblemList,
  descriptor: BlockDescriptor,
  speed: FunctionSpeed,
): void {
  const { bytes, path } = descriptor;
  const transferType = attributesTransferType(bytes[3]);
  if (transferType === "control") {
    list.bind(
      "transfer-type",
      `${path}.bmAttributes`,
      "A function cannot have a control endpoint: use bulk, interrupt or isochronous",
    );
    return;
  }
  const [size, further] = packetSize(descriptor);
  const problem = packetSizeProblem(size, transferType, speed);
  if (size === 0) {
    list.hazard("packet-size", `${path}.wMaxPacketSize`, EMPTY_PACKETS);
  } else if (problem) {
    list.configure("packet-size", `${path}.wMaxPacketSize`, problem);
  }
  if (further > 0 && (speed !== "high" || transferType === "bulk")) {
    list.configure(
      "transactions",
      `${path}.wMaxPacketSize`,
      "Further transactions in a microframe exist for interrupt and isochronous endpoints at high speed only: clear bits 12 and 11",
    );
  }
  const [least, greatest] = intervalRange(transferType, speed);
  if (bytes[6] < least || bytes[6] > greatest) {
    list.configure(
      "interval",
      `${path}.bInterval`,
      `Interval ${
        bytes[6]
      } is not possible for an ${transferType} endpoint at ${speed} speed: use ${least} to ${greatest}`,
    );
  }
}

function validateInterfaces(
  list: ProblemList,
  block: AcceptedDescriptors,
  speed: FunctionSpeed,
  { kernel, configuration }: ValidationContext,
): void {
  const numbers = new Set(
    block.lists[speed].filter((it) => it.type === DescriptorType.INTERFACE)
      .map((it) => it.bytes[2]),
  );
  const count = numbers.size + (configuration?.interfaces ?? 0);
  const greatest = maxInterfaces(kernel);
  if (count <= greatest) return;
  list.bind(
    "interface-count",
    `descriptors.${speed}`,
    `The configuration has ${count} interfaces, but the kernel takes ${greatest}: use fewer`,
  );
}

/**
 * Finds what goes wrong with accepted strings later.
 *
 * @param list Where problems go.
 * @param languages The strings.
 * @param needed The greatest string index of the descriptors.
 */
export function validateAcceptedStrings(
  list: ProblemList,
  languages: readonly BlockLanguage[],
  needed: number,
): void {
  languages.forEach(({ language, strings }, number) => {
    if (language === 0) {
      list.configure(
        "language",
        `strings[${number}].language`,
        "Language 0 ends the list of languages: use a LANGID",
      );
    }
    strings.slice(0, needed).forEach(({ length }, index) => {
      if (length <= MAX_STRING_BYTES) return;
      list.configure(
        "string",
        `strings[${number}].strings[${index}]`,
        `The text takes ${length} bytes in UTF-8, but the kernel takes ${MAX_STRING_BYTES} at most: shorten it`,
      );
    });
  });
}
