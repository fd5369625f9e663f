/**
 * How an endpoint is declared.
 *
 * @module
 */

import type {
  Direction,
  EndpointUsage,
  Synchronization,
  TransferType,
} from "../usb/endpoint_attributes.ts";

/**
 * Settings of an endpoint at one speed, in place of the derived ones.
 *
 * @category Endpoint builders
 */
export interface SpeedSettings {
  /** The largest packet, in bytes: the low 11 bits of `wMaxPacketSize`. */
  readonly maxPacketSize?: number;
  /** `bInterval`, 0 to 255, in place of the value computed from `intervalMs` or `intervalUs`. */
  readonly interval?: number;
}

/**
 * Settings of an endpoint at high speed, in place of the derived ones.
 *
 * @category Endpoint builders
 */
export interface HighSpeedSettings extends SpeedSettings {
  /**
   * Packets in one microframe, 1 to 3, for interrupt and isochronous endpoints ("high bandwidth", bits 12 and 11 of
   * `wMaxPacketSize`).
   * @default {1}
   */
  readonly transactions?: number;
}

/**
 * Settings of an endpoint and its companion at super speed, in place of the derived ones.
 *
 * @category Endpoint builders
 */
export interface SuperSpeedSettings extends SpeedSettings {
  /**
   * `bMaxBurst`: packets that may follow the first one at once, 0 to 15.
   * @default {0}
   */
  readonly maxBurst?: number;
  /**
   * Streams of a bulk endpoint: 0, or a power of two from 2 to 65536. FunctionFS carries the number, but cannot
   * address a stream.
   * @default {0}
   */
  readonly streams?: number;
  /**
   * `Mult` of an isochronous endpoint, 0 to 2: bursts that may follow the first one in a service interval.
   * @default {0}
   */
  readonly mult?: number;
  /**
   * `wBytesPerInterval` of a periodic endpoint: the most bytes in a service interval.
   * @default {maxPacketSize * (maxBurst + 1) * (mult + 1)}
   */
  readonly bytesPerInterval?: number;
}

/**
 * The last two bytes of an endpoint descriptor in the 9-byte form of the audio class.
 *
 * @category Endpoint builders
 */
export interface AudioEndpointSettings {
  /**
   * `bRefresh`: how often a feedback endpoint reports, as a power of two of milliseconds.
   * @default {0}
   */
  readonly refresh?: number;
  /**
   * `bSynchAddress`: the address of the feedback endpoint. The kernel does not rewrite it when it assigns the real
   * addresses.
   * @default {0}
   */
  readonly synchAddress?: number;
}

/**
 * Options of a bulk endpoint. Packet sizes are those of the USB specification at each speed: 64, 512 and 1024 bytes.
 *
 * @category Endpoint builders
 */
export interface BulkOptions {
  /**
   * The address in the descriptors, 0x01 to 0x0f or 0x81 to 0x8f. The kernel replaces it with that of the endpoint it
   * picks from the device controller. With `virtualAddresses`, it must be that very address. Without it, the endpoint
   * gets the next free one in declaration order.
   */
  readonly address?: number;
  /** Settings at full speed. The packet size can be 8, 16, 32 or 64. */
  readonly full?: SpeedSettings;
  /** Settings at high speed. `interval` is the NAK rate there, as the specification has it. */
  readonly high?: SpeedSettings;
  /** Settings at super speed. */
  readonly super?: SuperSpeedSettings;
}

/**
 * Options that interrupt and isochronous endpoints share. Give one of the two intervals.
 *
 * @internal
 */
export interface PeriodicOptions {
  /** The time between two packets, in milliseconds. */
  readonly intervalMs?: number;
  /** The time between two packets, in microseconds. */
  readonly intervalUs?: number;
  /** The largest packet, in bytes. Speeds with a lower maximum use that. */
  readonly maxPacketSize?: number;
  /** The address in the descriptors; see {@linkcode BulkOptions.address}. */
  readonly address?: number;
  /** Settings at full speed. */
  readonly full?: SpeedSettings;
  /** Settings at high speed. */
  readonly high?: HighSpeedSettings;
  /** Settings at super speed. */
  readonly super?: SuperSpeedSettings;
}

/**
 * Options of an interrupt endpoint.
 *
 * The interval is encoded for each speed separately. It is rounded down to one that the speed can express, so that the
 * host never polls less often than declared. The shortest is 1 ms at full speed and 125 µs at high and super speed, the
 * longest 255 ms at full speed and 4096 ms above.
 *
 * @category Endpoint builders
 */
export interface InterruptOptions extends PeriodicOptions {
  /**
   * The largest packet, in bytes. Full speed has at most 64, high and super speed 1024; a speed with a lower maximum
   * uses that.
   * @default {64}
   */
  readonly maxPacketSize?: number;
  /**
   * The time between two packets, in milliseconds.
   * @default {8}
   */
  readonly intervalMs?: number;
  /**
   * Whether packets come regularly, or when there is something to report: a hint for super-speed hosts.
   * @default {"periodic"}
   */
  readonly usage?: "periodic" | "notification";
}

/**
 * Options of an isochronous endpoint.
 *
 * The interval is a power of two of frames (1 ms) at full speed and of microframes (125 µs) above, and is rounded down
 * to one. FunctionFS moves one packet per request and reports no per-packet status.
 *
 * @category Endpoint builders
 */
export interface IsochronousOptions extends PeriodicOptions {
  /**
   * The largest packet, in bytes. Full speed has at most 1023, high and super speed 1024; a speed with a lower maximum
   * uses that.
   * @default {1024}
   */
  readonly maxPacketSize?: number;
  /**
   * The time between two packets, in milliseconds.
   * @default {1}
   */
  readonly intervalMs?: number;
  /**
   * How the endpoint keeps time.
   * @default {"none"}
   */
  readonly synchronization?: Synchronization;
  /**
   * What the endpoint carries.
   * @default {"data"}
   */
  readonly usage?: "data" | "feedback" | "implicit-feedback";
  /** Makes the descriptor 9 bytes long, as the audio class requires. */
  readonly audio?: AudioEndpointSettings;
}

/**
 * All settings of one endpoint. The builders offer those that fit the transfer type.
 *
 * @category Endpoint builders
 */
export interface EndpointSettings extends PeriodicOptions {
  /** How an isochronous endpoint keeps time. */
  readonly synchronization?: Synchronization;
  /** What an isochronous or interrupt endpoint carries. */
  readonly usage?: EndpointUsage;
  /** Makes the descriptor 9 bytes long, as the audio class requires. */
  readonly audio?: AudioEndpointSettings;
}

/**
 * One endpoint that sends to the host.
 *
 * @category Endpoint builders
 */
export interface InEndpointDefinition<T extends TransferType = TransferType>
  extends EndpointSettings {
  /** What kind of definition this is. */
  readonly kind: "in";
  /** The transfer type. */
  readonly transferType: T;
}

/**
 * One endpoint that receives from the host.
 *
 * @category Endpoint builders
 */
export interface OutEndpointDefinition<T extends TransferType = TransferType>
  extends EndpointSettings {
  /** What kind of definition this is. */
  readonly kind: "out";
  /** The transfer type. */
  readonly transferType: T;
}

/**
 * Two adjacent endpoints under one name, one in each direction.
 *
 * @category Endpoint builders
 */
export interface PairEndpointDefinition<T extends TransferType = TransferType> {
  /** What kind of definition this is. */
  readonly kind: "pair";
  /** The transfer type. */
  readonly transferType: T;
  /**
   * The direction with the lower endpoint number.
   * @default {"in"}
   */
  readonly first?: Direction;
  /** The endpoint that sends to the host. */
  readonly in?: EndpointSettings;
  /** The endpoint that receives from the host. */
  readonly out?: EndpointSettings;
}

/**
 * An endpoint or a pair of them, as declared. `kind` says which.
 *
 * @category Endpoint builders
 */
export type EndpointDefinition =
  | InEndpointDefinition
  | OutEndpointDefinition
  | PairEndpointDefinition;

/**
 * The endpoints of one setting of an interface, by name, in declaration order.
 *
 * @internal
 */
export type EndpointRecord = Readonly<Record<string, EndpointDefinition>>;
