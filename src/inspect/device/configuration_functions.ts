/**
 * Divides a configuration of a device into functions.
 *
 * @module
 */
import { USB_DIR_IN } from "../../usb/endpoint_attributes.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import {
  decodeFunctional,
  functionalKind,
} from "../../compile/functional_encoding.ts";
import type { EndpointDefinition } from "../../definition/endpoint.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";
import { MAX_ALTERNATE_SETTING } from "../../compile/functionfs_abi.ts";
import { OTG_LENGTH } from "../../compile/descriptor_encoding.ts";
import { decodeList } from "../decode_descriptors.ts";
import { endpointProblem, endpointRecord } from "../endpoint_from_nodes.ts";
import type {
  ConfigurationSource,
  DeviceDescriptors,
  EndpointSource,
  SettingSource,
  Source,
} from "./device_descriptors.ts";
import type {
  EndpointModel,
  FunctionModel,
  Named,
  SettingModel,
} from "./function_model.ts";
import type { DeviceProblems } from "./problems.ts";

/** Divides a configuration into functions: one for each association, and one for each interface that is in none. */
export function divide(
  configuration: ConfigurationSource,
  speed: FunctionSpeed,
  prefix: string,
  reports: DeviceDescriptors["reports"],
  problems: DeviceProblems,
): FunctionModel[] {
  const interfaces = interfacesOf(configuration, problems);
  const numbers = [...interfaces.keys()].sort((a, b) => a - b);
  const owners = associationsOf(configuration, numbers, problems);
  const addresses = new Addresses(configuration);
  const functions: FunctionModel[] = [];
  const otg = otgOf(configuration, problems);
  for (let i = 0; i < numbers.length;) {
    const association = owners.get(numbers[i]);
    const own = numbers.slice(i).filter((it) =>
      it === numbers[i] || association && owners.get(it) === association
    );
    i += own.length;
    functions.push({
      name: `${prefix}interface${own.length > 1 ? "s" : ""}${own[0]}${
        own.length > 1 ? `-${own.at(-1)}` : ""
      }`,
      speed,
      interfaces: own.map((number) =>
        (interfaces.get(number) ?? []).map((it) =>
          settingModel(it, speed, addresses, reports, problems)
        )
      ),
      association: association &&
        named(association, "iFunction", association.bytes[7], problems),
      otg: functions.length === 0 ? otg : undefined,
    });
  }
  return functions;
}

/** Returns the settings of each interface, by its number, in order. */
function interfacesOf(
  { settings }: ConfigurationSource,
  problems: DeviceProblems,
): Map<number, SettingSource[]> {
  const interfaces = new Map<number, SettingSource[]>();
  for (const each of settings) {
    const others = interfaces.get(each.number) ?? [];
    interfaces.set(each.number, others);
    if (others.some((it) => it.alternate === each.alternate)) {
      problems.leftOut(
        each,
        "alternates",
        "The interface has an earlier setting of this number: it is left out with what follows it",
      );
    } else others.push(each);
  }
  for (const [number, all] of interfaces) {
    all.sort((a, b) => a.alternate - b.alternate);
    const kept = all.slice(0, MAX_ALTERNATE_SETTING + 1);
    const others = all.slice(MAX_ALTERNATE_SETTING + 1);
    interfaces.set(number, withFunctional(kept, others));
    for (const each of others) {
      problems.leftOut(
        each,
        "alternates",
        `FunctionFS lets the host select settings 0 to ${MAX_ALTERNATE_SETTING}: this one is left out with what follows it`,
      );
    }
  }
  return interfaces;
}

/** Keeps the functional descriptor of an interface, which DFU has after the last of its settings. */
function withFunctional(
  kept: SettingSource[],
  others: readonly SettingSource[],
): SettingSource[] {
  const [last] = kept.slice(-1);
  const found = others.flatMap((it) => it.descriptors).filter(({ bytes }) =>
    functionalKind(last.bytes[5], last.bytes[6]) !== undefined &&
    bytes[1] === DescriptorType.CLASS_FUNCTIONAL
  );
  const descriptors = [...last.descriptors, ...found];
  return [...kept.slice(0, -1), { ...last, descriptors }];
}

/** Returns the association of each interface that has one. */
function associationsOf(
  { associations }: ConfigurationSource,
  numbers: readonly number[],
  problems: DeviceProblems,
): Map<number, Source> {
  const owners = new Map<number, Source>();
  for (const each of associations) {
    const [, , first, count] = each.bytes;
    const own = numbers.filter((it) => it >= first && it < first + count);
    if (own.length === 0) {
      const message = "None of its interfaces exists";
      problems.leftOut(each, "association", message);
    } else if (own.some((it) => owners.has(it))) {
      const message = "An interface can be in one association, and is in two";
      problems.leftOut(each, "association", message);
    } else {
      for (const it of own) owners.set(it, each);
    }
  }
  return owners;
}

/** Returns the OTG descriptor; what else precedes the interfaces is left out. */
function otgOf(
  { others }: ConfigurationSource,
  problems: DeviceProblems,
): Source | undefined {
  const otg = others.find(({ bytes }) =>
    bytes[1] === DescriptorType.OTG && bytes.length === OTG_LENGTH
  );
  for (const each of others) {
    if (each === otg) continue;
    problems.leftOut(
      each,
      "descriptor-type",
      "Outside of interfaces, FunctionFS takes associations and one OTG descriptor of 3 bytes only",
    );
  }
  return otg;
}

function settingModel(
  source: SettingSource,
  speed: FunctionSpeed,
  addresses: Addresses,
  reports: DeviceDescriptors["reports"],
  problems: DeviceProblems,
): SettingModel {
  const [, , , , , , , , index] = source.bytes;
  return {
    ...named(source, "iInterface", index, problems),
    descriptors: source.descriptors,
    report: reportOf(source, reports, problems),
    endpoints: source.endpoints.flatMap((it) =>
      endpointModel(it, source, speed, addresses, problems) ?? []
    ),
  };
}

/** Returns the report descriptor that the HID descriptor of a setting announces. */
function reportOf(
  { bytes: [, , , , , code, subclass], descriptors, number }: SettingSource,
  reports: DeviceDescriptors["reports"] = {},
  problems: DeviceProblems,
): Uint8Array | undefined {
  for (const { bytes, offset, place } of descriptors) {
    const descriptor = decodeFunctional(bytes, code, subclass);
    if (descriptor.kind !== "hid") continue;
    const report = Object.hasOwn(reports, number) ? reports[number] : undefined;
    if (report?.length === descriptor.reportLength) return report;
    const at = { place: `${place}, report descriptor`, offset };
    problems.leftOut(
      at,
      "report",
      report
        ? `The given one has ${report.length} bytes, and the device announces ${descriptor.reportLength}`
        : "It is not among the given ones: answer the host in standardControl",
    );
  }
  return undefined;
}

function named<S extends Source>(
  source: S,
  field: string,
  index: number,
  problems: DeviceProblems,
): Named<S> {
  return { source, description: problems.text(source, field, index) };
}

function endpointModel(
  source: EndpointSource,
  { alternate }: SettingSource,
  speed: FunctionSpeed,
  addresses: Addresses,
  problems: DeviceProblems,
): EndpointModel | undefined {
  const { companion } = source;
  const [node] = decodeList(
    companion ? [source.bytes, companion.bytes] : [source.bytes],
  );
  if (node.kind !== "endpoint") return undefined;
  // Before it claims its address: Bluetooth radios have such in setting 0, and the real ones in others.
  const reason = endpointProblem(node, speed) ??
    (node.maxPacketSize === 0 ? "has packets of 0 bytes" : undefined);
  if (reason !== undefined) {
    problems.leftOut(source, "endpoint", `The endpoint ${reason}`);
    return undefined;
  }
  if (companion && speed !== "super") {
    problems.leftOut(
      companion,
      "descriptor-type",
      `A companion is for super speed, and the device was at ${speed} speed`,
    );
  }
  const address = addresses.claim(node.address);
  if (address === undefined) {
    problems.leftOut(
      source,
      "repeated-address",
      "FunctionFS takes each address once in a function, alternate settings included, and no other is left",
    );
    return undefined;
  }
  const hexadecimal = node.address.toString(16).padStart(2, "0");
  const name = `ep${hexadecimal}${
    address === node.address ? "" : `_${alternate}_${address & 0x0f}`
  }`;
  const both = [{ speed, node: { ...node, address } }];
  const record: Record<string, EndpointDefinition> = endpointRecord([both], [
    name,
  ]);
  return { source, name, definition: record[name] };
}

/** The endpoint addresses of a configuration, each of which is given once. */
class Addresses {
  readonly #device: ReadonlySet<number>;
  readonly #given = new Set<number>();

  constructor({ settings }: ConfigurationSource) {
    const endpoints = settings.flatMap((it) => it.endpoints);
    this.#device = new Set(endpoints.map(({ bytes }) => bytes[2]));
  }

  /** Returns an address, or another one that the device does not have if it is given already. */
  claim(address: number): number | undefined {
    let free: number | undefined = address;
    if (this.#given.has(address)) {
      free = Array.from(
        { length: 15 },
        (_, it) => address & USB_DIR_IN | it + 1,
      ).find((it) => !this.#given.has(it) && !this.#device.has(it));
    }
    if (free !== undefined) this.#given.add(free);
    return free;
  }
}
