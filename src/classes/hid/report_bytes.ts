/**
 * Reports that the program gives, as bytes or values, to the bytes of the bus.
 *
 * @module
 */
import type { ReportDescriptor } from "./report/descriptor.ts";
import type { ReportType } from "./report/report_layout.ts";
import type { ReportValues } from "./report/values.ts";

/** A report with its ID, which is also its first byte where IDs are used. */
export interface ReportBytes {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Packs values into the only report of a type, or copies the bytes of a report.
 *
 * @throws {TypeError} If there are several reports, or values are wrong.
 * @throws {RangeError} If there is no such report, or its length is wrong.
 */
export function reportBytes(
  action: string,
  descriptor: ReportDescriptor,
  type: ReportType,
  report: Uint8Array | ReportValues,
): ReportBytes {
  if (!(report instanceof Uint8Array)) {
    const layouts = descriptor.reports.filter((each) => each.type === type);
    if (layouts.length !== 1) {
      throw new TypeError(
        `Cannot ${action}: the report descriptor has ${layouts.length} ${type} reports; pack the values with reportDescriptor.report("${type}", id)`,
      );
    }
    const [layout] = layouts;
    return { id: layout.id, bytes: layout.pack(report) };
  }
  const bytes = new Uint8Array(report);
  const id = descriptor.usesIds ? bytes[0] ?? 0 : 0;
  const { byteLength } = descriptor.report(type, id);
  checkReportLength(action, bytes, byteLength, byteLength);
  return { id, bytes };
}

/** @throws {RangeError} If a report is too short or too long. */
export function checkReportLength(
  action: string,
  { byteLength }: Uint8Array,
  least: number,
  most: number,
): void {
  if (byteLength >= least && byteLength <= most) return;
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  throw new RangeError(
    `Cannot ${action}: it must have ${expected} bytes, has ${byteLength}`,
  );
}
