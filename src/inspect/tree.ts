/**
 * Descriptors as a tree of plain data.
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

/** A super-speed endpoint companion. */
export interface CompanionNode {
  /** `bMaxBurst`: packets that may follow the first one. */
  readonly maxBurst: number;
  /** `bmAttributes`, of which streams and mult are parts. */
  readonly attributes: number;
  /** Streams of a bulk endpoint, 0 for none. */
  readonly streams: number;
  /** `Mult` of an isochronous endpoint. */
  readonly mult: number;
  /** `wBytesPerInterval`. */
  readonly bytesPerInterval: number;
}

/** An endpoint. */
export interface EndpointNode {
  /** Tells this from other nodes. */
  readonly kind: "endpoint";
  /** `bEndpointAddress`. */
  readonly address: number;
  /** The direction in the address. */
  readonly direction: Direction;
  /** The transfer type in the attributes. */
  readonly transferType: TransferType | "control";
  /** `bmAttributes`. */
  readonly attributes: number;
  /** How an isochronous endpoint keeps time. */
  readonly synchronization?: Synchronization;
  /** What an isochronous or interrupt endpoint carries, where the value is one that the specification knows. */
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
  /** What follows it at super speed. */
  readonly companion?: CompanionNode;
}

/** A functional descriptor. */
export interface FunctionalNode {
  /** Tells this from other nodes. */
  readonly kind: "functional";
  /** The descriptor, typed where it is one of HID, DFU or CCID. */
  readonly descriptor: FunctionalDescriptor;
}

/** A descriptor that has no node of its own. */
export interface UnknownNode {
  /** Tells this from other nodes. */
  readonly kind: "unknown";
  /** `bDescriptorType`. */
  readonly type: number;
  /** All bytes. */
  readonly bytes: readonly number[];
}

/** A setting of an interface, with everything up to the next one. */
export interface InterfaceNode {
  /** Tells this from other nodes. */
  readonly kind: "interface";
  /** `bInterfaceNumber`. */
  readonly number: number;
  /** `bAlternateSetting`. */
  readonly alternate: number;
  /** `bNumEndpoints`, which need not be the number of endpoints that follow. */
  readonly endpointCount: number;
  /** `bInterfaceClass`. */
  readonly class: number;
  /** `bInterfaceSubClass`. */
  readonly subclass: number;
  /** `bInterfaceProtocol`. */
  readonly protocol: number;
  /** `iInterface`: the index of its name, 0 for none. */
  readonly string: number;
  /** What follows it, endpoints apart, in order. */
  readonly descriptors: readonly (FunctionalNode | UnknownNode)[];
  /** The endpoints, in order. */
  readonly endpoints: readonly EndpointNode[];
}

/** An interface association. */
export interface AssociationNode {
  /** Tells this from other nodes. */
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

/** An OTG descriptor of 3 bytes. */
export interface OtgNode {
  /** Tells this from other nodes. */
  readonly kind: "otg";
  /** The device can ask for a session. */
  readonly srp: boolean;
  /** The device can become the host. */
  readonly hnp: boolean;
}

/** What a configuration or the list of a speed consists of. */
export type DescriptorNode =
  | InterfaceNode
  | AssociationNode
  | OtgNode
  | EndpointNode
  | FunctionalNode
  | UnknownNode;

/** A configuration, as a host reads it. */
export interface ConfigurationTree {
  /** Tells this from other trees. */
  readonly kind: "configuration";
  /** `wTotalLength`, in bytes. */
  readonly totalLength: number;
  /** `bNumInterfaces`. */
  readonly interfaceCount: number;
  /** `bConfigurationValue`. */
  readonly value: number;
  /** `iConfiguration`: the index of its name, 0 for none. */
  readonly string: number;
  /** The device has its own power. */
  readonly selfPowered: boolean;
  /** The device can wake the host. */
  readonly remoteWakeup: boolean;
  /** `bMaxPower`, in units of 2 mA up to high speed and of 8 mA at super speed. */
  readonly maxPower: number;
  /** What follows. */
  readonly descriptors: readonly DescriptorNode[];
}

/** A Microsoft OS feature descriptor. */
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
    /** The value, for text with its terminator. */
    readonly value: readonly number[];
  }[];
}

/** The strings of one language. */
export interface LanguageNode {
  /** The LANGID. */
  readonly language: number;
  /** The strings; descriptors refer to the first one as 1. */
  readonly strings: readonly string[];
}

/** What a program writes to ep0 of FunctionFS. */
export interface FunctionBlockTree {
  /** Tells this from other trees. */
  readonly kind: "function-block";
  /** 2, or 1 for the legacy format. */
  readonly version: 1 | 2;
  /** The flags. */
  readonly flags: number;
  /** The number in the eventfd field. */
  readonly eventfd?: number;
  /** The descriptors of each speed that the block has. */
  readonly speeds: {
    readonly [S in FunctionSpeed]?: readonly DescriptorNode[];
  };
  /** Microsoft OS feature descriptors. */
  readonly microsoftOs: readonly OsFeatureNode[];
  /** The strings, when the strings block is known. */
  readonly languages: readonly LanguageNode[];
}
