/**
 * A definition with everything that is left open decided: settings in order, endpoints with numbers, addresses and the
 * values of each speed. The step between a definition and its bytes.
 *
 * @module
 */

import { type Direction, USB_DIR_IN } from "../usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import {
  type DeclaredEndpoint,
  declaredEndpoints,
} from "./declared_endpoints.ts";
import type {
  AlternateDefinition,
  FunctionDefinition,
  InterfaceDefinition,
  LocalizedString,
} from "../definition/function.ts";
import type { FunctionalDescriptor } from "../definition/functional_descriptor.ts";
import { planEndpoint, type PlannedEndpoint } from "./endpoint_layout.ts";

/** A setting of an interface, every field decided. */
export interface PlannedSetting {
  /** Where it is declared. */
  readonly path: string;
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
  /** The name. */
  readonly description: LocalizedString | undefined;
  /** What stands before the endpoints. */
  readonly descriptors: readonly FunctionalDescriptor[];
  /** The endpoints. */
  readonly endpoints: readonly PlannedEndpoint[];
}

/** A function, every field decided. */
export interface Plan {
  /** The speeds to emit, in block order. */
  readonly speeds: readonly FunctionSpeed[];
  /** The settings, in the order of their descriptors. */
  readonly settings: readonly PlannedSetting[];
  /** The endpoints of all settings, in file order. */
  readonly endpoints: readonly PlannedEndpoint[];
}

/**
 * Decides everything that a definition leaves open. It does not validate.
 *
 * @param definition The function.
 * @returns The plan.
 */
export function planFunction(definition: FunctionDefinition): Plan {
  const numbers = new AddressAllocator(definition);
  const settings: PlannedSetting[] = [];
  const endpoints: PlannedEndpoint[] = [];
  definition.interfaces.forEach((it, interfaceNumber) => {
    const path = `interfaces[${interfaceNumber}]`;
    [it, ...it.alternates ?? []].forEach((setting, alternateSetting) => {
      const settingPath = alternateSetting === 0
        ? path
        : `${path}.alternates[${alternateSetting - 1}]`;
      const planned = declaredEndpoints(setting.endpoints, settingPath)
        .map((declared) => {
          const endpoint = planEndpoint(
            declared,
            endpoints.length + 1,
            numbers.next(declared),
          );
          endpoints.push(endpoint);
          return endpoint;
        });
      settings.push({
        path: settingPath,
        interfaceNumber,
        alternateSetting,
        class: setting.class ?? it.class,
        subclass: setting.subclass ?? it.subclass ?? 0,
        protocol: setting.protocol ?? it.protocol ?? 0,
        description: describes(setting, it),
        descriptors: setting.descriptors ?? it.descriptors ?? [],
        endpoints: planned,
      });
    });
  });
  return { speeds: plannedSpeeds(definition), settings, endpoints };
}

/** The name of a setting. An alternate one can have none although the interface has one. */
function describes(
  setting: AlternateDefinition,
  it: InterfaceDefinition,
): LocalizedString | undefined {
  const { description = it.description } = setting;
  return setting !== it && description === "" ? undefined : description;
}

/**
 * The speeds that a function has descriptors for.
 *
 * @param definition The function.
 * @returns The speeds in block order.
 */
export function plannedSpeeds(
  definition: FunctionDefinition,
): FunctionSpeed[] {
  const { speeds } = definition;
  return FUNCTION_SPEEDS.filter((it) => speeds?.includes(it) ?? true);
}

/** Gives each endpoint an address that no other has: numbers from 1 in each direction, past those that are declared. */
class AddressAllocator {
  readonly #taken = new Set<number>();
  readonly #last: Record<Direction, number> = { in: 0, out: 0 };

  constructor(definition: FunctionDefinition) {
    for (const it of definition.interfaces) {
      for (const setting of [it, ...it.alternates ?? []]) {
        for (const { settings } of declaredEndpoints(setting.endpoints, "")) {
          if (settings.address !== undefined) this.#taken.add(settings.address);
        }
      }
    }
  }

  next({ half, settings }: DeclaredEndpoint): number {
    if (settings.address !== undefined) return settings.address;
    const direction = half === "in" ? USB_DIR_IN : 0;
    let number = this.#last[half];
    do number++; while (this.#taken.has(direction | number));
    this.#last[half] = number;
    return direction | number;
  }
}
