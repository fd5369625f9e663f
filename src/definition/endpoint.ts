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

/** What a declared name stands for: one endpoint to the host, one from the host, or one of each. */
export type EndpointKind = "in" | "out" | "pair";

/** What an endpoint has at one speed, where it differs from what is derived. */
export interface SpeedSettings {
  /** The largest packet, in bytes: the low 11 bits of `wMaxPacketSize`. */
  readonly maxPacketSize?: number;
  /** The value of `bInterval` itself, 0 to 255, in place of the one computed from `intervalMs` or `intervalUs`. */
  readonly interval?: number;
}

/** What an endpoint has at high speed, where it differs from what is derived. */
export interface HighSpeedSettings extends SpeedSettings {
  /**
   * Packets in one microframe, 1 to 3, for interrupt and isochronous endpoints ("high bandwidth", bits 12 and 11 of
   * `wMaxPacketSize`).
   *
   * @default {1}
   */
  readonly transactions?: number;
}

/** What an endpoint has at super speed, where it differs from what is derived: the endpoint and its companion. */
export interface SuperSpeedSettings extends SpeedSettings {
  /**
   * `bMaxBurst`: packets that may follow the first one without waiting, 0 to 15.
   *
   * @default {0}
   */
  readonly maxBurst?: number;
  /**
   * Streams of a bulk endpoint: 0, or a power of two from 2 to 65536. FunctionFS can carry the number, but has no way
   * to address a stream.
   *
   * @default {0}
   */
  readonly streams?: number;
  /**
   * `Mult` of an isochronous endpoint, 0 to 2: bursts that may follow the first one in a service interval.
   *
   * @default {0}
   */
  readonly mult?: number;
  /**
   * `wBytesPerInterval` of a periodic endpoint: bytes it moves in a service interval at most.
   *
   * @default {maxPacketSize * (maxBurst + 1) * (mult + 1)}
   */
  readonly bytesPerInterval?: number;
}

/** The two further bytes of an endpoint descriptor in the form of the audio class, which is 9 bytes long. */
export interface AudioEndpointSettings {
  /**
   * `bRefresh`: how often a feedback endpoint says something new, as a power of two of milliseconds.
   *
   * @default {0}
   */
  readonly refresh?: number;
  /**
   * `bSynchAddress`: the address of the feedback endpoint. The kernel does not rewrite it when it gives the endpoints
   * their real addresses.
   *
   * @default {0}
   */
  readonly synchAddress?: number;
}

/** Options of a bulk endpoint. Packet sizes are those of the USB specification at each speed: 64, 512 and 1024 bytes. */
export interface BulkOptions {
  /**
   * The address in the descriptors, 0x01 to 0x0f or 0x81 to 0x8f. The kernel replaces it by that of the endpoint it
   * finds in the device controller, except with `virtualAddresses`, where this must be that very address.
   *
   * @default {the next free one in declaration order}
   */
  readonly address?: number;
  /** What is different at full speed. The packet size may be 8, 16, 32 or 64. */
  readonly full?: SpeedSettings;
  /** What is different at high speed. `interval` is the NAK rate there, as the specification has it. */
  readonly high?: SpeedSettings;
  /** What is different at super speed. */
  readonly super?: SuperSpeedSettings;
}

/**
 * Options of an interrupt endpoint.
 *
 * The interval is encoded for each speed on its own. It is rounded down to one the speed can express, so that the host
 * never asks less often than declared; where the speed has none so short, it is the shortest: 1 ms at full speed,
 * 125 µs at high and super speed. The longest is 255 ms at full speed and 4096 ms above.
 */
export interface InterruptOptions {
  /**
   * The largest packet, in bytes, at every speed that can have it. Full speed has at most 64, high and super
   * speed 1024; a speed that cannot have it gets its own largest.
   *
   * @default {64}
   */
  readonly maxPacketSize?: number;
  /**
   * The time between two packets, in milliseconds.
   *
   * @default {8}
   */
  readonly intervalMs?: number;
  /** The same in microseconds, in place of `intervalMs`. */
  readonly intervalUs?: number;
  /** The address in the descriptors; see {@linkcode BulkOptions.address}. */
  readonly address?: number;
  /**
   * Whether packets come regularly or when there is something to say: a hint for super-speed hosts.
   *
   * @default {"periodic"}
   */
  readonly usage?: "periodic" | "notification";
  /** What is different at full speed. */
  readonly full?: SpeedSettings;
  /** What is different at high speed. */
  readonly high?: HighSpeedSettings;
  /** What is different at super speed. */
  readonly super?: SuperSpeedSettings;
}

/**
 * Options of an isochronous endpoint.
 *
 * The interval is a power of two of frames (1 ms) at full speed and of microframes (125 µs) above, and is rounded down
 * to one. FunctionFS moves one packet per request and reports no per-packet status.
 */
export interface IsochronousOptions {
  /**
   * The largest packet, in bytes, at every speed that can have it. Full speed has at most 1023, high and super
   * speed 1024; a speed that cannot have it gets its own largest.
   *
   * @default {1024, and 1023 at full speed}
   */
  readonly maxPacketSize?: number;
  /**
   * The time between two packets, in milliseconds.
   *
   * @default {1}
   */
  readonly intervalMs?: number;
  /** The same in microseconds, in place of `intervalMs`. */
  readonly intervalUs?: number;
  /** The address in the descriptors; see {@linkcode BulkOptions.address}. */
  readonly address?: number;
  /**
   * How the endpoint keeps time.
   *
   * @default {"none"}
   */
  readonly synchronization?: Synchronization;
  /**
   * What the endpoint carries.
   *
   * @default {"data"}
   */
  readonly usage?: "data" | "feedback" | "implicit-feedback";
  /** Makes the descriptor 9 bytes long, as the audio class wants it. */
  readonly audio?: AudioEndpointSettings;
  /** What is different at full speed. */
  readonly full?: SpeedSettings;
  /** What is different at high speed. */
  readonly high?: HighSpeedSettings;
  /** What is different at super speed. */
  readonly super?: SuperSpeedSettings;
}

/** Everything that can be said about one endpoint. The builders offer what fits the transfer type. */
export interface EndpointSettings {
  /** The largest packet, in bytes, at every speed that can have it. */
  readonly maxPacketSize?: number;
  /** The time between two packets, in milliseconds. */
  readonly intervalMs?: number;
  /** The same in microseconds, in place of `intervalMs`. */
  readonly intervalUs?: number;
  /** The address in the descriptors; see {@linkcode BulkOptions.address}. */
  readonly address?: number;
  /** How an isochronous endpoint keeps time. */
  readonly synchronization?: Synchronization;
  /** What an isochronous or interrupt endpoint carries. */
  readonly usage?: EndpointUsage;
  /** Makes the descriptor 9 bytes long, as the audio class wants it. */
  readonly audio?: AudioEndpointSettings;
  /** What is different at full speed. */
  readonly full?: SpeedSettings;
  /** What is different at high speed. */
  readonly high?: HighSpeedSettings;
  /** What is different at super speed. */
  readonly super?: SuperSpeedSettings;
}

/** One endpoint that sends to the host. */
export interface InEndpointDefinition<T extends TransferType = TransferType>
  extends EndpointSettings {
  /** Says that this endpoint sends to the host. */
  readonly kind: "in";
  /** The transfer type. */
  readonly transferType: T;
}

/** One endpoint that receives from the host. */
export interface OutEndpointDefinition<T extends TransferType = TransferType>
  extends EndpointSettings {
  /** Says that this endpoint receives from the host. */
  readonly kind: "out";
  /** The transfer type. */
  readonly transferType: T;
}

/** Two adjacent endpoints under one name, one in each direction. */
export interface PairEndpointDefinition<T extends TransferType = TransferType> {
  /** Says that this is two endpoints. */
  readonly kind: "pair";
  /** The transfer type of both. */
  readonly transferType: T;
  /**
   * Which of the two has the lower number.
   *
   * @default {"in"}
   */
  readonly first?: Direction;
  /** The half that sends to the host. */
  readonly in?: EndpointSettings;
  /** The half that receives from the host. */
  readonly out?: EndpointSettings;
}

/** An endpoint, or a pair of them, as declared. `kind` tells which. */
export type EndpointDefinition =
  | InEndpointDefinition
  | OutEndpointDefinition
  | PairEndpointDefinition;

/** The endpoints of one setting of an interface, by name, in declaration order. */
export type EndpointRecord = Readonly<Record<string, EndpointDefinition>>;
