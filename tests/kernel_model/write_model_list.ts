/**
 * What FunctionFS does with the descriptors of each speed (`ffs_do_single_desc()` and `__ffs_data_do_entity()`).
 *
 * @module
 */

import { ClassCode } from "../../src/usb/class_code.ts";
import { DescriptorType } from "../../src/usb/descriptor_type.ts";
import {
  USB_ENDPOINT_MAXP_MASK,
  USB_ENDPOINT_NUMBER_MASK,
  USB_EP_MAXP_MULT_SHIFT,
} from "../../src/usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../../src/usb/speed.ts";
import { Refusal } from "./refusal.ts";
import { hex, isSince, type Kernel, MAX_ENDPOINTS } from "./kernel.ts";
import type { KernelCursor } from "./refusal.ts";

/** `bLength` by type, as `ffs_do_single_desc()` checks it. */
const STANDARD_LENGTHS: Readonly<Record<number, readonly number[]>> = {
  [DescriptorType.INTERFACE]: [9],
  [DescriptorType.ENDPOINT]: [7, 9],
  [DescriptorType.OTG]: [3],
  [DescriptorType.INTERFACE_ASSOCIATION]: [8],
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]: [6],
};

/** The class of the interface before a descriptor. */
interface InterfaceClass {
  readonly class: number;
  readonly subclass: number;
}

/** The length of functional descriptors below a class, `undefined` for one below which there are none. */
function functionalLength(
  { class: code, subclass }: InterfaceClass,
): number | undefined {
  if (code === ClassCode.HID) return 9;
  if (code === ClassCode.SMART_CARD) return 54;
  return code === ClassCode.APPLICATION_SPECIFIC && subclass === 1
    ? 9
    : undefined;
}

/** One descriptor of a block. */
export interface BlockDescriptor {
  /** `bDescriptorType`. */
  readonly type: number;
  /** Its bytes. A view into the block. */
  readonly bytes: Uint8Array;
  /** Where in the block it is, such as `descriptors.full[3]`. */
  readonly path: string;
}

/** What is known while the lists are read. The first list that says anything decides for those that follow. */
export class FunctionState {
  readonly #kernel: Kernel | undefined;
  readonly lists: Record<FunctionSpeed, BlockDescriptor[]> = {
    full: [],
    high: [],
    super: [],
  };
  /** `eps_addrmap`. What is beyond the endpoints of the deciding list is 0. */
  readonly #addressMap = new Uint8Array(MAX_ENDPOINTS + 1);
  #endpointCount = 0;
  interfaceCount = 0;
  stringCount = 0;

  constructor(kernel: Kernel | undefined) {
    this.#kernel = kernel;
  }

  get addresses(): number[] {
    return [...this.#addressMap.subarray(1, this.#endpointCount + 1)];
  }

  get #isDecided(): boolean {
    return this.#endpointCount > 0 || this.interfaceCount > 0;
  }

  walkList(cursor: KernelCursor, speed: FunctionSpeed, count: number): void {
    if (count === 0) return;
    let endpoints = 0;
    let interfaces = 0;
    let current: InterfaceClass | undefined;
    const list = this.lists[speed];
    for (let i = 0; i < count; i++) {
      const path = `descriptors.${speed}[${i}]`;
      const bytes = takeDescriptor(cursor, path, current, this.#kernel);
      const type = bytes[1];
      list.push({ type, bytes, path });
      if (type === DescriptorType.INTERFACE) {
        interfaces = Math.max(interfaces, bytes[2] + 1);
        current = { class: bytes[5], subclass: bytes[6] };
        this.stringCount = Math.max(this.stringCount, bytes[8]);
      } else if (type === DescriptorType.INTERFACE_ASSOCIATION) {
        this.stringCount = Math.max(this.stringCount, bytes[7]);
      } else if (type === DescriptorType.ENDPOINT) {
        this.#addEndpoint(++endpoints, bytes[2], path);
      }
    }
    if (!this.#isDecided) {
      this.#endpointCount = endpoints;
      this.interfaceCount = interfaces;
      return;
    }
    this.#compare("endpoint", endpoints, this.#endpointCount, speed);
    this.#compare("interface", interfaces, this.interfaceCount, speed);
  }

  #addEndpoint(number: number, address: number, path: string): void {
    if ((address & USB_ENDPOINT_NUMBER_MASK) === 0) {
      throw new Refusal(
        "address",
        `${path}.bEndpointAddress`,
        `Address ${hex(address)} has endpoint number 0: use 1 to 15`,
      );
    }
    if (number > MAX_ENDPOINTS) {
      throw new Refusal(
        "endpoint-count",
        path,
        `This is endpoint ${number}, but FunctionFS takes ${MAX_ENDPOINTS}: use fewer`,
      );
    }
    if (!this.#isDecided) {
      this.#addressMap[number] = address;
    } else if (this.#addressMap[number] !== address) {
      throw new Refusal(
        "speeds-differ",
        `${path}.bEndpointAddress`,
        `Endpoint ${number} has address ${hex(address)} here and ${
          hex(this.#addressMap[number])
        } at another speed: use the same`,
      );
    }
  }

  #compare(
    what: string,
    count: number,
    expected: number,
    speed: FunctionSpeed,
  ): void {
    if (count === expected) return;
    throw new Refusal(
      "speeds-differ",
      `descriptors.${speed}`,
      `The ${what} count is ${count} here and ${expected} at another speed: make them equal`,
    );
  }
}

function takeDescriptor(
  cursor: KernelCursor,
  path: string,
  current: InterfaceClass | undefined,
  kernel: Kernel | undefined,
): Uint8Array {
  const { left, rest } = cursor;
  if (left < 2 || left < rest[0]) {
    throw new Refusal(
      "descriptor-length",
      path,
      left < 2
        ? "The block ends before this descriptor: lower the count, or add the descriptor"
        : `The descriptor says it has ${
          rest[0]
        } bytes, but the block has ${left} left: correct its first byte`,
    );
  }
  const [length, type] = rest;
  const above = current && takesFunctional(current, kernel)
    ? current
    : undefined;
  if (type === DescriptorType.CLASS_FUNCTIONAL && above) {
    if (length !== functionalLength(above)) {
      throw new Refusal(
        "descriptor-length",
        path,
        `A functional descriptor has ${
          functionalLength(above)
        } bytes here, not ${length}`,
      );
    }
  } else {
    const lengths = STANDARD_LENGTHS[type];
    if (lengths === undefined) {
      throw new Refusal(
        "descriptor-type",
        path,
        `Descriptor type ${hex(type)} is refused here`,
      );
    }
    if (!lengths.includes(length)) {
      throw new Refusal(
        "descriptor-length",
        path,
        `A descriptor of type ${hex(type)} has ${
          lengths.join(" or ")
        } bytes, not ${length}: correct its length`,
      );
    }
  }
  return cursor.take(length);
}

/** Whether the kernel takes functional descriptors below a class. */
function takesFunctional(
  current: InterfaceClass,
  kernel: Kernel | undefined,
): boolean {
  if (functionalLength(current) === undefined) return false;
  const isDfu = current.class === ClassCode.APPLICATION_SPECIFIC;
  return !isDfu || isSince(kernel, 6, 12);
}

/**
 * Whether a descriptor is that of an endpoint.
 */
export function isEndpoint({ type }: BlockDescriptor): boolean {
  return type === DescriptorType.ENDPOINT;
}

/**
 * Takes `wMaxPacketSize` of an endpoint apart.
 */
export function packetSize({ bytes }: BlockDescriptor): [number, number] {
  const field = bytes[4] | bytes[5] << 8;
  return [
    field & USB_ENDPOINT_MAXP_MASK,
    field >> USB_EP_MAXP_MULT_SHIFT & 3,
  ];
}
