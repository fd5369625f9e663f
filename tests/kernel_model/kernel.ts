/**
 * The numbers of Linux that the model goes by, copied from its sources and not
 * from the product: a wrong one there must not be wrong here as well.
 *
 * @module
 */

/** `linux/usb/functionfs.h`. */
export const DESCRIPTORS_MAGIC = 1;
export const STRINGS_MAGIC = 2;
export const DESCRIPTORS_MAGIC_V2 = 3;
export const HAS_FS_DESC = 1;
export const HAS_HS_DESC = 2;
export const HAS_SS_DESC = 4;
export const HAS_MS_OS_DESC = 8;
export const VIRTUAL_ADDR = 16;
export const EVENTFD = 32;
export const ALL_CTRL_RECIP = 64;
export const CONFIG0_SETUP = 128;
export const RW_PROXY_EPS = 256;

/** `f_fs.c`, `u_fs.h` and `composite.c`. */
export const MAX_ENDPOINTS = 30;
export const MAX_ALTERNATE_SETTING = 2;
export const MAX_CONFIGURATION_LENGTH = 4096;
export const MAX_STRING_BYTES = 126;
export const MAX_STRING_IDS = 254;

/** `wIndex` and lengths of Microsoft OS descriptors. */
export const EXTENDED_COMPAT_ID = 4;
export const EXTENDED_PROPERTIES = 5;
export const OS_HEADER_LENGTH = 11;
export const COMPAT_ID_LENGTH = 24;
export const PROPERTY_LENGTH = 14;

/** Every write starts with 16 bytes at least. */
export const MIN_BLOCK_LENGTH = 16;
/** What `memdup_user()` can allocate. */
export const MAX_BLOCK_LENGTH = 4 * 1024 * 1024;

export interface Kernel {
  readonly major: number;
  readonly minor: number;
}

/** Whether a kernel has at least this version. Without a kernel: the newest one. */
export function isSince(
  kernel: Kernel | undefined,
  major: number,
  minor: number,
): boolean {
  if (kernel === undefined || kernel.major > major) return true;
  return kernel.major === major && kernel.minor >= minor;
}

/** What the number in the eventfd field of a block is. */
export type EventfdState = "eventfd" | "closed" | "other";

/** A controller, as far as the model looks at it. */
export interface Controller {
  readonly name?: string;
  readonly maximumSpeed?: string;
  /** Its endpoints in the order in which the kernel tries them. */
  readonly endpoints?: readonly {
    readonly number?: number;
    readonly directions: readonly ("in" | "out")[];
    readonly types: readonly string[];
    readonly maxPacketSize?: number;
  }[];
}

/** Where blocks are written. */
export interface BlockContext {
  /** Without it, the newest one. */
  readonly kernel?: Kernel;
  readonly udc?: Controller;
  /** What the rest of the gadget uses. */
  readonly configuration?: {
    readonly interfaces?: number;
    readonly strings?: number;
    readonly bytes?: number;
  };
  /** Says what a file descriptor is. Without it, every number is an eventfd. */
  readonly eventfd?: (fd: number) => EventfdState;
}

export function hex(value: number, digits = 2): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
