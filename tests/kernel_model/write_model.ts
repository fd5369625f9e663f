/**
 * What FunctionFS does with the blocks that are written to ep0, step by step as in `f_fs.c` of Linux 6.1 to 7.3.
 *
 * The model accepts or refuses any bytes. It also takes the descriptors apart, for the rules that apply later.
 *
 * @module
 */

import { USB_DIR_IN } from "../../src/usb/endpoint_attributes.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../src/usb/speed.ts";
import {
  checkBlockLength,
  checkLengthField,
  KernelCursor,
  Refusal,
} from "./refusal.ts";
import {
  ALL_CTRL_RECIP,
  type BlockContext,
  CONFIG0_SETUP,
  DESCRIPTORS_MAGIC,
  DESCRIPTORS_MAGIC_V2,
  EVENTFD,
  HAS_FS_DESC,
  HAS_HS_DESC,
  HAS_MS_OS_DESC,
  HAS_SS_DESC,
  hex,
  isSince,
  type Kernel,
  RW_PROXY_EPS,
  VIRTUAL_ADDR,
} from "./kernel.ts";
import { type BlockDescriptor, FunctionState } from "./write_model_list.ts";
import {
  type OsFeatureDescriptor,
  walkOsDescriptors,
} from "./write_model_os.ts";

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

const KNOWN_FLAGS = HAS_FS_DESC | HAS_HS_DESC |
  HAS_SS_DESC | HAS_MS_OS_DESC |
  VIRTUAL_ADDR | EVENTFD | ALL_CTRL_RECIP |
  CONFIG0_SETUP;

/**
 * Does what FunctionFS does with a descriptors block.
 */
export function acceptDescriptors(
  bytes: Uint8Array,
  context: BlockContext = {},
): AcceptedDescriptors {
  const { kernel } = context;
  const path = "descriptors";
  checkBlockLength(bytes, path);
  const cursor = new KernelCursor(bytes);
  checkLengthField(cursor, path);
  const flags = takeFlags(cursor, kernel);
  const isV2 = bytes[0] === DESCRIPTORS_MAGIC_V2;
  const eventfd = flags & EVENTFD ? takeEventfd(cursor, context) : undefined;
  const counts = FUNCTION_SPEEDS.map((speed, index) =>
    flags & 1 << index ? cursor.u32(`${path}.${speed}.count`) : 0
  );
  const osCount = flags & HAS_MS_OS_DESC ? cursor.u32(`${path}.os.count`) : 0;
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
  if (isV2 && flags & RW_PROXY_EPS) checkProxies(state.addresses);
  const { lists, addresses, interfaceCount, stringCount } = state;
  return { flags, eventfd, lists, os, addresses, interfaceCount, stringCount };
}

function takeFlags(
  cursor: KernelCursor,
  kernel: Kernel | undefined,
): number {
  const magic = cursor.u32At(0);
  if (magic === DESCRIPTORS_MAGIC) {
    cursor.take(8);
    return HAS_FS_DESC | HAS_HS_DESC;
  }
  if (magic !== DESCRIPTORS_MAGIC_V2) {
    throw new Refusal(
      "magic",
      "descriptors.magic",
      `The block starts with ${magic}: a descriptors block starts with ${DESCRIPTORS_MAGIC_V2}`,
    );
  }
  const flags = cursor.u32At(8);
  const hasProxies = isSince(kernel, 7, 3);
  const known = KNOWN_FLAGS | (hasProxies ? RW_PROXY_EPS : 0);
  if (flags & ~known) {
    throw new Refusal(
      "flags",
      "descriptors.flags",
      flags & ~known & RW_PROXY_EPS
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

function takeEventfd(cursor: KernelCursor, { eventfd }: BlockContext): number {
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
