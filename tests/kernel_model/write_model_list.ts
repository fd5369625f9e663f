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
import { type BlockCursor, Refusal } from "./block_cursor.ts";
import { STANDARD_LENGTHS } from "../../src/compile/descriptor_encoding.ts";
import { MAX_ENDPOINTS } from "../../src/compile/functionfs_abi.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
  type KernelVersion,
} from "../../src/compile/kernel_version.ts";
import { hex } from "../../src/check/problem_list.ts";
import { unsupportedType } from "../../src/check/function/unsupported_type.ts";
import {
  functionalLength,
  functionalLengthProblem,
  type InterfaceClass,
} from "../../src/check/function/functional.ts";

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
  readonly #kernel: KernelVersion | undefined;
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

  constructor(kernel: KernelVersion | undefined) {
    this.#kernel = kernel;
  }

  get addresses(): number[] {
    return [...this.#addressMap.subarray(1, this.#endpointCount + 1)];
  }

  get #isDecided(): boolean {
    return this.#endpointCount > 0 || this.interfaceCount > 0;
  }

  walkList(cursor: BlockCursor, speed: FunctionSpeed, count: number): void {
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
  cursor: BlockCursor,
  path: string,
  current: InterfaceClass | undefined,
  kernel: KernelVersion | undefined,
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
        functionalLengthProblem(length, above),
      );
    }
  } else {
    const lengths = STANDARD_LENGTHS[type];
    if (lengths === undefined) {
      throw new Refusal(
        "descriptor-type",
        path,
        unsupportedType(type, current?.class, current?.subclass),
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
  kernel: KernelVersion | undefined,
): boolean {
  if (functionalLength(current) === undefined) return false;
  const isDfu = current.class === ClassCode.APPLICATION_SPECIFIC;
  return !isDfu || kernelHas(kernel, KERNEL_FEATURES.dfu);
}

/**
 * Whether a descriptor is that of an endpoint.
 *
 * @param descriptor The descriptor.
 * @returns True for an endpoint.
 */
export function isEndpoint({ type }: BlockDescriptor): boolean {
  return type === DescriptorType.ENDPOINT;
}

/**
 * Takes `wMaxPacketSize` of an endpoint apart.
 *
 * @param descriptor The descriptor of an endpoint.
 * @returns Its low 11 bits, and the two above them.
 */
export function packetSize({ bytes }: BlockDescriptor): [number, number] {
  const field = bytes[4] | bytes[5] << 8;
  return [
    field & USB_ENDPOINT_MAXP_MASK,
    field >> USB_EP_MAXP_MULT_SHIFT & 3,
  ];
}
