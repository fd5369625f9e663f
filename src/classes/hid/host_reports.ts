/**
 * The reports that a host sets and gets: output and feature reports.
 *
 * @module
 */
import { unhandled } from "../../usb/control.ts";
import type { HidFunctionOptions } from "./options.ts";
import type { ReportDescriptor } from "./report/descriptor.ts";
import type { ReportLayout } from "./report/report_layout.ts";
import type { HidReport } from "./requests.ts";

/** What a host has set, or the program for it. */
export class HostReports {
  readonly #descriptor: ReportDescriptor;
  readonly #options: HidFunctionOptions;
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(descriptor: ReportDescriptor, options: HidFunctionOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
  }

  /** Whether the host may send a report: Windows sends all at the length of the longest. */
  accepts(report: HidReport, length: number): boolean {
    if (report.type === "input") return false;
    const layout = this.#layout(report);
    return layout !== undefined && length >= layout.byteLength;
  }

  /** Receives a report that was accepted. Throws what the program's handler throws. */
  receive(report: HidReport, data: Uint8Array<ArrayBuffer>): void {
    const { type, id } = report;
    const layout = this.#descriptor.report(type, id);
    const bytes = data.slice(0, layout.byteLength);
    // The data of a control request may belong to another report than it says.
    if (this.#descriptor.usesIds && bytes[0] !== id) return;
    this.#values.set(keyOf(report), bytes);
    const { onOutput, onFeature } = this.#options;
    const handler = type === "output" ? onOutput : onFeature;
    handler?.({ id, bytes, values: layout.unpack(bytes) });
  }

  /** What the host gets: zeros, where nothing was set. */
  get(report: HidReport) {
    const layout = this.#layout(report);
    if (layout === undefined) return unhandled;
    const { type, id } = report;
    const { getFeature } = this.#options;
    if (type === "feature" && getFeature !== undefined) return getFeature(id);
    return this.#values.get(keyOf(report)) ?? layout.pack({});
  }

  setFeature(id: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#values.set(keyOf({ type: "feature", id }), bytes);
  }

  #layout({ type, id }: HidReport): ReportLayout | undefined {
    return this.#descriptor.reports.find((each) =>
      each.type === type && each.id === id
    );
  }
}

function keyOf({ type, id }: Pick<HidReport, "type" | "id">): string {
  return `${type} ${id}`;
}
