/**
 * A function of a clone while it is made: what it takes over from the device.
 *
 * @module
 */
import { decodeFunctional } from "../../compile/functional_encoding.ts";
import type { EndpointDefinition } from "../../definition/endpoint.ts";
import type {
  AlternateDefinition,
  FunctionDefinition,
  LocalizedString,
} from "../../definition/function.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";
import type {
  EndpointSource,
  SettingSource,
  Source,
} from "./device_descriptors.ts";

/** A descriptor with a name, and its text. */
export interface Named<S extends Source> {
  readonly source: S;
  description: LocalizedString | undefined;
}

/** An endpoint of a function. */
export interface EndpointModel {
  readonly source: EndpointSource;
  readonly name: string;
  readonly definition: EndpointDefinition;
}

/** A setting of an interface. */
export interface SettingModel extends Named<SettingSource> {
  descriptors: readonly Source[];
  endpoints: readonly EndpointModel[];
  /** The report descriptor of a HID interface. */
  readonly report: Uint8Array | undefined;
}

/** A function. */
export interface FunctionModel {
  readonly name: string;
  readonly speed: FunctionSpeed;
  /** The interfaces, each with its alternate settings. */
  readonly interfaces: readonly (readonly SettingModel[])[];
  association: Named<Source> | undefined;
  readonly otg: Source | undefined;
}

/** Returns the definition of a function. It is not checked. */
export function modelDefinition(model: FunctionModel): FunctionDefinition {
  const { name, speed, interfaces, association, otg } = model;
  return {
    name,
    speeds: [speed],
    interfaces: interfaces.map(([base, ...alternates]) => ({
      ...settingDefinition(base),
      class: base.source.bytes[5],
      alternates: alternates.map((it) => ({
        ...settingDefinition(it),
        // Without one, it would have that of the interface.
        ...(base.description && !it.description ? { description: "" } : {}),
      })),
    })),
    ...(association
      ? {
        associations: [{
          firstInterface: 0,
          interfaceCount: interfaces.length,
          class: association.source.bytes[4],
          subclass: association.source.bytes[5],
          protocol: association.source.bytes[6],
          ...describedBy(association),
        }],
      }
      : {}),
    ...(otg
      ? { otg: { srp: (otg.bytes[2] & 1) > 0, hnp: (otg.bytes[2] & 2) > 0 } }
      : {}),
  };
}

function settingDefinition(setting: SettingModel): AlternateDefinition {
  const [, , , , , code, subclass, protocol] = setting.source.bytes;
  return {
    class: code,
    subclass,
    protocol,
    ...describedBy(setting),
    descriptors: setting.descriptors.map(({ bytes }) => {
      const descriptor = decodeFunctional(bytes, code, subclass);
      return descriptor.kind === "hid" && setting.report
        ? { ...descriptor, report: setting.report }
        : descriptor;
    }),
    endpoints: Object.fromEntries(
      setting.endpoints.map((it) => [it.name, it.definition]),
    ),
  };
}

function describedBy(
  { description }: Named<Source>,
): { readonly description?: LocalizedString } {
  return description === undefined ? {} : { description };
}

/** The descriptors of the device that a function has, in the order in which the function has them. */
export function modelSources(model: FunctionModel): Source[] {
  const { association, interfaces, otg, speed } = model;
  return [
    ...(otg ? [otg] : []),
    ...(association ? [association.source] : []),
    ...interfaces.flat().flatMap(({ source, descriptors, endpoints }) => [
      source,
      ...descriptors,
      ...endpoints.flatMap(({ source }) =>
        speed === "super" && source.companion
          ? [source, source.companion]
          : [source]
      ),
    ]),
  ];
}
