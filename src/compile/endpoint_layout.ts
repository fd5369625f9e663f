/**
 * An endpoint with everything that is left open decided.
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
import { type FunctionSpeed, MAX_PACKET_SIZES } from "../usb/speed.ts";
import type { DeclaredEndpoint } from "./declared_endpoints.ts";
import type {
  AudioEndpointSettings,
  EndpointSettings,
  HighSpeedSettings,
  SpeedSettings,
  SuperSpeedSettings,
} from "../definition/endpoint.ts";
import { encodeInterval } from "../usb/interval.ts";

/** Time between two packets of an interrupt endpoint that does not say. */
const DEFAULT_INTERRUPT_INTERVAL_US = 8000;
/** Time between two packets of an isochronous endpoint that does not say. */
const DEFAULT_ISOCHRONOUS_INTERVAL_US = 1000;
/** Packet size of an interrupt endpoint that does not say. */
const DEFAULT_INTERRUPT_PACKET_SIZE = 64;

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

/**
 * Decides what an endpoint leaves open.
 *
 * @param declared The endpoint as declared.
 * @param index Its number, from 1.
 * @param address Its address.
 * @returns The endpoint, every field decided.
 */
export function planEndpoint(
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
