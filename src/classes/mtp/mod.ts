/**
 * MTP and PTP, the still image class (1.0): its requests.
 *
 * @module
 */
export {
  StillImageRequest,
  type StillImageRequestOptions,
  stillImageRequests,
  type StillImageStatus,
} from "./requests.ts";
