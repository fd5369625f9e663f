/**
 * USB devices in TypeScript: a program becomes a USB device on Linux.
 *
 * @module
 */
export * from "./src/usb/mod.ts";
export * from "./src/descriptors/mod.ts";
export * from "./src/functionfs/mod.ts";
export * from "./src/gadget/mod.ts";
export { SystemError, type SystemErrorFields } from "./ffi/errno.ts";
