/**
 * Printers as a function of a gadget.
 *
 * @module
 */
import { checkOptions, FLAG, type Rules } from "../../arguments/rules.ts";
import { bulkPair } from "../../definition/endpoint_builders.ts";
import type { PairEndpointDefinition } from "../../definition/endpoint.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import type { Session } from "../../functionfs/sessions.ts";
import type { EndpointOptions } from "../../functionfs/transfer/options.ts";
import { ClassCode } from "../../usb/class_code.ts";
import type { ControlHandler } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import { deviceIdOf } from "./device_id.ts";
import { checkPrinterOptions, type PrinterOptions } from "./options.ts";
import { JobReceiver } from "./receiver.ts";
import { printerRequests, type PrinterStatus } from "./requests.ts";

const PRINTERS = 0x01;
const BIDIRECTIONAL = 0x02;
const IDLE_MS = 5000;

type PrinterFunction = UsbFunction<string, Printer["interfaces"]>;

/**
 * A printer: each job of a host is a stream. It stands in `functions` of a gadget,
 * and serves itself: Printing Devices 1.1, bidirectional.
 *
 * USB has no mark for the end of a job, and drivers send none: a short or
 * zero-length packet is the end of a transfer, of which a job has many, and
 * closing the printer on the host is not seen on the bus. So a job ends when
 * `endOfJob` finds its end in the data, or when no data comes for `idleMs`. One
 * that the host cuts fails: by a reset of the printer (SOFT_RESET), of the port,
 * or by an unplugged cable. What had come before it was read in any case.
 *
 * In a gadget with several functions it should be the first one, and the only
 * printer: hosts send GET_DEVICE_ID to the function with interface 0, and Linux
 * its SOFT_RESET to the first function that takes requests to others.
 *
 * @example
 * ```ts
 * import { Printer } from "@usb/gadget/printer";
 * import { fakeSession } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const jobs: string[] = [];
 * const printer = new Printer({
 *   manufacturer: "Example",
 *   model: "Ticker",
 *   commandSets: ["TXT"],
 *   idleMs: 10,
 *   async print({ readable }) {
 *     jobs.push(await new Response(readable).text());
 *   },
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [printer] });
 *
 * using session = fakeSession(printer);
 * const served = session.serve();
 * const { link } = session.endpoints;
 * await session.host.write(link, new TextEncoder().encode("Hello\n"));
 * while (jobs.length === 0) await new Promise((done) => setTimeout(done, 1));
 * assertEquals(jobs, ["Hello\n"]);
 * session.end();
 * await served;
 * ```
 *
 * @category Devices
 */
export class Printer<N extends string = "printer">
  implements UsbFunction<N, Printer["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [
    InterfaceDefinition & {
      readonly endpoints: { readonly link: PairEndpointDefinition<"bulk"> };
    },
  ];
  /** @ignore Linux sends SOFT_RESET to the recipient "other", as version 1.0 says. */
  readonly allControlRecipients = true;
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (
    session: Session<UsbFunction<string, Printer["interfaces"]>>,
  ) => Promise<void>;
  readonly #receiver: JobReceiver;
  readonly #gadget = new OneGadget<Session<PrinterFunction>>();
  #status = READY;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, one of the wrong type, or a text
   * that a device ID cannot have.
   * @throws {RangeError} If the device ID has more than 4094 characters.
   */
  constructor(options: PrinterOptions<N>) {
    checkPrinterOptions(options);
    const { print, idleMs = IDLE_MS, endOfJob, description } = options;
    this.name = options.name ?? ("printer" as N);
    this.#receiver = new JobReceiver({ print, idleMs, endOfJob });
    this.interfaces = [{
      class: ClassCode.PRINTER,
      subclass: PRINTERS,
      protocol: BIDIRECTIONAL,
      endpoints: { link: bulkPair() },
      ...(description === undefined ? {} : { description }),
    }];
    this.control = controlRoutes(printerRequests({
      deviceId: deviceIdOf({
        manufacturer: options.manufacturer ?? "Linux",
        model: options.model ?? "Printer",
        commandSets: options.commandSets ?? [],
        serialNumber: options.serialNumber ?? "",
        others: options.deviceIdFields ?? {},
      }),
      portStatus: () => this.#status,
      reset: () => this.#receiver.reset(),
    }));
    this.serve = (session) =>
      this.#gadget.serve(
        this.name,
        session,
        () => this.#receiver.serve(session),
      );
  }

  /**
   * The state that the host reads with GET_PORT_STATUS: at first, a printer that is
   * ready. What a new value does not give has its default; `{}` is ready.
   *
   * It has no other effect: a printer without paper does not read its job on, and
   * the host waits.
   *
   * @throws {TypeError} If it is set to something else.
   */
  get status(): Required<PrinterStatus> {
    return this.#status;
  }

  set status(status: PrinterStatus) {
    checkOptions("set the status of the printer", status, STATUS);
    const { paperEmpty = false, selected = true, error = false } = status;
    this.#status = { paperEmpty, selected, error };
  }

  /**
   * Sends data to the host, such as the answer to a query or a message about the
   * state. Resolves when a program on the host has read it: CUPS does while it
   * prints, and `/dev/usb/lp0` while it is open.
   *
   * The data is one transfer, whose end the host sees: a zero-length packet follows
   * a last packet that is full.
   *
   * @throws {PrinterResetError} If the host resets the printer.
   * @throws {SessionEndedError} If the host goes.
   * @throws {AbortedTransferError} If the signal is aborted.
   * @throws {TypeError} If the data is not a `Uint8Array`, or no host is connected.
   */
  send(data: Uint8Array, options?: EndpointOptions): Promise<void> {
    return this.#receiver.send(data, options);
  }
}

const READY: Required<PrinterStatus> = {
  paperEmpty: false,
  selected: true,
  error: false,
};

const STATUS: Rules<PrinterStatus> = {
  paperEmpty: FLAG,
  selected: FLAG,
  error: FLAG,
};
