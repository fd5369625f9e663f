/**
 * A gadget with a printer, which this machine has as its host.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Gadget, type UsbFunction } from "@usb/gadget";
import { Printer, type PrinterOptions } from "@usb/gadget/printer";
import { waitForNoDevice } from "../../../src/testing/usbfs/find.ts";
import { reportedErrors } from "../gadgets/reported_errors.ts";
import { type ImageFolder, makeImageFolder } from "../gadgets/storage_bench.ts";
import { runUsblp, waitForUsblp } from "../host/usblp.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";
import { JobRecord, type PrintedJob } from "./jobs.ts";

const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
} as const;

/** Longer than a program on a busy machine pauses within a job. */
const IDLE_MS = 700;

/** A running gadget. */
export class PrinterBench implements AsyncDisposable {
  readonly printer: Printer;
  readonly gadget: Gadget;
  /** Files of the host, in memory. */
  readonly folder: string;
  readonly #folder: ImageFolder;
  readonly #record: JobRecord;
  readonly #errors: readonly unknown[];
  #node = "";

  /**
   * Starts a gadget, and waits until usblp has the printer. By default, jobs are
   * read to their ends.
   *
   * @param others Functions after the printer.
   */
  static async start(
    options: Partial<PrinterOptions> = {},
    ...others: UsbFunction[]
  ): Promise<PrinterBench> {
    const folder = await makeImageFolder();
    const record = new JobRecord();
    const printer: Printer = new Printer({
      manufacturer: "Example",
      model: "Jet",
      commandSets: ["PCL", "PS"],
      idleMs: IDLE_MS,
      print: async (job) => void await record.print(job),
      ...options as Partial<PrinterOptions<"printer">>,
    });
    const gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      functions: [printer, ...others],
    });
    const bench = new PrinterBench(printer, gadget, folder, record);
    await bench.find();
    return bench;
  }

  /** Use {@linkcode start}. */
  private constructor(
    printer: Printer,
    gadget: Gadget,
    folder: ImageFolder,
    record: JobRecord,
  ) {
    this.printer = printer;
    this.gadget = gadget;
    this.folder = folder.path;
    this.#folder = folder;
    this.#record = record;
    this.#errors = reportedErrors(gadget.functions[printer.name].events).errors;
  }

  /** The file of the printer. */
  get node(): string {
    return this.#node;
  }

  get jobs(): readonly PrintedJob[] {
    return this.#record.jobs;
  }

  get texts(): readonly string[] {
    return this.#record.texts;
  }

  /** Waits until so many jobs are over. */
  async ended(count: number): Promise<void> {
    const isEnded = () => this.jobs.filter((it) => it.isOver).length >= count;
    await until(isEnded, `${count} jobs are over`);
  }

  /** Takes steps with the printer; see {@linkcode runUsblp}. */
  run(...steps: string[]): Promise<string[]> {
    return runUsblp(this.#node, ...steps);
  }

  /** Writes a file of the host, and returns its path. */
  async file(name: string, data: Uint8Array): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.writeFile(path, data);
    return path;
  }

  /** Pulls the cable. */
  async unplug(): Promise<void> {
    this.gadget.unbind();
    await waitForNoDevice(IDS);
  }

  /** Plugs it in again, and waits for the driver. */
  async plug(): Promise<void> {
    await this.gadget.bind();
    await this.find();
  }

  /** Waits for the driver, and its file. */
  async find(): Promise<void> {
    this.#node = await waitForUsblp(IDS);
  }

  /** @throws {Error} If the gadget has reported errors. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.gadget.stop();
    await waitForNoDevice(IDS);
    await this.#folder[Symbol.asyncDispose]();
    assertEquals(this.#errors, []);
  }
}
