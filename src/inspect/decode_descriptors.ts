/**
 * Decodes descriptors.
 *
 * @module
 */

import { checkBytes } from "../arguments/bytes.ts";
import { DescriptorType } from "../usb/descriptor_type.ts";
import {
  addressDirection,
  attributesTransferType,
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  SYNCHRONIZATIONS,
  USB_ENDPOINT_MAXP_MASK,
  USB_EP_MAXP_MULT_SHIFT,
} from "../usb/endpoint_attributes.ts";
import {
  ASSOCIATION_LENGTH,
  AUDIO_ENDPOINT_LENGTH,
  COMPANION_LENGTH,
  ENDPOINT_LENGTH,
  INTERFACE_LENGTH,
  OTG_LENGTH,
} from "../compile/descriptor_encoding.ts";
import { decodeFunctional } from "../compile/functional_encoding.ts";
import type {
  AssociationNode,
  DecodedConfiguration,
  DescriptorNode,
  EndpointNode,
  FunctionalNode,
  InterfaceNode,
  UnknownNode,
} from "./descriptor_nodes.ts";

/** `bLength` of a configuration descriptor. */
export const CONFIGURATION_LENGTH = 9;

/**
 * Decodes a configuration as a host reads it: the configuration descriptor and all that follow. Descriptors of unknown
 * types become bytes.
 *
 * @param bytes The configuration, `wTotalLength` bytes or fewer.
 * @throws {RangeError} When it does not start with a configuration descriptor, or a descriptor is cut off.
 *
 * @example Usage
 * ```ts
 * import { decodeDescriptors } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const configuration = decodeDescriptors(
 *   new Uint8Array([
 *     ...[9, 2, 25, 0, 1, 1, 0, 0x80, 50],
 *     ...[9, 4, 0, 0, 1, 0xff, 0, 0, 0],
 *     ...[7, 5, 0x81, 2, 0, 2, 0],
 *   ]),
 * );
 * const [first] = configuration.descriptors;
 * assertEquals(first.kind === "interface" && first.endpoints[0].address, 0x81);
 * ```
 *
 * @category Inspect
 */
export function decodeDescriptors(bytes: Uint8Array): DecodedConfiguration {
  checkBytes("decode configuration", "the data", bytes);
  const [first, ...others] = splitDescriptors(bytes);
  if (
    first === undefined || first[1] !== DescriptorType.CONFIGURATION ||
    first.length < CONFIGURATION_LENGTH
  ) {
    throw new RangeError(
      "Cannot decode configuration: it does not start with a configuration descriptor",
    );
  }
  return {
    kind: "configuration",
    totalLength: u16(first, 2),
    interfaceCount: first[4],
    value: first[5],
    string: first[6],
    selfPowered: (first[7] & 0x40) !== 0,
    remoteWakeup: (first[7] & 0x20) !== 0,
    maxPower: first[8],
    descriptors: decodeList(others),
  };
}

/** Splits bytes into views of the descriptors. */
export function splitDescriptors(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const length = bytes[offset];
    if (length < 2 || offset + length > bytes.length) {
      throw new RangeError(
        `Cannot decode descriptors: descriptor at byte ${offset} has length ${length}, but ${
          bytes.length - offset
        } bytes are left`,
      );
    }
    found.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return found;
}

/**
 * Decodes descriptors. Everything after an interface belongs to it, up to the next interface, association or OTG
 * descriptor.
 */
export function decodeList(
  descriptors: readonly Uint8Array[],
): DescriptorNode[] {
  const nodes: DescriptorNode[] = [];
  let current: Mutable<InterfaceNode> | undefined;
  descriptors.forEach((bytes, index) => {
    if (isA(bytes, DescriptorType.INTERFACE, INTERFACE_LENGTH)) {
      current = decodeInterface(bytes);
      nodes.push(current);
    } else if (isAssociation(bytes)) {
      nodes.push(decodeAssociation(bytes));
      current = undefined;
    } else if (isA(bytes, DescriptorType.OTG, OTG_LENGTH)) {
      const [, , attributes] = bytes;
      const srp = (attributes & 1) !== 0;
      nodes.push({ kind: "otg", srp, hnp: (attributes & 2) !== 0 });
      current = undefined;
    } else if (isEndpoint(bytes)) {
      const next = descriptors[index + 1];
      const companion = next && isCompanion(next) ? next : undefined;
      const node = decodeEndpoint(bytes, companion);
      if (current) current.endpoints = [...current.endpoints, node];
      else nodes.push(node);
    } else if (!isCompanion(bytes) || !isEndpoint(descriptors[index - 1])) {
      const node = decodeOther(bytes, current);
      if (current) current.descriptors = [...current.descriptors, node];
      else nodes.push(node);
    }
  });
  return nodes;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function isA(bytes: Uint8Array, type: number, length: number): boolean {
  return bytes[1] === type && bytes.length === length;
}

function isAssociation(bytes: Uint8Array): boolean {
  return isA(bytes, DescriptorType.INTERFACE_ASSOCIATION, ASSOCIATION_LENGTH);
}

function isCompanion(bytes: Uint8Array): boolean {
  const type = DescriptorType.SUPERSPEED_ENDPOINT_COMPANION;
  return isA(bytes, type, COMPANION_LENGTH);
}

function isEndpoint(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined &&
    (isA(bytes, DescriptorType.ENDPOINT, ENDPOINT_LENGTH) ||
      isA(bytes, DescriptorType.ENDPOINT, AUDIO_ENDPOINT_LENGTH));
}

function decodeInterface(bytes: Uint8Array): InterfaceNode {
  return {
    kind: "interface",
    number: bytes[2],
    alternate: bytes[3],
    endpointCount: bytes[4],
    class: bytes[5],
    subclass: bytes[6],
    protocol: bytes[7],
    string: bytes[8],
    descriptors: [],
    endpoints: [],
  };
}

function decodeAssociation(bytes: Uint8Array): AssociationNode {
  return {
    kind: "association",
    firstInterface: bytes[2],
    interfaceCount: bytes[3],
    class: bytes[4],
    subclass: bytes[5],
    protocol: bytes[6],
    string: bytes[7],
  };
}

function decodeEndpoint(
  bytes: Uint8Array,
  companion: Uint8Array | undefined,
): EndpointNode {
  const attributes = bytes[3];
  const transferType = attributesTransferType(attributes);
  const size = u16(bytes, 4);
  const usages = transferType === "isochronous"
    ? ISOCHRONOUS_USAGES
    : transferType === "interrupt"
    ? INTERRUPT_USAGES
    : [];
  const usage = usages[attributes >> 4 & 3];
  return {
    kind: "endpoint",
    address: bytes[2],
    direction: addressDirection(bytes[2]),
    transferType,
    attributes,
    ...(transferType === "isochronous"
      ? { synchronization: SYNCHRONIZATIONS[attributes >> 2 & 3] }
      : {}),
    ...(usage ? { usage } : {}),
    maxPacketSize: size & USB_ENDPOINT_MAXP_MASK,
    transactions: (size >> USB_EP_MAXP_MULT_SHIFT & 3) + 1,
    interval: bytes[6],
    ...(bytes.length === AUDIO_ENDPOINT_LENGTH
      ? { refresh: bytes[7], synchAddress: bytes[8] }
      : {}),
    ...(companion
      ? { companion: decodeCompanion(companion, transferType) }
      : {}),
  };
}

function decodeCompanion(
  bytes: Uint8Array,
  transferType: EndpointNode["transferType"],
): EndpointNode["companion"] {
  const attributes = bytes[3];
  const exponent = transferType === "bulk" ? attributes & 0x1f : 0;
  return {
    maxBurst: bytes[2],
    attributes,
    streams: exponent > 0 ? 2 ** exponent : 0,
    mult: transferType === "isochronous" ? attributes & 3 : 0,
    bytesPerInterval: u16(bytes, 4),
  };
}

function decodeOther(
  bytes: Uint8Array,
  current: InterfaceNode | undefined,
): FunctionalNode | UnknownNode {
  if (bytes[1] === DescriptorType.CLASS_FUNCTIONAL && current) {
    const { class: code, subclass } = current;
    const descriptor = decodeFunctional(bytes, code, subclass);
    return { kind: "functional", descriptor };
  }
  return { kind: "unknown", type: bytes[1], bytes: [...bytes] };
}

/** Reads a little-endian number. */
export function u16(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | bytes[offset + 1] << 8;
}
