/**
 * Records of a trace in words.
 *
 * @module
 */
import { checkArgument, OBJECT } from "../../arguments/rules.ts";
import { describeRequest } from "../../usb/request.ts";
import { strerror } from "../../../ffi/errno.ts";
import type { ControlTrace, TraceRecord, TransferTrace } from "./record.ts";

/** Bytes of data that a line shows. */
const SHOWN = 16;

/**
 * Describes a record of a trace in one line: when, of which function, and what.
 * Of data it shows the number of bytes, and the first 16.
 *
 * @throws {TypeError} If the record is not an object.
 *
 * @example A trace on standard error
 * ```ts ignore
 * import { formatTrace } from "@usb/gadget/trace";
 *
 * await using gadget = await Gadget.start(definition, {
 *   trace: (record) => console.error(formatTrace(record)),
 * });
 * // 1042.118 disk: IN class request 0xfe to interface 0 (...): 1 byte 00, 0.21 ms
 * // 1043.502 disk: rx out: 31 of 512 bytes 55 53 42 43 ..., 12.40 ms
 * ```
 *
 * @category Trace
 */
export function formatTrace(record: TraceRecord): string {
  checkArgument("format trace", "the record", record, OBJECT);
  return `${record.time.toFixed(3)} ${record.function}: ${describe(record)}`;
}

function describe(record: TraceRecord): string {
  switch (record.type) {
    case "event":
      return record.event;
    case "control":
      return `${describeRequest(record.setup)}: ${describeAnswer(record)}, ${
        formatTime(record.duration)
      }`;
    case "transfer":
      return `${record.endpoint} ${record.direction}: ${
        describeTransfer(record)
      }, ${formatTime(record.duration)}`;
  }
}

function describeAnswer({ outcome, data }: ControlTrace): string {
  switch (outcome.type) {
    case "answered":
      return data.length === 0 ? "acknowledged" : describeData(data);
    case "stalled":
      return outcome.unhandled ? "stalled, unhandled" : "stalled";
    case "cancelled":
      return "cancelled by the host";
  }
}

function describeTransfer({ requested, data, errno }: TransferTrace): string {
  if (errno !== undefined) return strerror(errno);
  return data.length === requested
    ? describeData(data)
    : describeData(data, `${data.length} of ${requested}`);
}

function describeData(data: Uint8Array, count = `${data.length}`): string {
  const bytes = [...data.subarray(0, SHOWN)]
    .map((it) => it.toString(16).padStart(2, "0"));
  const rest = data.length > SHOWN ? ["..."] : [];
  const unit = count === "1" ? "byte" : "bytes";
  return [`${count} ${unit}`, ...bytes, ...rest].join(" ");
}

function formatTime(milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`;
}
