/**
 * Options of printers.
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  isWithin,
  LIST,
  LOCALIZED_TEXT,
  OBJECT,
  type Rule,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type { JobEndFinder } from "./end_mark.ts";
import type { PrintJob } from "./job.ts";

/**
 * Options of {@linkcode Printer}.
 *
 * The texts are those of the device ID (IEEE 1284), by which a host chooses its
 * driver: printable ASCII without `;`. Linux reads the first 1021 characters of a
 * device ID.
 *
 * @category Devices
 */
export interface PrinterOptions<N extends string = string> {
  /**
   * Prints a job. Called for each, one after another: while it runs, the host
   * waits with the next one. What it has not read when it returns or throws is
   * received and dropped.
   *
   * What it throws is an `"error"` event of the function, unless the job was cut.
   */
  readonly print: (job: PrintJob) => void | Promise<void>;
  /**
   * Milliseconds without data after which a job has ended, 1 or more. Time in which
   * the job is not read does not count.
   * @default {5000}
   */
  readonly idleMs?: number;
  /**
   * Makes what looks for the end of a job in its data, for each job; such as
   * {@linkcode endMark}. A job also ends after {@linkcode idleMs}.
   */
  readonly endOfJob?: () => JobEndFinder;
  /**
   * The name of the function in its gadget. Two of a kind need two names.
   * @default {"printer"}
   */
  readonly name?: N;
  /**
   * `iInterface`: the name of the interface.
   * @default {none}
   */
  readonly description?: LocalizedString;
  /**
   * `MFG`: the manufacturer.
   * @default {"Linux"}
   */
  readonly manufacturer?: string;
  /**
   * `MDL`: the model. CUPS and Windows show it with the manufacturer.
   * @default {"Printer"}
   */
  readonly model?: string;
  /**
   * `CMD`: the languages that the printer understands, such as `["PCL", "PS"]`.
   * @default {[]}
   */
  readonly commandSets?: readonly string[];
  /**
   * `SN`: the serial number. Hosts prefer the `serialNumber` of the gadget.
   * @default {none}
   */
  readonly serialNumber?: string;
  /**
   * Further keys of the device ID with their values, such as
   * `{ DES: "Example 3000", "1284.4DL": "4d,4e,1" }`.
   * @default {none}
   */
  readonly deviceIdFields?: Readonly<Record<string, string>>;
}

/** The longest time that a timer can wait. */
const MAX_IDLE = 0x7fff_ffff;

const IDLE: Rule = {
  expected: `an integer from 1 to ${MAX_IDLE}`,
  accepts: (value) => isWithin(value, 1, MAX_IDLE),
};

const OPTIONS: Rules<PrinterOptions> = {
  print: CALLBACK,
  idleMs: IDLE,
  endOfJob: CALLBACK,
  name: TEXT,
  description: LOCALIZED_TEXT,
  manufacturer: TEXT,
  model: TEXT,
  commandSets: LIST,
  serialNumber: TEXT,
  deviceIdFields: OBJECT,
};

/** Checks the options of a printer, but for what is in a device ID. */
export function checkPrinterOptions(options: PrinterOptions): void {
  checkOptions("make printer", options, OPTIONS, ["print"]);
}
