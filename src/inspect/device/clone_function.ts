/**
 * Makes a function valid, and finds what it has in another way than the device.
 *
 * @module
 */
import { hex } from "../../arguments/show.ts";
import { compileFunction } from "../../check/compile_function.ts";
import { validateFunction } from "../../check/usb_function.ts";
import type { FunctionDefinition } from "../../definition/function.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { splitDescriptors } from "../decode_descriptors.ts";
import type { Source } from "./device_descriptors.ts";
import {
  type FunctionModel,
  modelDefinition,
  modelSources,
  type Named,
} from "./function_model.ts";
import type { DeviceProblems } from "./problems.ts";

/** Bytes of a block with one speed before its descriptors: magic, length, flags, count. */
const BLOCK_HEADER = 16;

/** Leaves out what a function cannot have, until it is valid, and returns its definition. */
export function cloneFunction(
  model: FunctionModel,
  interfaceOffset: number,
  problems: DeviceProblems,
): FunctionDefinition {
  for (;;) {
    const definition = modelDefinition(model);
    const found = validateFunction(definition);
    if (found.length === 0) {
      compare(model, definition, interfaceOffset, problems);
      return definition;
    }
    const parts = partsOf(model);
    const removed = new Set<Part>();
    for (const { path, rule, message } of found) {
      const part = parts.find((it) => isBelow(path, it.path));
      if (part === undefined || removed.has(part)) continue;
      removed.add(part);
      part.leaveOut();
      problems.leftOut(part.at, rule, message);
    }
    if (removed.size > 0) continue;
    // No descriptor causes it: the function as a whole is refused.
    const [first] = modelSources(model);
    for (const { rule, message } of found) {
      problems.refused(first, rule, message);
    }
    return definition;
  }
}

/** Something that a function can do without. */
interface Part {
  /** Where it is in the definition. */
  readonly path: string;
  readonly at: Pick<Source, "place" | "offset">;
  readonly leaveOut: () => void;
}

/** Lists the parts of a function. Texts precede what they describe. */
function partsOf(model: FunctionModel): Part[] {
  const { association } = model;
  const parts: Part[] = [];
  if (association) {
    const leaveOut = () => model.association = undefined;
    const path = "associations[0]";
    parts.push(textPart(association, path, "iFunction"));
    parts.push({ path, at: association.source, leaveOut });
  }
  model.interfaces.forEach((settings, number) =>
    settings.forEach((setting, position) => {
      const base = `interfaces[${number}]`;
      const path = position > 0 ? `${base}.alternates[${position - 1}]` : base;
      parts.push(textPart(setting, path, "iInterface"));
      setting.descriptors.forEach((each, index) => {
        const leaveOut = () =>
          setting.descriptors = setting.descriptors.filter((it) => it !== each);
        parts.push({
          path: `${path}.descriptors[${index}]`,
          at: each,
          leaveOut,
        });
      });
      for (const each of setting.endpoints) {
        const leaveOut = () =>
          setting.endpoints = setting.endpoints.filter((it) => it !== each);
        const at = each.source;
        parts.push({ path: `${path}.endpoints.${each.name}`, at, leaveOut });
      }
    })
  );
  return parts;
}

function textPart(named: Named<Source>, path: string, field: string): Part {
  const { place, offset } = named.source;
  const leaveOut = () => named.description = undefined;
  const at = { place: `${place}, ${field}`, offset };
  return { path: `${path}.description`, at, leaveOut };
}

function isBelow(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`) ||
    path.startsWith(`${part}[`);
}

const INTERFACE_FIELDS: readonly string[] = [
  ...["bInterfaceNumber", "bAlternateSetting", "bNumEndpoints"],
  ...["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"],
];
const ENDPOINT_FIELDS: readonly string[] = [
  ...["bEndpointAddress", "bmAttributes", "wMaxPacketSize", "wMaxPacketSize"],
  ...["bInterval", "bRefresh", "bSynchAddress"],
];
const COMPANION_FIELDS: readonly string[] = [
  ...["bMaxBurst", "bmAttributes", "wBytesPerInterval", "wBytesPerInterval"],
];
const ASSOCIATION_FIELDS: readonly string[] = [
  ...["bFirstInterface", "bInterfaceCount"],
  ...["bFunctionClass", "bFunctionSubClass", "bFunctionProtocol"],
];
/** Names of bytes after length and type. String indexes have none: the kernel chooses them. */
const FIELDS: Readonly<Record<number, readonly string[]>> = {
  [DescriptorType.INTERFACE]: INTERFACE_FIELDS,
  [DescriptorType.ENDPOINT]: ENDPOINT_FIELDS,
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]: COMPANION_FIELDS,
  [DescriptorType.INTERFACE_ASSOCIATION]: ASSOCIATION_FIELDS,
  [DescriptorType.OTG]: ["bmAttributes"],
};

/** Rule and reason by field. */
const REASONS: Readonly<Record<string, readonly [rule: string, why: string]>> =
  {
    bInterfaceNumber: [
      "interface-number",
      "the kernel numbers interfaces without gaps",
    ],
    bFirstInterface: [
      "interface-number",
      "the kernel numbers interfaces without gaps",
    ],
    bInterfaceCount: ["association", "there are not as many interfaces"],
    bAlternateSetting: [
      "alternates",
      "a definition numbers alternate settings without gaps",
    ],
    bNumEndpoints: [
      "endpoint-count",
      "it is the number of endpoint descriptors",
    ],
    bEndpointAddress: [
      "repeated-address",
      "FunctionFS takes each address once in a function, alternate settings included",
    ],
  };

/** Reports the bytes of a compiled function that differ from those of the device. */
function compare(
  model: FunctionModel,
  definition: FunctionDefinition,
  interfaceOffset: number,
  problems: DeviceProblems,
): void {
  const { descriptors } = compileFunction(definition, { interfaceOffset });
  const compiled = splitDescriptors(descriptors.subarray(BLOCK_HEADER));
  const sources = modelSources(model);
  compiled.forEach((bytes, index) => {
    const source = sources[index];
    // The kernel adds what it does not add to associations by itself.
    if (bytes[1] === DescriptorType.INTERFACE) bytes[2] += interfaceOffset;
    compareBytes(source, bytes, problems);
  });
}

/** Reports the descriptors of a configuration that its functions have in another order. */
export function compareOrder(
  functions: readonly FunctionModel[],
  problems: DeviceProblems,
): void {
  const sources = functions.flatMap(modelSources);
  sources.forEach((source, index) => {
    const last = sources[index - 1];
    if (last === undefined || last.offset < source.offset) return;
    problems.changed(
      source,
      "order",
      `It comes after ${last.place}: a definition has interfaces in the order of their numbers, and functional descriptors before endpoints`,
    );
  });
}

function compareBytes(
  source: Source,
  bytes: Uint8Array,
  problems: DeviceProblems,
): void {
  const fields = FIELDS[bytes[1]] ?? [];
  for (const name of new Set(fields)) {
    const first = 2 + fields.indexOf(name);
    const last = 2 + fields.lastIndexOf(name);
    const value = (from: Uint8Array) =>
      last > first ? from[first] | from[last] << 8 : from[first];
    if (value(bytes) === value(source.bytes)) continue;
    const digits = name.startsWith("w") ? 4 : 2;
    const [rule, why] = REASONS[name] ??
      ["reserved-bits", "a definition does not have all of its bits"];
    problems.changed(
      source,
      rule,
      `${name} is ${hex(value(bytes), digits)} in place of ${
        hex(value(source.bytes), digits)
      }: ${why}`,
    );
  }
}
