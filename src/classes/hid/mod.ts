/**
 * Human interface devices (HID 1.11): their requests.
 *
 * @module
 */
export {
  type HidReport,
  HidRequest,
  type HidRequestOptions,
  hidRequests,
} from "./requests.ts";
