/**
 * The numbers of the FunctionFS interface, as `linux/usb/functionfs.h` names
 * them, and its limits.
 *
 * @module
 */

/** First word of a legacy block: full and high speed only, no flags. */
export const FUNCTIONFS_DESCRIPTORS_MAGIC = 1;
export const FUNCTIONFS_STRINGS_MAGIC = 2;
export const FUNCTIONFS_DESCRIPTORS_MAGIC_V2 = 3;

export const FUNCTIONFS_HAS_FS_DESC = 1;
export const FUNCTIONFS_HAS_HS_DESC = 2;
export const FUNCTIONFS_HAS_SS_DESC = 4;
export const FUNCTIONFS_HAS_MS_OS_DESC = 8;
/** Addresses in the block name the endpoint files, and are those on the bus. */
export const FUNCTIONFS_VIRTUAL_ADDR = 16;
/** The block names an eventfd to signal. */
export const FUNCTIONFS_EVENTFD = 32;
/** The function also gets control requests to the device and to "other". */
export const FUNCTIONFS_ALL_CTRL_RECIP = 64;
/** The function also gets control requests while no configuration is set. */
export const FUNCTIONFS_CONFIG0_SETUP = 128;
/** Each pair gets one more file, for both directions. Linux 7.3. */
export const FUNCTIONFS_RW_PROXY_EPS = 256;

/** Bytes of `struct usb_functionfs_event`: a setup packet, a type, padding. */
export const FUNCTIONFS_EVENT_SIZE = 12;
/** The kernel queues at most this many events. */
export const FUNCTIONFS_MAX_EVENTS = 4;

export const FUNCTIONFS_BIND = 0;
export const FUNCTIONFS_UNBIND = 1;
export const FUNCTIONFS_ENABLE = 2;
export const FUNCTIONFS_DISABLE = 3;
export const FUNCTIONFS_SETUP = 4;
export const FUNCTIONFS_SUSPEND = 5;
export const FUNCTIONFS_RESUME = 6;

export const FUNCTIONFS_FIFO_STATUS = 0x6701;
export const FUNCTIONFS_FIFO_FLUSH = 0x6702;
export const FUNCTIONFS_CLEAR_HALT = 0x6703;
export const FUNCTIONFS_INTERFACE_REVMAP = 0x6780;
export const FUNCTIONFS_ENDPOINT_DESC = 0x80096782;
/** Linux 7.3. */
export const FUNCTIONFS_ENDPOINT_ENABLE_ZLP = 0x40046786;
// Linux 6.9.
export const FUNCTIONFS_DMABUF_ATTACH = 0x40046783;
export const FUNCTIONFS_DMABUF_DETACH = 0x40046784;
export const FUNCTIONFS_DMABUF_TRANSFER = 0x40106785;

/** Endpoints that a function can have at most, endpoint 0 not counted. */
export const MAX_ENDPOINTS = 30;
/** The highest alternate setting that FunctionFS accepts. */
export const MAX_ALTERNATE_SETTING = 2;
/** Bytes of one whole configuration descriptor at most (`USB_COMP_EP0_BUFSIZ`). */
export const MAX_CONFIGURATION_LENGTH = 4096;
/** Bytes of UTF-8 in one string at most; the kernel cuts longer ones (`USB_MAX_STRING_LEN`). */
export const MAX_STRING_BYTES = 126;
/** String identifiers that a gadget has for all of its functions and itself. */
export const MAX_STRING_IDS = 254;
/** Bytes of a function's name at most: configfs takes 39 for `ffs.NAME`. */
export const MAX_NAME_BYTES = 35;
