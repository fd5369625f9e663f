/**
 * The numbers of the FunctionFS descriptor and string blocks, as `linux/usb/functionfs.h` names them.
 *
 * @module
 */

/** First word of a legacy descriptors block, which has full and high speed only, and no flags. */
export const FUNCTIONFS_DESCRIPTORS_MAGIC = 1;
/** First word of a strings block. */
export const FUNCTIONFS_STRINGS_MAGIC = 2;
/** First word of a descriptors block. */
export const FUNCTIONFS_DESCRIPTORS_MAGIC_V2 = 3;

/** The block has full-speed descriptors. */
export const FUNCTIONFS_HAS_FS_DESC = 1;
/** The block has high-speed descriptors. */
export const FUNCTIONFS_HAS_HS_DESC = 2;
/** The block has super-speed descriptors. */
export const FUNCTIONFS_HAS_SS_DESC = 4;
/** The block has Microsoft OS descriptors. */
export const FUNCTIONFS_HAS_MS_OS_DESC = 8;
/** Endpoint files are named by the addresses in the block, and the host sees these addresses. */
export const FUNCTIONFS_VIRTUAL_ADDR = 16;
/** The block names an eventfd to signal. */
export const FUNCTIONFS_EVENTFD = 32;
/** This function also receives control requests to the device and to "other" recipients. */
export const FUNCTIONFS_ALL_CTRL_RECIP = 64;
/** This function also receives control requests while no configuration is set. */
export const FUNCTIONFS_CONFIG0_SETUP = 128;
/** Each IN and OUT pair gets a further file for both directions. Linux 7.3. */
export const FUNCTIONFS_RW_PROXY_EPS = 256;

/** Most endpoints of a function, without endpoint 0. */
export const MAX_ENDPOINTS = 30;
/** The highest alternate setting that FunctionFS accepts. */
export const MAX_ALTERNATE_SETTING = 2;
/** Most bytes of a whole configuration descriptor (`USB_COMP_EP0_BUFSIZ`). */
export const MAX_CONFIGURATION_LENGTH = 4096;
/** Most bytes of UTF-8 in one string; the kernel cuts longer ones (`USB_MAX_STRING_LEN`). */
export const MAX_STRING_BYTES = 126;
/** String identifiers of a gadget, for itself and all its functions. */
export const MAX_STRING_IDS = 254;
/** Most bytes of a function's name: configfs takes 39 for `ffs.NAME`. */
export const MAX_NAME_BYTES = 35;
