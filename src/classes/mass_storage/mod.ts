/**
 * Mass storage, Bulk-Only (1.0): its requests.
 *
 * @module
 */
export {
  MassStorageRequest,
  type MassStorageRequestOptions,
  massStorageRequests,
} from "./requests.ts";
