/**
 * A HID function with any report descriptor, which serves itself.
 *
 * @module
 */
import { checkBytes } from "../../arguments/bytes.ts";
import { checkOptions, SIGNAL } from "../../arguments/rules.ts";
import {
  interruptIn,
  interruptOut,
} from "../../definition/endpoint_builders.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import { hid } from "../../definition/functional_descriptor.ts";
import type { InEndpoint } from "../../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../../functionfs/endpoint/out_endpoint.ts";
import { SessionEndedError } from "../../functionfs/session.ts";
import type { Session } from "../../functionfs/sessions.ts";
import type { EndpointOptions } from "../../functionfs/transfer/options.ts";
import type { ControlHandler } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { ClassCode } from "../../usb/class_code.ts";
import { OneGadget } from "../one_gadget.ts";
import { HostReports } from "./host_reports.ts";
import { InputReports } from "./input_reports.ts";
import { FUNCTION_OPTIONS, type HidFunctionOptions } from "./options.ts";
import { ReportDescriptor } from "./report/descriptor.ts";
import type { ReportLayout } from "./report/report_layout.ts";
import type { ReportValues } from "./report/values.ts";
import { checkReportLength, reportBytes } from "./report_bytes.ts";
import { type HidReport, hidRequests } from "./requests.ts";

/** Bytes of the reports of the boot protocol (HID 1.11, appendix B). */
const BOOT_REPORTS = {
  keyboard: { protocol: 1, least: 8, most: 8 },
  mouse: { protocol: 2, least: 3, most: 8 },
} as const;

/** The endpoints of the one interface. */
interface HidEndpoints {
  readonly input: InEndpoint;
  readonly output?: OutEndpoint;
}

/**
 * A human interface device with any report descriptor. It stands in `functions`
 * of a gadget, and serves itself: it answers the class requests of HID 1.11, and
 * sends input reports again at the idle rate that the host has set. A reset
 * restores protocol and idle rate to their defaults.
 *
 * It serves one gadget at a time. Input reports wait until a host polls them,
 * which Linux does while a program has the device open.
 *
 * If the gadget has `remoteWakeup` and the host allows it, an input report
 * wakes a suspended host (see {@linkcode FunctionFs.wakeHost}).
 *
 * @example A dial with one axis
 * ```ts
 * import {
 *   collection,
 *   HidFunction,
 *   input,
 *   logicalRange,
 *   reportCount,
 *   reportDescriptor,
 *   reportSize,
 *   usage,
 *   usagePage,
 * } from "@usb/gadget/hid";
 * import { assertEquals } from "@std/assert";
 *
 * const dial = new HidFunction({
 *   name: "dial",
 *   reportDescriptor: reportDescriptor([
 *     usagePage("generic desktop"),
 *     usage("multi-axis controller"),
 *     collection("application", [
 *       usage("dial"),
 *       logicalRange(-127, 127),
 *       reportSize(8),
 *       reportCount(1),
 *       input({ relative: true }),
 *     ]),
 *   ]),
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [dial] });
 * // await dial.send({ dial: -3 });
 * assertEquals(dial.input().pack({ dial: -3 }), Uint8Array.of(0xfd));
 * ```
 *
 * @category Devices
 */
export class HidFunction<N extends string = string>
  implements UsbFunction<N, readonly InterfaceDefinition[]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [InterfaceDefinition];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (session: Session) => Promise<void>;
  readonly #descriptor: ReportDescriptor;
  readonly #options: HidFunctionOptions<N>;
  readonly #inputs: InputReports;
  readonly #hostReports: HostReports;
  #protocol: "boot" | "report" = "report";
  readonly #gadget = new OneGadget<Session>();

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   * @throws {ReportDescriptorError} If the bytes of the report descriptor are
   * not valid.
   */
  constructor(options: HidFunctionOptions<N>) {
    const action = "make HID function";
    checkOptions(action, options, FUNCTION_OPTIONS, ["reportDescriptor"]);
    const { reportDescriptor } = options;
    this.#options = options;
    this.#descriptor = reportDescriptor instanceof ReportDescriptor
      ? reportDescriptor
      : ReportDescriptor.decode(reportDescriptor);
    this.name = options.name ?? ("hid" as N);
    this.#inputs = new InputReports({
      longest: this.#longest("input"),
      greeting: this.#greeting(),
    });
    this.#hostReports = new HostReports(this.#descriptor, options);
    this.interfaces = [this.#interface()];
    this.control = controlRoutes(hidRequests({
      hasReport: (report, length) => this.#hostReports.accepts(report, length),
      getReport: (report) => this.#get(report),
      setReport: (report, data) => this.#hostReports.receive(report, data),
      onIdle: (milliseconds, id) => this.#inputs.setIdle(milliseconds, id),
      onProtocol: (protocol) => this.#changeProtocol(protocol),
    }));
    this.serve = (session) =>
      this.#gadget.serve(this.name, session, () => this.#serve(session));
  }

  /** The report descriptor. */
  get reportDescriptor(): ReportDescriptor {
    return this.#descriptor;
  }

  /** The protocol that the host has selected. */
  get protocol(): "boot" | "report" {
    return this.#protocol;
  }

  /**
   * The layout of an input report.
   *
   * @throws {RangeError} If there is no such report.
   */
  input(id = 0): ReportLayout {
    return this.#descriptor.report("input", id);
  }

  /**
   * Sends an input report, and resolves when the host has polled it. Reports go
   * in the order of the calls. Before a host has configured the device, the
   * report waits for it.
   *
   * @param report The report as bytes, its ID first if it has one; or the values
   * of the report without an ID, or of the only one. The bytes are copied.
   * @throws {TypeError} If a value is of the wrong type, or has no such name.
   * @throws {RangeError} If the bytes are not as many as the report has, there
   * is no report of this ID, or a value is out of range.
   * @throws {SessionEndedError} If the host goes before it has polled the report.
   * @throws The reason of the signal, if it is aborted.
   */
  async send(
    report: Uint8Array | ReportValues,
    options: EndpointOptions = {},
  ): Promise<void> {
    checkOptions("send report", options, { signal: SIGNAL });
    const { id, bytes } = this.#prepare("send report", report);
    await this.#inputs.send(id, bytes, options.signal);
  }

  /**
   * Sets the state of an input report. The newest state wins: it replaces one
   * that the host has not polled. A host that comes later gets it first, until
   * {@linkcode send} sends another report of the same ID.
   *
   * @param report As for {@linkcode send}.
   * @throws {TypeError} As {@linkcode send}.
   * @throws {RangeError} As {@linkcode send}.
   */
  update(report: Uint8Array | ReportValues): void {
    const { id, bytes } = this.#prepare("update report", report);
    this.#inputs.update(id, bytes);
  }

  /**
   * Sets a feature report, which the host reads when it likes.
   *
   * @param report As for {@linkcode send}.
   * @throws {TypeError} As {@linkcode send}.
   * @throws {RangeError} As {@linkcode send}.
   */
  setFeature(report: Uint8Array | ReportValues): void {
    const action = "set feature report";
    const { id, bytes } = reportBytes(
      action,
      this.#descriptor,
      "feature",
      report,
    );
    this.#hostReports.setFeature(id, bytes);
  }

  /** Reports an error that no caller awaits; see {@linkcode Session.report}. */
  protected report(error: unknown): void {
    const { session } = this.#gadget;
    if (session !== undefined) return session.report(error);
    console.error(`Function "${this.name}" failed to serve:`, error);
  }

  #interface(): InterfaceDefinition {
    const { boot, description, outputEndpoint, intervalMs = 1 } = this.#options;
    const settings = (longest: number) => ({
      intervalMs,
      maxPacketSize: Math.min(longest, 1024),
    });
    return {
      class: ClassCode.HID,
      subclass: boot === undefined ? 0 : 1,
      protocol: boot === undefined ? 0 : BOOT_REPORTS[boot].protocol,
      ...(description === undefined ? {} : { description }),
      descriptors: [hid({ report: this.#descriptor.bytes })],
      endpoints: {
        input: interruptIn(settings(this.#longest("input"))),
        ...(outputEndpoint
          ? { output: interruptOut(settings(this.#longest("output"))) }
          : {}),
      },
    };
  }

  /** The first report of a device that waits until its host has settled. */
  #greeting() {
    const { settleMs = 0 } = this.#options;
    const layout = this.#descriptor.reports.find(({ type }) =>
      type === "input"
    );
    if (settleMs === 0 || layout === undefined) return undefined;
    return { bytes: layout.pack({}), settleMs };
  }

  /** Bytes of the longest report of a type, at least 1. */
  #longest(type: HidReport["type"]): number {
    const boot = type === "input" && this.#options.boot ? 8 : 1;
    return this.#descriptor.reports.filter((each) => each.type === type)
      .reduce((most, { byteLength }) => Math.max(most, byteLength), boot);
  }

  async #serve(session: Session): Promise<void> {
    try {
      const endpoints = session.endpoints as unknown as HidEndpoints;
      if (endpoints.output) this.#receive(endpoints.output, session);
      await this.#inputs.serve(endpoints.input, session);
    } finally {
      this.#options.onSessionEnd?.(session.signal.reason);
    }
  }

  /** Receives output reports until the session ends. Never rejects. */
  async #receive(output: OutEndpoint, session: Session): Promise<void> {
    const longest = this.#longest("output");
    for (;;) {
      let data: Uint8Array<ArrayBuffer>;
      try {
        data = await output.read(longest);
      } catch (error) {
        if (!(error instanceof SessionEndedError)) session.report(error);
        return;
      }
      const id = this.#descriptor.usesIds ? data[0] : 0;
      const report: HidReport = { type: "output", id, interface: 0 };
      if (!this.#hostReports.accepts(report, data.byteLength)) continue;
      try {
        this.#hostReports.receive(report, data);
      } catch (error) {
        session.report(error);
      }
    }
  }

  #get(report: HidReport) {
    const { type, id } = report;
    const { boot } = this.#options;
    if (type !== "input") return this.#hostReports.get(report);
    if (boot && this.#protocol === "boot") {
      return this.#inputs.latest(0) ?? new Uint8Array(BOOT_REPORTS[boot].least);
    }
    return this.#inputs.latest(id) ?? this.#hostReports.get(report);
  }

  #changeProtocol(protocol: "boot" | "report"): void {
    if (protocol === this.#protocol) return;
    this.#protocol = protocol;
    this.#inputs.forget();
    this.#options.onProtocol?.(protocol);
  }

  #prepare(action: string, report: Uint8Array | ReportValues) {
    const { boot } = this.#options;
    if (this.#protocol === "report" || boot === undefined) {
      return reportBytes(action, this.#descriptor, "input", report);
    }
    const { least, most } = BOOT_REPORTS[boot];
    checkBytes(action, "the report", report);
    const bytes = new Uint8Array(report as Uint8Array);
    checkReportLength(action, bytes, least, most);
    return { id: 0, bytes };
  }
}
