/**
 * A printer with a host in memory.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { FunctionSpeed } from "@usb/gadget";
import {
  Printer,
  type PrinterOptions,
  PrinterRequest,
} from "@usb/gadget/printer";
import { fakeSession } from "@usb/gadget/testing";
import { outcomeOf } from "../gadgets/run_setup.ts";
import { JobRecord, type PrintedJob } from "./jobs.ts";

/** Short, as no host of these tests waits within a job. */
const IDLE_MS = 20;

/** A bench. */
export interface PrinterSession extends AsyncDisposable {
  readonly printer: Printer;
  readonly jobs: readonly PrintedJob[];
  /** The bytes of all jobs that have ended well, as text. */
  readonly texts: string[];
  /** Sends bytes or text to the printer. */
  send(data: Uint8Array | string, zlp?: "auto"): Promise<void>;
  /** Reads from the printer. */
  receive(length: number): Promise<Uint8Array>;
  /** SOFT_RESET, to the interface or as Linux does. */
  reset(recipient?: "interface" | "other"): Promise<void>;
  /** Errors that were reported: removed by the call. */
  takeReported(): unknown[];
  /** The host is gone. */
  unplug(): Promise<void>;
  /** Another host. */
  plug(): void;
}

/** Serves a printer to a host; by default, jobs are read to their ends. */
export function servePrinter(
  options: Partial<PrinterOptions> = {},
  speed: FunctionSpeed = "high",
): PrinterSession {
  const record = new JobRecord();
  const printer: Printer = new Printer({
    idleMs: IDLE_MS,
    print: async (job) => void await record.print(job),
    ...options as Partial<PrinterOptions<"printer">>,
  });
  const connect = () => {
    const session = fakeSession(printer, { speed });
    return { session, served: session.serve(), seen: 0 };
  };
  let now = connect();
  const takeReported = () => {
    const reported = now.session.reported.slice(now.seen);
    now.seen = now.session.reported.length;
    return reported;
  };
  const unplug = async () => {
    now.session.end();
    await now.served;
  };
  return {
    printer,
    jobs: record.jobs,
    get texts() {
      return record.texts;
    },
    async send(data, zlp) {
      const { host, endpoints } = now.session;
      const bytes = typeof data === "string"
        ? new TextEncoder().encode(data)
        : data;
      await host.write(endpoints.link, bytes, zlp === undefined ? {} : { zlp });
    },
    receive(length) {
      const { host, endpoints } = now.session;
      return host.read(endpoints.link, length);
    },
    async reset(recipient = "interface") {
      const outcome = await outcomeOf(printer.control, {
        type: "class",
        recipient,
        direction: "out",
        request: PrinterRequest.SOFT_RESET,
      });
      assertEquals(outcome, { taken: 0 });
    },
    takeReported,
    unplug,
    plug() {
      now = connect();
    },
    async [Symbol.asyncDispose]() {
      await unplug();
      assertEquals(takeReported(), []);
    },
  };
}
