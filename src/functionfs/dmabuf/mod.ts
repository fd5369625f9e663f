/**
 * DMABUFs: memory that device drivers share by a file descriptor, such as the
 * pictures of a camera or the samples of a converter. Attached to an endpoint,
 * a {@linkcode DmaBuffer} is sent or received without being copied.
 *
 * This takes Linux 6.9 and a device controller whose driver can scatter-gather:
 * `dmabufSupport()` of a function returns whether it works.
 *
 * @example Sends a buffer
 * ```ts ignore
 * import { DmaBuffer } from "@usb/gadget/dmabuf";
 *
 * const { source } = gadget.functions;
 * if (await source.dmabufSupport() === "yes") {
 *   await using buffer = DmaBuffer.allocate(65_536);
 *   await buffer.access("write", (bytes) => bytes.fill(0x55));
 *   const attachment = await source.endpoints.samples.attach(buffer);
 *   await attachment.transfer(buffer.size);
 * }
 * ```
 *
 * @module
 */
export { type CpuAccessMode } from "../../../ffi/dmabuf.ts";
export {
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./attachment.ts";
export {
  DmaBuffer,
  type DmaBufferAccessOptions,
  type DmaBufferOptions,
} from "./buffer.ts";
export { type DmabufSupport } from "./support.ts";
