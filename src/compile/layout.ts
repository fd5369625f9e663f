/**
 * The layout of a function: its definition with every number and default
 * decided. The checks judge it, and the compiler writes it as bytes.
 *
 * @module
 */

import { type Direction, USB_DIR_IN } from "../usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import type {
  AlternateDefinition,
  AssociationDefinition,
  FunctionDefinition,
  InterfaceDefinition,
  LocalizedString,
} from "../definition/function.ts";
import type { FunctionalDescriptor } from "../definition/functional_descriptor.ts";
import {
  type DeclaredEndpoint,
  declaredEndpoints,
  type EndpointLayout,
  layOutEndpoint,
} from "./endpoint_layout.ts";
import {
  type Description,
  descriptions,
  functionLanguages,
  StringTable,
} from "./string_table.ts";

/** An association, and the index of its name. */
export interface AssociationLayout {
  readonly association: AssociationDefinition;
  /** `iFunction`. */
  readonly string: number;
}

/** A setting of an interface with every field decided. */
export interface SettingLayout {
  /** Where it is declared. */
  readonly path: string;
  /** The setting as declared. */
  readonly declared: AlternateDefinition;
  /** The number of the interface within the function. */
  readonly interfaceNumber: number;
  /** `bAlternateSetting`. */
  readonly alternateSetting: number;
  /** `bInterfaceClass`. */
  readonly class: number;
  /** `bInterfaceSubClass`. */
  readonly subclass: number;
  /** `bInterfaceProtocol`. */
  readonly protocol: number;
  readonly description: LocalizedString | undefined;
  /** `iInterface`: the index of the description. */
  readonly string: number;
  /** The associations that begin with this interface. */
  readonly associations: readonly AssociationLayout[];
  readonly descriptors: readonly FunctionalDescriptor[];
  readonly endpoints: readonly EndpointLayout[];
}

/** A function with every field decided. */
export interface Layout {
  readonly definition: FunctionDefinition;
  /** The speeds that have descriptors, in block order. */
  readonly speeds: readonly FunctionSpeed[];
  /** The settings, in the order of their descriptors. */
  readonly settings: readonly SettingLayout[];
  /** The endpoints of all settings, in file order. */
  readonly endpoints: readonly EndpointLayout[];
  /** The texts of the definition, in the order of their descriptors. */
  readonly descriptions: readonly Description[];
  readonly strings: StringTable;
}

/** Lays out a definition of the right shape. Its values may still be wrong. */
export function layOutFunction(definition: FunctionDefinition): Layout {
  const { associations = [], speeds } = definition;
  const texts = descriptions(definition);
  const strings = new StringTable(functionLanguages(definition, texts));
  const declared = declaredSettings(definition);
  const addresses = new AddressAllocator(declared.flatMap((it) => it.own));
  const endpoints: EndpointLayout[] = [];
  const settings = declared.map(({ setting, base, own, ...place }) => {
    const first = endpoints.length;
    for (const each of own) {
      const index = endpoints.length + 1;
      endpoints.push(layOutEndpoint(each, index, addresses.next(each)));
    }
    const begins = place.alternateSetting > 0 ? [] : associations
      .filter((it) => it.firstInterface === place.interfaceNumber);
    const description = descriptionOf(setting, base);
    return {
      ...place,
      declared: setting,
      class: setting.class ?? base.class,
      subclass: setting.subclass ?? base.subclass ?? 0,
      protocol: setting.protocol ?? base.protocol ?? 0,
      // In this order: strings are numbered in the order of their descriptors.
      associations: begins.map((association) => ({
        association,
        string: strings.add(association.description),
      })),
      description,
      string: strings.add(description),
      descriptors: setting.descriptors ?? base.descriptors ?? [],
      endpoints: endpoints.slice(first),
    };
  });
  return {
    definition,
    speeds: FUNCTION_SPEEDS.filter((it) => speeds?.includes(it) ?? true),
    settings,
    endpoints,
    descriptions: texts,
    strings,
  };
}

/** Whether all endpoints are in pairs, so that each pair can have an `epN_rw` file. */
export function isAllPairs({ endpoints }: Layout): boolean {
  return endpoints.length > 0 && endpoints.every((it) => it.paired);
}

/** Every setting with its interface, its place and its endpoints. */
function declaredSettings({ interfaces }: FunctionDefinition) {
  return interfaces.flatMap((base, interfaceNumber) => {
    const settings: AlternateDefinition[] = [base, ...base.alternates ?? []];
    return settings.map((setting, alternateSetting) => {
      const path = alternateSetting === 0
        ? `interfaces[${interfaceNumber}]`
        : `interfaces[${interfaceNumber}].alternates[${alternateSetting - 1}]`;
      const own = declaredEndpoints(setting.endpoints, path);
      return { setting, base, own, path, interfaceNumber, alternateSetting };
    });
  });
}

/** An alternate setting inherits the description, unless its own is `""`. */
function descriptionOf(
  setting: AlternateDefinition,
  base: InterfaceDefinition,
): LocalizedString | undefined {
  const { description = base.description } = setting;
  return setting !== base && description === "" ? undefined : description;
}

/** Numbers endpoints from 1 in each direction, and skips addresses that are declared. */
class AddressAllocator {
  readonly #taken: ReadonlySet<number | undefined>;
  readonly #last: Record<Direction, number> = { in: 0, out: 0 };

  constructor(endpoints: readonly DeclaredEndpoint[]) {
    this.#taken = new Set(endpoints.map(({ settings }) => settings.address));
  }

  next({ direction, settings }: DeclaredEndpoint): number {
    if (settings.address !== undefined) return settings.address;
    const bit = direction === "in" ? USB_DIR_IN : 0;
    let number = this.#last[direction];
    do number++; while (this.#taken.has(bit | number));
    this.#last[direction] = number;
    return bit | number;
  }
}
