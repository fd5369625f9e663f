/**
 * FunctionFS: functions of a USB device, and their endpoints.
 *
 * @module
 */
export { Endpoint, type TransferOptions } from "./endpoint.ts";
export { EndpointPair } from "./endpoint_pair.ts";
export {
  type EndpointObject,
  type EndpointObjects,
  FunctionFs,
  type FunctionFsOptions,
} from "./function_fs.ts";
export { InEndpoint } from "./in_endpoint.ts";
export type {
  ErrorEvent,
  FunctionEvent,
  FunctionState,
  LifeEvent,
} from "./lifecycle.ts";
export { OutEndpoint } from "./out_endpoint.ts";
