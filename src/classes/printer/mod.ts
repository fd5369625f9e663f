/**
 * Printers (1.1): their requests.
 *
 * @module
 */
export {
  PrinterRequest,
  type PrinterRequestOptions,
  printerRequests,
  type PrinterStatus,
} from "./requests.ts";
