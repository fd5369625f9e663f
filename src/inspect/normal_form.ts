/**
 * The normal form of a definition: everything said, nothing said twice.
 *
 * @module
 */

import { languageTag } from "../usb/language.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type {
  AssociationDefinition,
  FunctionDefinition,
  InterfaceDefinition,
  LocalizedString,
} from "../definition/function.ts";
import type {
  EndpointDefinition,
  EndpointSettings,
} from "../definition/endpoint.ts";
import {
  decodeFunctional,
  encodeFunctional,
} from "../compile/functional_encoding.ts";
import type { MicrosoftOsFeature } from "../definition/microsoft_os.ts";
import type { EndpointLayout } from "../compile/endpoint_layout.ts";
import { layOutFunction, type SettingLayout } from "../compile/layout.ts";
import { textIn } from "../compile/string_table.ts";

/**
 * Writes a definition in its normal form: every default, address, packet size and interval explicit, texts by
 * language, what is declared in no particular order sorted. Two definitions have the same normal form when they compile
 * to the same bytes and have the same names.
 *
 * @param definition A valid function.
 * @returns The normal form, a definition itself.
 *
 * @example Usage
 * ```ts
 * import { interruptIn, normalizeDefinition } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const normal = normalizeDefinition({
 *   name: "sensor",
 *   speeds: ["full"],
 *   interfaces: [{ class: 0xff, endpoints: { values: interruptIn() } }],
 * });
 * assertEquals(normal.interfaces[0].endpoints?.values, {
 *   kind: "in",
 *   transferType: "interrupt",
 *   address: 0x81,
 *   usage: "periodic",
 *   full: { maxPacketSize: 64, interval: 8 },
 * });
 * ```
 */
export function normalizeDefinition(
  definition: FunctionDefinition,
): FunctionDefinition {
  const { speeds, settings, strings } = layOutFunction(definition);
  const { languages } = strings;
  const text = (it: LocalizedString | undefined) =>
    it === undefined
      ? undefined
      : languages.map((language) => textIn(it, language) ?? "");
  return normalForm({
    name: definition.name,
    speeds,
    languages: strings.size > 0 ? languages : [],
    settings: settings.map((setting) => ({
      ...setting,
      texts: text(setting.description),
      descriptors: setting.descriptors.map((it) =>
        decodeFunctional(
          encodeFunctional(it),
          setting.class,
          setting.subclass,
        )
      ),
    })),
    associations: (definition.associations ?? [])
      .map((it) => ({ ...it, texts: text(it.description) }))
      .sort((a, b) => a.firstInterface - b.firstInterface),
    microsoftOs: sortedFeatures(definition.microsoftOs ?? []),
    options: {
      ...(definition.otg
        ? {
          otg: {
            srp: definition.otg.srp ?? false,
            hnp: definition.otg.hnp ?? false,
          },
        }
        : {}),
      allControlRecipients: definition.allControlRecipients ?? false,
      config0Setup: definition.config0Setup ?? false,
      rwProxy: definition.rwProxy === true,
      virtualAddresses: definition.virtualAddresses ?? false,
    },
  });
}

/** Compat IDs first, then properties by interface in the order in which the interfaces come up. */
function sortedFeatures(
  features: readonly MicrosoftOsFeature[],
): MicrosoftOsFeature[] {
  const properties = features.filter((it) => it.kind === "property");
  const numbers = new Set(properties.map((it) => it.interface));
  return [
    ...features.filter((it) => it.kind === "compatible-id"),
    ...[...numbers].flatMap((number) =>
      properties.filter((it) => it.interface === number)
    ),
  ];
}

/** A setting with its name in each language. */
export interface NormalSetting extends
  Omit<
    SettingLayout,
    "path" | "declared" | "string" | "associations"
  > {
  /** The name in each of the languages, in their order. */
  readonly texts: readonly string[] | undefined;
}

/** An association with its name in each language. */
export interface NormalAssociation extends AssociationDefinition {
  /** The name in each of the languages, in their order. */
  readonly texts: readonly string[] | undefined;
}

/** What a normal form is made of. */
export interface NormalParts {
  /** The name. */
  readonly name: string;
  /** The speeds in block order. */
  readonly speeds: readonly FunctionSpeed[];
  /** LANGIDs in block order; none when there are no strings. */
  readonly languages: readonly number[];
  /** The settings in block order. */
  readonly settings: readonly NormalSetting[];
  /** The associations in block order. */
  readonly associations: readonly NormalAssociation[];
  /** The features in block order. */
  readonly microsoftOs: readonly MicrosoftOsFeature[];
  /** OTG and flags. */
  readonly options: Pick<
    FunctionDefinition,
    | "otg"
    | "allControlRecipients"
    | "config0Setup"
    | "rwProxy"
    | "virtualAddresses"
  >;
}

/**
 * Puts a normal form together.
 *
 * @param parts What it is made of.
 * @returns The definition.
 */
export function normalForm(parts: NormalParts): FunctionDefinition {
  const { name, speeds, settings, languages, microsoftOs, options } = parts;
  const tags = languages.map(languageTag);
  const description = (texts: readonly string[] | undefined) =>
    texts === undefined ? {} : {
      description: Object.fromEntries(
        tags.map((tag, index) => [tag, texts[index]]),
      ),
    };
  const setting = (
    it: NormalSetting,
    inherited?: readonly string[],
  ): InterfaceDefinition => ({
    class: it.class,
    subclass: it.subclass,
    protocol: it.protocol,
    ...(it.texts === undefined && inherited !== undefined
      ? { description: "" }
      : description(it.texts)),
    descriptors: it.descriptors,
    endpoints: endpointRecord(it.endpoints, speeds),
  });
  return {
    name,
    interfaces: settings.filter((it) => it.alternateSetting === 0).map((
      it,
    ) => ({
      ...setting(it),
      alternates: settings
        .filter((other) =>
          other.interfaceNumber === it.interfaceNumber &&
          other.alternateSetting > 0
        )
        .map((other) => setting(other, it.texts)),
    })),
    speeds,
    ...(tags.length > 0 ? { languages: tags } : {}),
    associations: parts.associations.map((it) => ({
      firstInterface: it.firstInterface,
      interfaceCount: it.interfaceCount,
      class: it.class,
      subclass: it.subclass ?? 0,
      protocol: it.protocol ?? 0,
      ...description(it.texts),
    })),
    microsoftOs,
    ...options,
  };
}

/** Endpoints by name; two adjacent ones that are paired share a name. */
function endpointRecord(
  endpoints: readonly EndpointLayout[],
  speeds: readonly FunctionSpeed[],
): Record<string, EndpointDefinition> {
  const record: Record<string, EndpointDefinition> = {};
  for (let i = 0; i < endpoints.length; i++) {
    const { name, direction, paired, transferType } = endpoints[i];
    const settings = explicitSettings(endpoints[i], speeds);
    if (!paired) {
      record[name] = { kind: direction, transferType, ...settings };
      continue;
    }
    const other = explicitSettings(endpoints[++i], speeds);
    record[name] = {
      kind: "pair",
      transferType,
      first: direction,
      in: direction === "in" ? settings : other,
      out: direction === "in" ? other : settings,
    };
  }
  return record;
}

function explicitSettings(
  endpoint: EndpointLayout,
  speeds: readonly FunctionSpeed[],
): EndpointSettings {
  const { address, audio, transferType, synchronization, usage } = endpoint;
  const isPeriodic = transferType !== "bulk";
  const { full, high, super: superSpeed } = endpoint.speeds;
  const size = ({ maxPacketSize, interval }: typeof full) => ({
    maxPacketSize,
    interval,
  });
  return {
    address,
    ...(synchronization ? { synchronization } : {}),
    ...(usage ? { usage } : {}),
    ...(audio
      ? {
        audio: {
          refresh: audio.refresh ?? 0,
          synchAddress: audio.synchAddress ?? 0,
        },
      }
      : {}),
    ...(speeds.includes("full") ? { full: size(full) } : {}),
    ...(speeds.includes("high")
      ? {
        high: {
          ...size(high),
          ...(isPeriodic ? { transactions: high.transactions } : {}),
        },
      }
      : {}),
    ...(speeds.includes("super")
      ? {
        super: {
          ...size(superSpeed),
          maxBurst: superSpeed.maxBurst,
          ...(transferType === "bulk" ? { streams: superSpeed.streams } : {}),
          ...(transferType === "isochronous" ? { mult: superSpeed.mult } : {}),
          ...(isPeriodic
            ? { bytesPerInterval: superSpeed.bytesPerInterval }
            : {}),
        },
      }
      : {}),
  };
}
