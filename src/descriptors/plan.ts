/**
 * A definition with everything that is left open decided: settings in order, endpoints with numbers, addresses and the
 * values of each speed. The step between a definition and its bytes.
 *
 * @module
 */

import {
  type Direction,
  type EndpointUsage,
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  type Synchronization,
  SYNCHRONIZATIONS,
  TRANSFER_TYPE_BITS,
  type TransferType,
  USB_DIR_IN,
} from "../usb/endpoint_attributes.ts";
import {
  FUNCTION_SPEEDS,
  type FunctionSpeed,
  MAX_PACKET_SIZES,
} from "../usb/speed.ts";
import type { FunctionDefinition, LocalizedString } from "./definition.ts";
import type {
  AudioEndpointSettings,
  EndpointDefinition,
  EndpointRecord,
  EndpointSettings,
  HighSpeedSettings,
  SpeedSettings,
  SuperSpeedSettings,
} from "./endpoint_definition.ts";
import type { FunctionalDescriptor } from "./functional_descriptor.ts";
import { encodeInterval } from "./interval.ts";

/** Time between two packets of an interrupt endpoint that does not say. */
export const DEFAULT_INTERRUPT_INTERVAL_US = 8000;
/** Time between two packets of an isochronous endpoint that does not say. */
export const DEFAULT_ISOCHRONOUS_INTERVAL_US = 1000;
/** Packet size of an interrupt endpoint that does not say. */
export const DEFAULT_INTERRUPT_PACKET_SIZE = 64;

/** An endpoint at one speed, every field decided. */
export interface PlannedSpeed {
  /** Bytes in one packet. */
  readonly maxPacketSize: number;
  /** Packets in one microframe: 1 except at high speed. */
  readonly transactions: number;
  /** `bInterval`. */
  readonly interval: number;
  /** `bMaxBurst`: 0 except at super speed. */
  readonly maxBurst: number;
  /** Streams of a bulk endpoint: 0 except at super speed. */
  readonly streams: number;
  /** `Mult`: 0 except at super speed. */
  readonly mult: number;
  /** `wBytesPerInterval`: 0 except at super speed. */
  readonly bytesPerInterval: number;
}

/** An endpoint, every field decided. */
export interface PlannedEndpoint {
  /** The declared name. */
  readonly name: string;
  /** Where it is declared. */
  readonly path: string;
  /** The direction. */
  readonly half: Direction;
  /** Whether it is half of a pair. */
  readonly paired: boolean;
  /** The number of its file, from 1. */
  readonly index: number;
  /** `bEndpointAddress`. */
  readonly address: number;
  /** The transfer type. */
  readonly transferType: TransferType;
  /** `bmAttributes`, of which synchronization and usage are parts. */
  readonly attributes: number;
  /** How it keeps time; isochronous endpoints only. */
  readonly synchronization: Synchronization | undefined;
  /** What it carries; isochronous and interrupt endpoints only. */
  readonly usage: EndpointUsage | undefined;
  /** The last two bytes of the 9-byte form. */
  readonly audio: AudioEndpointSettings | undefined;
  /** The values at each speed. */
  readonly speeds: Readonly<Record<FunctionSpeed, PlannedSpeed>>;
}

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

/** One endpoint of a record, with pairs taken apart. */
export interface DeclaredEndpoint {
  /** The declared name. */
  readonly name: string;
  /** Where it is declared. */
  readonly path: string;
  /** The direction. */
  readonly half: Direction;
  /** Whether it is half of a pair. */
  readonly paired: boolean;
  /** The transfer type. */
  readonly transferType: TransferType;
  /** What is said about it. */
  readonly settings: EndpointSettings;
}

/**
 * Takes the pairs of a record apart.
 *
 * @param endpoints The endpoints of one setting.
 * @param path Where the setting is.
 * @returns Single endpoints in file order.
 */
export function declaredEndpoints(
  endpoints: EndpointRecord | undefined,
  path: string,
): DeclaredEndpoint[] {
  const declared: DeclaredEndpoint[] = [];
  for (const [name, endpoint] of Object.entries(endpoints ?? {})) {
    declared.push(...halves(name, endpoint, `${path}.endpoints.${name}`));
  }
  return declared;
}

function halves(
  name: string,
  endpoint: EndpointDefinition,
  path: string,
): DeclaredEndpoint[] {
  const { kind, transferType } = endpoint;
  if (kind !== "pair") {
    const settings: EndpointSettings = endpoint;
    return [{ name, path, half: kind, paired: false, transferType, settings }];
  }
  const both = (["in", "out"] as const).map((half) => ({
    name,
    path: `${path}.${half}`,
    half,
    paired: true,
    transferType,
    settings: endpoint[half] ?? {},
  }));
  return endpoint.first === "out" ? both.reverse() : both;
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
        description: setting.description,
        descriptors: setting.descriptors ?? [],
        endpoints: planned,
      });
    });
  });
  return { speeds: plannedSpeeds(definition), settings, endpoints };
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

function planEndpoint(
  declared: DeclaredEndpoint,
  index: number,
  address: number,
): PlannedEndpoint {
  const { name, path, half, paired, transferType, settings } = declared;
  const { synchronization, usage } = useOf(transferType, settings);
  return {
    name,
    path,
    half,
    paired,
    index,
    address,
    transferType,
    attributes: attributes(transferType, { synchronization, usage }),
    synchronization,
    usage,
    audio: settings.audio,
    speeds: {
      full: planSpeed("full", transferType, settings),
      high: planSpeed("high", transferType, settings),
      super: planSpeed("super", transferType, settings),
    },
  };
}

interface EndpointUse {
  readonly synchronization: Synchronization | undefined;
  readonly usage: EndpointUsage | undefined;
}

function useOf(
  transferType: TransferType,
  { synchronization, usage }: EndpointSettings,
): EndpointUse {
  switch (transferType) {
    case "bulk":
      return { synchronization: undefined, usage: undefined };
    case "interrupt":
      return { synchronization: undefined, usage: usage ?? "periodic" };
    case "isochronous":
      return {
        synchronization: synchronization ?? "none",
        usage: usage ?? "data",
      };
  }
}

function attributes(
  transferType: TransferType,
  { synchronization, usage }: EndpointUse,
): number {
  let bits = TRANSFER_TYPE_BITS[transferType];
  if (synchronization) bits |= SYNCHRONIZATIONS.indexOf(synchronization) << 2;
  const usages = transferType === "interrupt"
    ? INTERRUPT_USAGES
    : ISOCHRONOUS_USAGES;
  if (usage) bits |= usages.indexOf(usage) << 4;
  return bits;
}

function planSpeed(
  speed: FunctionSpeed,
  transferType: TransferType,
  settings: EndpointSettings,
): PlannedSpeed {
  const own: SpeedSettings & HighSpeedSettings & SuperSpeedSettings =
    settings[speed] ?? {};
  const maxPacketSize = own.maxPacketSize ??
    Math.min(
      settings.maxPacketSize ?? defaultPacketSize(transferType, speed),
      MAX_PACKET_SIZES[transferType][speed],
    );
  const transactions = speed === "high" ? own.transactions ?? 1 : 1;
  const interval = own.interval ??
    encodeInterval(intervalUs(transferType, settings), transferType, speed);
  if (speed !== "super") {
    return {
      maxPacketSize,
      transactions,
      interval,
      maxBurst: 0,
      streams: 0,
      mult: 0,
      bytesPerInterval: 0,
    };
  }
  const { maxBurst = 0, streams = 0, mult = 0 } = own;
  const bytesPerInterval = own.bytesPerInterval ??
    (transferType === "bulk" ? 0 : maxPacketSize * (maxBurst + 1) * (mult + 1));
  return {
    maxPacketSize,
    transactions,
    interval,
    maxBurst,
    streams,
    mult,
    bytesPerInterval,
  };
}

function defaultPacketSize(
  transferType: TransferType,
  speed: FunctionSpeed,
): number {
  return transferType === "interrupt"
    ? DEFAULT_INTERRUPT_PACKET_SIZE
    : MAX_PACKET_SIZES[transferType][speed];
}

/** The declared interval in microseconds. */
function intervalUs(
  transferType: TransferType,
  settings: EndpointSettings,
): number {
  if (settings.intervalUs !== undefined) return settings.intervalUs;
  if (settings.intervalMs !== undefined) return settings.intervalMs * 1000;
  return transferType === "isochronous"
    ? DEFAULT_ISOCHRONOUS_INTERVAL_US
    : DEFAULT_INTERRUPT_INTERVAL_US;
}
