/**
 * Traces of functions: each control request with its answer, each transfer,
 * each event, with times. `trace` of {@linkcode GadgetOptions} and
 * {@linkcode FunctionFsOptions} switches it on; without it, it costs nothing.
 *
 * @example Each transfer of a gadget, in a line
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { formatTrace } from "@usb/gadget/trace";
 *
 * await using gadget = await Gadget.start(definition, {
 *   trace: (record) => console.error(formatTrace(record)),
 * });
 * ```
 *
 * @module
 */
export { formatTrace } from "./format.ts";
export {
  type ControlTrace,
  type EventTrace,
  type TraceRecord,
  type TransferTrace,
} from "./record.ts";
