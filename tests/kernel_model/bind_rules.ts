/**
 * What goes wrong with accepted blocks later: when the gadget is bound, and when the host configures it.
 *
 * @module
 */

import {
  type BlockContext,
  hex,
  isSince,
  MAX_ALTERNATE_SETTING,
  MAX_CONFIGURATION_LENGTH,
  MAX_STRING_BYTES,
  MAX_STRING_IDS,
} from "./kernel.ts";
import type { BlockProblems } from "./refusal.ts";
import { DescriptorType } from "../../src/usb/descriptor_type.ts";
import {
  attributesTransferType,
  type TransferType,
} from "../../src/usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../src/usb/speed.ts";
import { validateController } from "./bind_rules_controller.ts";
import { validateFeature } from "./bind_rules_os.ts";
import type { AcceptedDescriptors } from "./write_model.ts";
import {
  type BlockDescriptor,
  isEndpoint,
  packetSize,
} from "./write_model_list.ts";
import type { BlockLanguage } from "./write_model_strings.ts";

/**
 * Finds what goes wrong with an accepted descriptors block later.
 */
export function validateAccepted(
  list: BlockProblems,
  block: AcceptedDescriptors,
  context: BlockContext,
): void {
  const speeds = FUNCTION_SPEEDS.filter((it) => block.lists[it].length > 0);
  if (speeds.length === 0) {
    list.bindFails(
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
  const { strings = 3 } = context.configuration ?? {};
  if (block.stringCount > MAX_STRING_IDS - strings) {
    list.bindFails(
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
  list: BlockProblems,
  block: AcceptedDescriptors,
  speed: FunctionSpeed,
  { kernel, configuration }: BlockContext,
): void {
  const descriptors = block.lists[speed];
  const owners = new Map<number, string>();
  let isBelowZero = false;
  let length = 9 + (configuration?.bytes ?? 0);
  descriptors.forEach((descriptor, index) => {
    const { type, bytes, path } = descriptor;
    length += bytes.length;
    if (type === DescriptorType.INTERFACE) {
      const alternate = bytes[3];
      if (alternate === 0) isBelowZero = true;
      if (alternate > MAX_ALTERNATE_SETTING) {
        list.configureFails(
          "alternates",
          `${path}.bAlternateSetting`,
          `Alternate setting ${alternate} cannot be selected: use 0 to ${MAX_ALTERNATE_SETTING}`,
        );
      } else if (
        alternate > 0 && !isSince(kernel, 6, 8)
      ) {
        list.configureFails(
          "kernel",
          `${path}.bAlternateSetting`,
          `Alternate setting ${alternate} cannot be selected before Linux 6.8: use 0`,
        );
      }
      validateEndpointCount(list, descriptors, index);
    } else if (isEndpoint(descriptor)) {
      const owner = owners.get(bytes[2]);
      if (owner !== undefined) {
        list.bindFails(
          "repeated-address",
          `${path}.bEndpointAddress`,
          `Address ${hex(bytes[2])} is that of ${owner} already: use each once`,
        );
      }
      owners.set(bytes[2], owner ?? path);
      if (!isBelowZero) {
        list.configureFails(
          "alternate-zero",
          path,
          "No interface with alternate setting 0 comes before this endpoint, so it cannot be enabled: add one",
        );
      }
      validateEndpoint(list, descriptor, speed);
      if (speed === "super") {
        const next = descriptors[index + 1]?.type;
        if (next !== DescriptorType.SUPERSPEED_ENDPOINT_COMPANION) {
          list.configureFails(
            "companion",
            path,
            "No super-speed companion follows this endpoint, so it cannot be enabled: add one",
          );
        }
      }
    }
  });
  if (length <= MAX_CONFIGURATION_LENGTH) return;
  list.configureFails(
    "configuration-size",
    `descriptors.${speed}`,
    `The configuration descriptor has ${length} bytes, but the kernel takes ${MAX_CONFIGURATION_LENGTH}: use fewer descriptors`,
  );
}

/** `bNumEndpoints` is what the host goes by; FunctionFS ignores it. */
function validateEndpointCount(
  list: BlockProblems,
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
  list.configureFails(
    "endpoint-count",
    `${path}.bNumEndpoints`,
    `The interface says it has ${
      bytes[4]
    } endpoints, but ${count} follow: make them equal`,
  );
}

function validateEndpoint(
  list: BlockProblems,
  descriptor: BlockDescriptor,
  speed: FunctionSpeed,
): void {
  const { bytes, path } = descriptor;
  const transferType = attributesTransferType(bytes[3]);
  if (transferType === "control") {
    list.bindFails(
      "transfer-type",
      `${path}.bmAttributes`,
      "A function cannot have a control endpoint: use bulk, interrupt or isochronous",
    );
    return;
  }
  const [size, further] = packetSize(descriptor);
  const sizes = packetSizes(transferType, speed);
  if (size === 0) {
    list.hazard("packet-size", `${path}.wMaxPacketSize`, EMPTY_PACKETS);
  } else if (!sizes(size)) {
    list.configureFails(
      "packet-size",
      `${path}.wMaxPacketSize`,
      `No ${transferType} endpoint has packets of ${size} bytes at ${speed} speed`,
    );
  }
  if (further > 0 && (speed !== "high" || transferType === "bulk")) {
    list.configureFails(
      "transactions",
      `${path}.wMaxPacketSize`,
      "Further transactions in a microframe exist for interrupt and isochronous endpoints at high speed only: clear bits 12 and 11",
    );
  }
  const [least, greatest] = intervalRange(transferType, speed);
  if (bytes[6] < least || bytes[6] > greatest) {
    list.configureFails(
      "interval",
      `${path}.bInterval`,
      `Interval ${
        bytes[6]
      } is not possible for an ${transferType} endpoint at ${speed} speed: use ${least} to ${greatest}`,
    );
  }
}

/** USB 2.0 sections 5.6.3, 5.7.3 and 5.8.3, USB 3.2 section 9.6.6. */
function packetSizes(
  transferType: TransferType,
  speed: FunctionSpeed,
): (size: number) => boolean {
  switch (transferType) {
    case "bulk":
      if (speed === "full") return (size) => [8, 16, 32, 64].includes(size);
      return (size) => size === (speed === "high" ? 512 : 1024);
    case "interrupt":
      return (size) => size <= (speed === "full" ? 64 : 1024);
    case "isochronous":
      return (size) => size <= (speed === "full" ? 1023 : 1024);
  }
}

/** USB 2.0 table 9-13. */
function intervalRange(
  transferType: TransferType,
  speed: FunctionSpeed,
): readonly [number, number] {
  if (transferType === "bulk") return [0, 255];
  return transferType === "interrupt" && speed === "full" ? [1, 255] : [1, 16];
}

function validateInterfaces(
  list: BlockProblems,
  block: AcceptedDescriptors,
  speed: FunctionSpeed,
  { kernel, configuration }: BlockContext,
): void {
  const numbers = new Set(
    block.lists[speed].filter((it) => it.type === DescriptorType.INTERFACE)
      .map((it) => it.bytes[2]),
  );
  const count = numbers.size + (configuration?.interfaces ?? 0);
  const greatest = isSince(kernel, 6, 12) ? 32 : 16;
  if (count <= greatest) return;
  list.bindFails(
    "interface-count",
    `descriptors.${speed}`,
    `The configuration has ${count} interfaces, but the kernel takes ${greatest}: use fewer`,
  );
}

/**
 * Finds what goes wrong with accepted strings later.
 */
export function validateAcceptedStrings(
  list: BlockProblems,
  languages: readonly BlockLanguage[],
  needed: number,
): void {
  languages.forEach(({ language, strings }, number) => {
    if (language === 0) {
      list.configureFails(
        "language",
        `strings[${number}].language`,
        "Language 0 ends the list of languages: use a LANGID",
      );
    }
    strings.slice(0, needed).forEach(({ length }, index) => {
      if (length <= MAX_STRING_BYTES) return;
      list.configureFails(
        "string",
        `strings[${number}].strings[${index}]`,
        `The text takes ${length} bytes in UTF-8, but the kernel takes ${MAX_STRING_BYTES} at most: shorten it`,
      );
    });
  });
}
