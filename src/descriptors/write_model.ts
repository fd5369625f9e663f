/**
 * What FunctionFS does with the blocks that are written to ep0, step by step as in `f_fs.c` of Linux 6.1 to 7.3.
 *
 * The model says yes or no for any bytes. It also takes the descriptors apart, for the rules that apply later.
 *
 * @module
 */

import { DescriptorType } from "../usb/descriptor_type.ts";
import {
  USB_DIR_IN,
  USB_ENDPOINT_NUMBER_MASK,
} from "../usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import {
  ASSOCIATION_LENGTH,
  AUDIO_ENDPOINT_LENGTH,
  COMPANION_LENGTH,
  ENDPOINT_LENGTH,
  INTERFACE_LENGTH,
  OTG_LENGTH,
} from "./descriptor_encoding.ts";
import { SUBCLASS_DFU } from "./functional_encoding.ts";
import {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_DESCRIPTORS_MAGIC,
  FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
  FUNCTIONFS_EVENTFD,
  FUNCTIONFS_HAS_FS_DESC,
  FUNCTIONFS_HAS_HS_DESC,
  FUNCTIONFS_HAS_MS_OS_DESC,
  FUNCTIONFS_HAS_SS_DESC,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_VIRTUAL_ADDR,
  MAX_ENDPOINTS,
} from "./functionfs_abi.ts";
import { KERNEL_FEATURES, kernelHas, type KernelVersion } from "./kernel_version.ts";
import { hex } from "./problem_list.ts";
import {
  functionalLength,
  functionalLengthProblem,
} from "./validate_functional.ts";
import { unsupportedType } from "./unsupported_type.ts";
import { walkOsDescriptors, type OsFeatureDescriptor } from "./write_model_os.ts";

/** The error that a refused write returns. */
export type BlockErrno = "EINVAL" | "ENOSYS" | "EBADF" | "ENOMEM";

/** What the number in the eventfd field of a block is. */
export type EventfdState = "eventfd" | "closed" | "other";

/** What the kernel looks up outside of the block. */
export interface WriteContext {
  /** The kernel. Without it, the newest one. */
  readonly kernel?: KernelVersion;
  /** Says what a file descriptor is. Without it, every number is an eventfd. */
  readonly eventfd?: (fd: number) => EventfdState;
}

/** A refused write. */
export class Refusal extends Error {
  /** The error that the write returns. */
  readonly errno: BlockErrno;
  /** A short name of the rule. */
  readonly rule: string;
  /** Where in the block it is. */
  readonly path: string;

  /**
   * Makes a refusal.
   *
   * @param rule A short name of the rule.
   * @param path Where in the block it is.
   * @param message What is wrong and what to do.
   * @param errno The error that the write returns.
   */
  constructor(
    rule: string,
    path: string,
    message: string,
    errno: BlockErrno = "EINVAL",
  ) {
    super(message);
    this.name = "Refusal";
    this.errno = errno;
    this.rule = rule;
    this.path = path;
  }
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

/** What FunctionFS knows after it accepted a descriptors block. */
export interface AcceptedDescriptors {
  /** The flags; those of a legacy block are full and high speed. */
  readonly flags: number;
  /** The number in the eventfd field. */
  readonly eventfd: number | undefined;
  /** The descriptors of each speed; none for a speed without. */
  readonly lists: Readonly<Record<FunctionSpeed, readonly BlockDescriptor[]>>;
  /** Microsoft OS feature descriptors. */
  readonly os: readonly OsFeatureDescriptor[];
  /** Addresses of the endpoints, in file order. */
  readonly addresses: readonly number[];
  /** The greatest interface number plus one. */
  readonly interfaceCount: number;
  /** The greatest string index. */
  readonly stringCount: number;
}

/** Every write starts with 16 bytes at least. */
export const MIN_BLOCK_LENGTH = 16;
/** What `memdup_user()` can allocate. */
export const MAX_BLOCK_LENGTH = 4 * 1024 * 1024;

const KNOWN_FLAGS = FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC |
  FUNCTIONFS_HAS_SS_DESC | FUNCTIONFS_HAS_MS_OS_DESC |
  FUNCTIONFS_VIRTUAL_ADDR | FUNCTIONFS_EVENTFD | FUNCTIONFS_ALL_CTRL_RECIP |
  FUNCTIONFS_CONFIG0_SETUP;

/** Reads a block from front to back. */
export class BlockCursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** How many bytes were taken. */
  offset = 0;

  /**
   * Starts at the front.
   *
   * @param bytes The block.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.offset;
  }

  /** The bytes that are left. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.offset);
  }

  /**
   * Reads without taking.
   *
   * @param offset Where, from here.
   * @returns Two bytes.
   */
  u16At(offset: number): number {
    return this.#view.getUint16(this.offset + offset, true);
  }

  /**
   * Reads without taking.
   *
   * @param offset Where, from here.
   * @returns Four bytes.
   */
  u32At(offset: number): number {
    return this.#view.getUint32(this.offset + offset, true);
  }

  /**
   * Takes a field of the header.
   *
   * @param path Where it is, for the refusal of a block that ends here.
   * @returns Four bytes.
   */
  u32(path: string): number {
    if (this.left < 4) {
      throw new Refusal(
        "length",
        path,
        "The block ends before this field: make it longer",
      );
    }
    const value = this.u32At(0);
    this.offset += 4;
    return value;
  }

  /**
   * Takes bytes.
   *
   * @param length How many.
   * @returns A view of them.
   */
  take(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return bytes;
  }
}

/**
 * Checks what every block starts with.
 *
 * @param bytes The block.
 * @param path What to call it.
 */
export function checkBlockLength(bytes: Uint8Array, path: string): void {
  if (bytes.length < MIN_BLOCK_LENGTH) {
    throw new Refusal(
      "length",
      path,
      `The block has ${bytes.length} bytes: it must have ${MIN_BLOCK_LENGTH} at least`,
    );
  }
  if (bytes.length > MAX_BLOCK_LENGTH) {
    throw new Refusal(
      "length",
      path,
      `The block has ${bytes.length} bytes, but the kernel can copy ${MAX_BLOCK_LENGTH}: make it shorter`,
      "ENOMEM",
    );
  }
}

/**
 * Checks the length field of a block.
 *
 * @param cursor The block, at its front.
 * @param path What to call it.
 */
export function checkLengthField(cursor: BlockCursor, path: string): void {
  const length = cursor.u32At(4);
  if (length === cursor.left) return;
  throw new Refusal(
    "length",
    `${path}.length`,
    `The length field says ${length}, but the block has ${cursor.left} bytes: make them equal, and write the block at once`,
  );
}

/**
 * Does what FunctionFS does with a descriptors block.
 *
 * @param bytes The block.
 * @param context What the kernel looks up elsewhere.
 * @returns What it knows afterwards.
 * @throws {Refusal} When it refuses the block.
 */
export function acceptDescriptors(
  bytes: Uint8Array,
  context: WriteContext = {},
): AcceptedDescriptors {
  const { kernel } = context;
  const path = "descriptors";
  checkBlockLength(bytes, path);
  const cursor = new BlockCursor(bytes);
  checkLengthField(cursor, path);
  const flags = takeFlags(cursor, kernel);
  const isV2 = bytes[0] === FUNCTIONFS_DESCRIPTORS_MAGIC_V2;
  const eventfd = flags & FUNCTIONFS_EVENTFD
    ? takeEventfd(cursor, context)
    : undefined;
  const counts = FUNCTION_SPEEDS.map((speed, index) =>
    flags & 1 << index ? cursor.u32(`${path}.${speed}.count`) : 0
  );
  const osCount = flags & FUNCTIONFS_HAS_MS_OS_DESC
    ? cursor.u32(`${path}.os.count`)
    : 0;
  const start = cursor.offset;
  const state = new FunctionState(kernel);
  FUNCTION_SPEEDS.forEach((speed, index) =>
    state.walkList(cursor, speed, counts[index])
  );
  const os = walkOsDescriptors(cursor, osCount, state.interfaceCount, kernel);
  if (cursor.left > 0) {
    throw new Refusal(
      "length",
      path,
      `The block has ${cursor.left} bytes after its last descriptor: remove them, or raise the counts`,
    );
  }
  if (cursor.offset === start) {
    throw new Refusal(
      "length",
      path,
      "The block has no descriptor: add an interface",
    );
  }
  if (isV2 && flags & FUNCTIONFS_RW_PROXY_EPS) checkProxies(state.addresses);
  const { lists, addresses, interfaceCount, stringCount } = state;
  return { flags, eventfd, lists, os, addresses, interfaceCount, stringCount };
}

function takeFlags(
  cursor: BlockCursor,
  kernel: KernelVersion | undefined,
): number {
  const magic = cursor.u32At(0);
  if (magic === FUNCTIONFS_DESCRIPTORS_MAGIC) {
    cursor.take(8);
    return FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC;
  }
  if (magic !== FUNCTIONFS_DESCRIPTORS_MAGIC_V2) {
    throw new Refusal(
      "magic",
      "descriptors.magic",
      `The block starts with ${magic}: a descriptors block starts with ${FUNCTIONFS_DESCRIPTORS_MAGIC_V2}`,
    );
  }
  const flags = cursor.u32At(8);
  const hasProxies = kernelHas(kernel, KERNEL_FEATURES.rwProxy);
  const known = KNOWN_FLAGS | (hasProxies ? FUNCTIONFS_RW_PROXY_EPS : 0);
  if (flags & ~known) {
    throw new Refusal(
      "flags",
      "descriptors.flags",
      flags & ~known & FUNCTIONFS_RW_PROXY_EPS
        ? "The kernel does not know FUNCTIONFS_RW_PROXY_EPS: use Linux 7.3 or later, or clear the flag"
        : `The kernel does not know the flags ${
          hex((flags & ~known) >>> 0)
        }: clear them`,
      "ENOSYS",
    );
  }
  cursor.take(12);
  return flags;
}

function takeEventfd(cursor: BlockCursor, { eventfd }: WriteContext): number {
  const path = "descriptors.eventfd";
  const fd = cursor.u32(path) | 0;
  switch (eventfd?.(fd) ?? "eventfd") {
    case "eventfd":
      return fd;
    case "closed":
      throw new Refusal(
        "eventfd",
        path,
        `File descriptor ${fd} is not open: open an eventfd first`,
        "EBADF",
      );
    case "other":
      throw new Refusal(
        "eventfd",
        path,
        `File descriptor ${fd} is not an eventfd: open one`,
      );
  }
}

/** Linux 7.3: pairs of endpoints must be one of each direction. */
function checkProxies(addresses: readonly number[]): void {
  if (addresses.length % 2 !== 0) {
    throw new Refusal(
      "rw-proxy",
      "descriptors.flags",
      `Files for both directions need pairs, but there are ${addresses.length} endpoints: add one, or clear FUNCTIONFS_RW_PROXY_EPS`,
    );
  }
  for (let i = 0; i < addresses.length; i += 2) {
    if (((addresses[i] ^ addresses[i + 1]) & USB_DIR_IN) !== 0) continue;
    throw new Refusal(
      "rw-proxy",
      "descriptors.flags",
      `Files for both directions need pairs of one IN and one OUT endpoint, but endpoints ${
        i + 1
      } and ${i + 2} have the same direction: reorder them`,
    );
  }
}

/** What is known while the lists are read. The first list that says anything decides for those that follow. */
class FunctionState {
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
    let current: { class: number; subclass: number } | undefined;
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

const FIXED_LENGTHS: Readonly<Record<number, readonly number[]>> = {
  [DescriptorType.INTERFACE]: [INTERFACE_LENGTH],
  [DescriptorType.ENDPOINT]: [ENDPOINT_LENGTH, AUDIO_ENDPOINT_LENGTH],
  [DescriptorType.OTG]: [OTG_LENGTH],
  [DescriptorType.INTERFACE_ASSOCIATION]: [ASSOCIATION_LENGTH],
  [DescriptorType.SUPERSPEED_ENDPOINT_COMPANION]: [COMPANION_LENGTH],
};

function takeDescriptor(
  cursor: BlockCursor,
  path: string,
  current: { class: number; subclass: number } | undefined,
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
    const lengths = FIXED_LENGTHS[type];
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
  current: { readonly class: number; readonly subclass: number },
  kernel: KernelVersion | undefined,
): boolean {
  if (functionalLength(current) === undefined) return false;
  const isDfu = current.class === 0xfe && current.subclass === SUBCLASS_DFU;
  return !isDfu || kernelHas(kernel, KERNEL_FEATURES.dfu);
}
