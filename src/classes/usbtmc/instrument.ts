/**
 * Instruments that understand SCPI.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  OBJECT,
  TEXT,
} from "../../arguments/rules.ts";
import { Usbtmc } from "./function.ts";
import { DEVICE_RULES, type UsbtmcDeviceOptions } from "./options.ts";
import { ScpiError } from "./scpi/error.ts";
import {
  Interpreter,
  mandatoryCommands,
  type ScpiHandler,
} from "./scpi/interpreter.ts";
import { StatusModel } from "./scpi/status.ts";

/** The bit of the status byte for a response. */
const AVAILABLE = 0x10;

/**
 * Options of {@linkcode Instrument}.
 *
 * @category Devices
 */
export interface InstrumentOptions<N extends string = string>
  extends UsbtmcDeviceOptions<N> {
  /** The answer to `*IDN?`: manufacturer, model, serial number and version, with commas between them. */
  readonly identity: string;
  /**
   * Handlers by the patterns of their commands: `"MEASure:VOLTage?"` matches
   * `MEAS:VOLT?`, `:measure:volt?` and so on. Nodes in brackets are optional, as in
   * `"[SOURce]:VOLTage[:LEVel]"`, and `#` is a numeric suffix, as in `"OUTPut#"`.
   *
   * Every instrument has the commands that IEEE 488.2 and SCPI demand: `*CLS`,
   * `*ESE`, `*ESE?`, `*ESR?`, `*IDN?`, `*OPC`, `*OPC?`, `*RST`, `*SRE`, `*SRE?`,
   * `*STB?`, `*TST?`, `*WAI`, `SYSTem:ERRor?`, `SYSTem:ERRor:COUNt?`,
   * `SYSTem:VERSion?`; and `*TRG` with `onTrigger`. Handlers take precedence.
   */
  readonly commands: Readonly<Record<string, ScpiHandler>>;
  /** `*RST`: sets everything that commands change to its default. */
  readonly onReset?: () => void | Promise<void>;
}

/**
 * An instrument that is controlled with SCPI, the standard commands of test and
 * measurement devices: an {@linkcode Usbtmc} device with a table of commands. It
 * has the status registers of IEEE 488.2, an error queue of 32 entries, and
 * requests service as `*SRE` and `*ESE` say.
 *
 * A message of up to 16 MiB has any number of commands, separated by semicolons.
 * They are executed one after another. A command that is unknown or cannot be read
 * ends its message; one that fails does not.
 *
 * @example
 * ```ts
 * import { Instrument } from "@usb/gadget/usbtmc";
 * import { assertEquals } from "@std/assert";
 *
 * let volts = 0;
 * const supply = new Instrument({
 *   identity: "Example,Voltage source,1,0.1",
 *   commands: {
 *     "[SOURce]:VOLTage": (call) => {
 *       volts = call.number({ min: 0, max: 30 });
 *     },
 *     "[SOURce]:VOLTage?": () => volts,
 *   },
 *   onReset: () => {
 *     volts = 0;
 *   },
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [supply] });
 * assertEquals(supply.name, "usbtmc");
 * ```
 *
 * @category Devices
 */
export class Instrument<N extends string = "usbtmc"> extends Usbtmc<N> {
  readonly #status: StatusModel;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, one of the wrong type, or an invalid
   * pattern.
   */
  constructor(options: InstrumentOptions<N>) {
    const action = "make instrument";
    checkOptions(action, options, {
      ...DEVICE_RULES,
      identity: TEXT,
      commands: OBJECT,
      onReset: CALLBACK,
    }, ["identity", "commands"]);
    const { identity, commands, onReset = () => {}, ...device } = options;
    for (const [pattern, handler] of Object.entries(commands)) {
      checkArgument(action, `the handler of "${pattern}"`, handler, CALLBACK);
    }
    const { onTrigger } = device;
    const status = new StatusModel(() =>
      instrument.hasResponse ? AVAILABLE : 0
    );
    const interpreter = new Interpreter(
      [
        commands,
        mandatoryCommands(identity, status, onReset),
        onTrigger === undefined ? {} : { "*TRG": () => onTrigger() },
      ],
      status,
      (error) => instrument.report(error),
    );
    super({
      ...device,
      onMessage: (message) => interpreter.run(message),
      statusByte: () => status.byte,
    });
    // deno-lint-ignore no-this-alias -- what was made before `super`
    const instrument = this;
    this.#status = status;
    status.onService = () => this.requestService();
  }

  /**
   * Bits 0, 1, 3 and 7 of the status byte, which have the meaning that the
   * instrument gives them. To set one requests service if the host has enabled that
   * with `*SRE`.
   */
  get status(): number {
    return this.#status.own;
  }

  set status(bits: number) {
    checkArgument("set status", "the status", bits, STATUS);
    this.#status.own = bits;
  }

  /** Adds an error to the queue that the host reads with `SYSTem:ERRor?`. */
  fail(error: ScpiError): void {
    checkArgument("add error", "the error", error, SCPI_ERROR);
    this.#status.fail(error);
  }

  /** @ignore */
  protected override get isScpi(): boolean {
    return true;
  }

  /** @ignore */
  protected override onQueryError(kind: "interrupted" | "unterminated"): void {
    this.#status.fail(new ScpiError(kind === "interrupted" ? -410 : -420));
  }

  /** @ignore */
  protected override onAvailability(): void {
    this.#status.update();
  }
}

const STATUS = {
  expected: "a byte of the bits 0, 1, 3 and 7",
  accepts: (value: unknown) =>
    typeof value === "number" && (value & ~0x8b) === 0,
};

const SCPI_ERROR = {
  expected: "a ScpiError",
  accepts: (value: unknown) => value instanceof ScpiError,
};
