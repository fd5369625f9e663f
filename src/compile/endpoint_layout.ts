/**
 * The layout of endpoints: pairs taken apart, every default filled in.
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
} from "../usb/endpoint_attributes.ts";
import { encodeInterval } from "../usb/interval.ts";
import { type FunctionSpeed, MAX_PACKET_SIZES } from "../usb/speed.ts";
import type {
  AudioEndpointSettings,
  EndpointDefinition,
  EndpointRecord,
  EndpointSettings,
  HighSpeedSettings,
  SpeedSettings,
  SuperSpeedSettings,
} from "../definition/endpoint.ts";

const DEFAULT_INTERRUPT_INTERVAL_US = 8000;
const DEFAULT_ISOCHRONOUS_INTERVAL_US = 1000;
const DEFAULT_INTERRUPT_PACKET_SIZE = 64;

/** One endpoint as declared; a pair is two of them. */
export interface DeclaredEndpoint {
  /** The declared name. */
  readonly name: string;
  /** Where it is declared. */
  readonly path: string;
  readonly direction: Direction;
  /** Whether it belongs to a pair. */
  readonly paired: boolean;
  readonly transferType: TransferType;
  readonly settings: EndpointSettings;
}

/** An endpoint at one speed. Fields that do not exist at this speed are 0. */
export interface SpeedLayout {
  /** Bytes in one packet. */
  readonly maxPacketSize: number;
  /** Packets in one microframe: 1 except at high speed. */
  readonly transactions: number;
  /** `bInterval`. */
  readonly interval: number;
  /** `bMaxBurst`. */
  readonly maxBurst: number;
  /** Streams of a bulk endpoint. */
  readonly streams: number;
  /** `Mult`. */
  readonly mult: number;
  /** `wBytesPerInterval`. */
  readonly bytesPerInterval: number;
}

/** An endpoint with every field decided. */
export interface EndpointLayout extends DeclaredEndpoint {
  /** The number of its file, from 1. */
  readonly index: number;
  /** `bEndpointAddress`. */
  readonly address: number;
  /** `bmAttributes`, which includes synchronization and usage. */
  readonly attributes: number;
  /** Isochronous endpoints only. */
  readonly synchronization: Synchronization | undefined;
  /** Isochronous and interrupt endpoints only. */
  readonly usage: EndpointUsage | undefined;
  /** The last two bytes of the 9-byte form. */
  readonly audio: AudioEndpointSettings | undefined;
  /** The values at each speed. */
  readonly speeds: Readonly<Record<FunctionSpeed, SpeedLayout>>;
}

/** Lists the endpoints of the setting at `path` in file order, with pairs taken apart. */
export function declaredEndpoints(
  endpoints: EndpointRecord = {},
  path: string,
): DeclaredEndpoint[] {
  return Object.entries(endpoints).flatMap(([name, endpoint]) =>
    takeApart(name, endpoint, `${path}.endpoints.${name}`)
  );
}

function takeApart(
  name: string,
  endpoint: EndpointDefinition,
  path: string,
): DeclaredEndpoint[] {
  const { kind, transferType } = endpoint;
  if (kind !== "pair") {
    const common = { name, path, transferType, settings: endpoint };
    return [{ ...common, direction: kind, paired: false }];
  }
  const both = (["in", "out"] as const).map((direction) => ({
    name,
    path: `${path}.${direction}`,
    direction,
    paired: true,
    transferType,
    settings: endpoint[direction] ?? {},
  }));
  return endpoint.first === "out" ? both.reverse() : both;
}

/** Fills in what a declared endpoint leaves open. */
export function layOutEndpoint(
  declared: DeclaredEndpoint,
  index: number,
  address: number,
): EndpointLayout {
  const { transferType, settings } = declared;
  const use = useOf(transferType, settings);
  return {
    ...declared,
    index,
    address,
    attributes: attributes(transferType, use),
    ...use,
    audio: settings.audio,
    speeds: {
      full: layOutSpeed("full", transferType, settings),
      high: layOutSpeed("high", transferType, settings),
      super: layOutSpeed("super", transferType, settings),
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

function layOutSpeed(
  speed: FunctionSpeed,
  transferType: TransferType,
  settings: EndpointSettings,
): SpeedLayout {
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
    const none = { maxBurst: 0, streams: 0, mult: 0, bytesPerInterval: 0 };
    return { maxPacketSize, transactions, interval, ...none };
  }
  const { maxBurst = 0, streams = 0, mult = 0 } = own;
  const bytesPerInterval = own.bytesPerInterval ??
    (transferType === "bulk" ? 0 : maxPacketSize * (maxBurst + 1) * (mult + 1));
  const companion = { maxBurst, streams, mult, bytesPerInterval };
  return { maxPacketSize, transactions, interval, ...companion };
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
