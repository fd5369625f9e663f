/**
 * Numbers of the FunctionFS interface, as `linux/usb/functionfs.h` spells them.
 *
 * @module
 */

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
export const FUNCTIONFS_ENDPOINT_REVMAP = 0x6781;
export const FUNCTIONFS_ENDPOINT_DESC = 0x80096782;
/** Since Linux 7.3. */
export const FUNCTIONFS_ENDPOINT_ENABLE_ZLP = 0x40046786;

// Since Linux 6.9.
export const FUNCTIONFS_DMABUF_ATTACH = 0x40046783;
export const FUNCTIONFS_DMABUF_DETACH = 0x40046784;
export const FUNCTIONFS_DMABUF_TRANSFER = 0x40106785;
