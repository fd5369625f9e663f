/**
 * FunctionFS: functions of a USB device, and their endpoints.
 *
 * @module
 */
export {
  type CpuAccessMode,
  DmaBuffer,
  type DmaBufferAccessOptions,
  type DmaBufferOptions,
} from "./dmabuf.ts";
export {
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./dmabuf_attachment.ts";
export type { DmabufSupport } from "./dmabuf_support.ts";
export { Endpoint } from "./endpoint.ts";
export type { EndpointOptions, TransferOptions } from "./endpoint_options.ts";
export { EndpointPair, type PairFile } from "./endpoint_pair.ts";
export type { EndpointObject, EndpointObjects } from "./endpoint_objects.ts";
export { FunctionFs } from "./function_fs.ts";
export type { FunctionFsOptions, InheritOptions } from "./function_options.ts";
export { InEndpoint, type WriteOptions } from "./in_endpoint.ts";
export type {
  DroppedEvent,
  ErrorEvent,
  FunctionEvent,
  FunctionState,
  LifeEvent,
} from "./lifecycle.ts";
export { OutEndpoint, type ReadOptions } from "./out_endpoint.ts";
export type { ReadableOptions } from "./readable_stream.ts";
export {
  AbortedTransferError,
  type TransferErrorFields,
} from "./transfer_error.ts";
export type { TransfersOptions } from "./transfers.ts";
export type { WritableOptions } from "./writable_stream.ts";
