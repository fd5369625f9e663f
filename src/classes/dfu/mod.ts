/**
 * Device Firmware Upgrade (DFU 1.1): its requests.
 *
 * @module
 */
export {
  DfuRequest,
  type DfuRequestOptions,
  dfuRequests,
  DfuState,
  type DfuStatus,
  DfuStatusCode,
} from "./requests.ts";
