/**
 * Transfers between an endpoint and memory that devices share: DMABUFs.
 * {@linkcode DmaBuffer} makes or takes over such memory, and `attach()` of an
 * endpoint takes it.
 *
 * @module
 */
export {
  DmaBuffer,
  type DmaBufferAccessOptions,
  type DmaBufferOptions,
} from "./buffer.ts";
export {
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./attachment.ts";
export { type DmabufSupport } from "./support.ts";
export { type CpuAccessMode } from "../../../ffi/dmabuf.ts";
