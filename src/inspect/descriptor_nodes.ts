/**
 * Decoded descriptors, as plain data.
 *
 * @module
 */

import type {
  Direction,
  EndpointUsage,
  Synchronization,
  TransferType,
} from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type { FunctionalDescriptor } from "../definition/functional_descriptor.ts";

/**
 * An endpoint.
 *
 * @category Inspect
 */
export interface EndpointNode {
  /** The kind of node. */
  readonly kind: "endpoint";
  /** `bEndpointAddress`. */
  readonly address: number;
  /** The direction in the address. */
  readonly direction: Direction;
  /** The transfer type in the attributes. */
  readonly transferType: TransferType | "control";
  /** `bmAttributes`. */
  readonly attributes: number;
  /** The synchronization of an isochronous endpoint. */
  readonly synchronization?: Synchronization;
  /** The usage of an isochronous or interrupt endpoint, unless its value is reserved. */
  readonly usage?: EndpointUsage;
  /** Bytes in one packet. */
  readonly maxPacketSize: number;
  /** Packets in one microframe: bits 12 and 11 of `wMaxPacketSize` plus one. */
  readonly transactions: number;
  /** `bInterval`. */
  readonly interval: number;
  /** `bRefresh`, in the 9-byte form. */
  readonly refresh?: number;
  /** `bSynchAddress`, in the 9-byte form. */
  readonly synchAddress?: number;
  /** The companion that follows at super speed. */
  readonly companion?: {
    /** `bMaxBurst`: packets that may follow the first one. */
    readonly maxBurst: number;
    /** `bmAttributes`, which encodes streams and mult. */
    readonly attributes: number;
    /** Streams of a bulk endpoint, 0 for none. */
    readonly streams: number;
    /** `Mult` of an isochronous endpoint. */
    readonly mult: number;
    /** `wBytesPerInterval`. */
    readonly bytesPerInterval: number;
  };
}

/**
 * A functional descriptor.
 *
 * @category Inspect
 */
export interface FunctionalNode {
  /** The kind of node. */
  readonly kind: "functional";
  /** The descriptor, decoded if it is one of HID, DFU or CCID. */
  readonly descriptor: FunctionalDescriptor;
}

/**
 * A descriptor of any other type.
 *
 * @category Inspect
 */
export interface UnknownNode {
  /** The kind of node. */
  readonly kind: "unknown";
  /** `bDescriptorType`. */
  readonly type: number;
  /** All bytes. */
  readonly bytes: readonly number[];
}

/**
 * A setting of an interface, with everything up to the next one.
 *
 * @category Inspect
 */
export interface InterfaceNode {
  /** The kind of node. */
  readonly kind: "interface";
  /** `bInterfaceNumber`. */
  readonly number: number;
  /** `bAlternateSetting`. */
  readonly alternate: number;
  /** `bNumEndpoints`, which may differ from the number of endpoints that follow. */
  readonly endpointCount: number;
  /** `bInterfaceClass`. */
  readonly class: number;
  /** `bInterfaceSubClass`. */
  readonly subclass: number;
  /** `bInterfaceProtocol`. */
  readonly protocol: number;
  /** `iInterface`: the index of its name, 0 for none. */
  readonly string: number;
  /** The descriptors that follow, except endpoints, in order. */
  readonly descriptors: readonly (FunctionalNode | UnknownNode)[];
  /** The endpoints, in order. */
  readonly endpoints: readonly EndpointNode[];
}

/**
 * An interface association.
 *
 * @category Inspect
 */
export interface AssociationNode {
  /** The kind of node. */
  readonly kind: "association";
  /** `bFirstInterface`. */
  readonly firstInterface: number;
  /** `bInterfaceCount`. */
  readonly interfaceCount: number;
  /** `bFunctionClass`. */
  readonly class: number;
  /** `bFunctionSubClass`. */
  readonly subclass: number;
  /** `bFunctionProtocol`. */
  readonly protocol: number;
  /** `iFunction`: the index of its name, 0 for none. */
  readonly string: number;
}

/**
 * An OTG descriptor of 3 bytes.
 *
 * @category Inspect
 */
export interface OtgNode {
  /** The kind of node. */
  readonly kind: "otg";
  /** Whether the device can request a session. */
  readonly srp: boolean;
  /** Whether the device can become the host. */
  readonly hnp: boolean;
}

/**
 * A descriptor, with those that belong to it.
 *
 * @category Inspect
 */
export type DescriptorNode =
  | InterfaceNode
  | AssociationNode
  | OtgNode
  | EndpointNode
  | FunctionalNode
  | UnknownNode;

/**
 * A configuration, as a host reads it.
 *
 * @category Inspect
 */
export interface DecodedConfiguration {
  /** Distinguishes it from a function block. */
  readonly kind: "configuration";
  /** `wTotalLength`, in bytes. */
  readonly totalLength: number;
  /** `bNumInterfaces`. */
  readonly interfaceCount: number;
  /** `bConfigurationValue`. */
  readonly value: number;
  /** `iConfiguration`: the index of its name, 0 for none. */
  readonly string: number;
  /** Whether the device has its own power. */
  readonly selfPowered: boolean;
  /** Whether the device can wake the host. */
  readonly remoteWakeup: boolean;
  /** `bMaxPower`, in units of 2 mA up to high speed and of 8 mA at super speed. */
  readonly maxPower: number;
  /** The descriptors that follow. */
  readonly descriptors: readonly DescriptorNode[];
}

/**
 * A Microsoft OS feature descriptor.
 *
 * @category Inspect
 */
export interface OsFeatureNode {
  /** `wIndex`: 4 for compat IDs, 5 for properties. */
  readonly index: number;
  /** `bcdVersion`. */
  readonly version: number;
  /** The interface in its header. */
  readonly interface: number;
  /** Extended compat IDs. */
  readonly compatibleIds: readonly {
    /** The interface, counted from 0 within the function. */
    readonly interface: number;
    /** The compatible ID. */
    readonly compatibleId: string;
    /** The sub-compatible ID. */
    readonly subCompatibleId: string;
  }[];
  /** Extended properties. */
  readonly properties: readonly {
    /** `dwPropertyDataType`. */
    readonly type: number;
    /** The name without its terminator. */
    readonly name: string;
    /** The value; text includes its terminator. */
    readonly value: readonly number[];
  }[];
}

/**
 * The blocks that a program writes to ep0 of FunctionFS.
 *
 * @category Inspect
 */
export interface DecodedFunctionBlock {
  /** Distinguishes it from a configuration. */
  readonly kind: "function-block";
  /** 2, or 1 for the legacy format. */
  readonly version: 1 | 2;
  /** The flags. */
  readonly flags: number;
  /** The file descriptor in the eventfd field. */
  readonly eventfd?: number;
  /** The descriptors of each speed in the block. */
  readonly speeds: {
    readonly [S in FunctionSpeed]?: readonly DescriptorNode[];
  };
  /** Microsoft OS feature descriptors. */
  readonly microsoftOs: readonly OsFeatureNode[];
  /** The strings in each language; none without the strings block. */
  readonly languages: readonly {
    /** The LANGID. */
    readonly language: number;
    /** The strings; the first one has index 1. */
    readonly strings: readonly string[];
  }[];
}
