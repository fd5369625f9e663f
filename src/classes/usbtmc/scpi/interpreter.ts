/**
 * Executes messages of commands.
 *
 * @module
 */
import { MAX_COMMAND } from "../options.ts";
import type { UsbtmcMessage } from "../transport/message.ts";
import type { UsbtmcResponse } from "../transport/response.ts";
import { Answers, type ScpiAnswer } from "./answer.ts";
import { Call, type ScpiCall } from "./call.ts";
import { formatError, ScpiError } from "./error.ts";
import { type Unit, unitsOf } from "./parser.ts";
import { CommandPattern } from "./pattern.ts";
import { Event, type StatusModel } from "./status.ts";

/**
 * Executes a command, and returns the answer if it is a query. A {@linkcode
 * ScpiError} that it throws is for the host; for any other error, the host finds
 * -200, and it is an `"error"` event of the function, too.
 *
 * @category Devices
 */
export type ScpiHandler = (
  call: ScpiCall,
) => ScpiAnswer | Promise<ScpiAnswer>;

/** Handlers by the patterns of their commands. */
export type Commands = Readonly<Record<string, ScpiHandler>>;

/** A row of the table. */
interface Row {
  readonly pattern: CommandPattern;
  readonly handler: ScpiHandler;
}

/** Executes commands that are in a table. */
export class Interpreter {
  readonly #rows: readonly Row[];
  readonly #status: StatusModel;
  readonly #report: (error: unknown) => void;

  /**
   * @param commands Those in front take precedence.
   * @param report Reports errors of the program.
   * @throws {TypeError} If a pattern is none.
   */
  constructor(
    commands: readonly Commands[],
    status: StatusModel,
    report: (error: unknown) => void,
  ) {
    this.#rows = commands.flatMap((table) =>
      Object.entries(table).map(([pattern, handler]) => ({
        pattern: new CommandPattern(pattern),
        handler,
      }))
    );
    this.#status = status;
    this.#report = report;
  }

  /** Executes a message; returns the answers to its queries. */
  async run(message: UsbtmcMessage): Promise<UsbtmcResponse | undefined> {
    const answers = new Answers();
    try {
      const bytes = await message.bytes(MAX_COMMAND).catch((error) => {
        throw error instanceof RangeError ? new ScpiError(-223) : error;
      });
      for (const unit of unitsOf(bytes)) {
        message.signal.throwIfAborted();
        await this.#execute(unit, answers, message.signal);
      }
    } catch (error) {
      message.signal.throwIfAborted();
      this.#fail(error);
    }
    return answers.response;
  }

  async #execute(
    { header, parameters }: Unit,
    answers: Answers,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { pattern, handler } of this.#rows) {
      const suffixes = pattern.match(header);
      if (suffixes === undefined) continue;
      const call = new Call(header, suffixes, parameters, signal);
      try {
        const answer = await handler(call);
        if (call.remaining > 0) throw new ScpiError(-108);
        answers.add(answer);
      } catch (error) {
        signal.throwIfAborted();
        this.#fail(error);
      }
      return;
    }
    // What follows could be relative to it.
    throw new ScpiError(-113, header);
  }

  #fail(error: unknown): void {
    if (error instanceof ScpiError) return this.#status.fail(error);
    this.#status.fail(new ScpiError(-200));
    this.#report(error);
  }
}

/** The commands that every instrument has (IEEE 488.2, 10; SCPI 1999.0, volume 1, 4.2.1). */
export function mandatoryCommands(
  identity: string,
  status: StatusModel,
  reset: () => void | Promise<void>,
): Commands {
  const mask = { min: 0, max: 255 };
  return {
    "*CLS": () => status.clear(),
    "*ESE": (call) => void (status.eventEnable = call.number(mask)),
    "*ESE?": () => status.eventEnable,
    "*ESR?": () => status.takeEvents(),
    "*IDN?": () => identity,
    // Commands are executed one after another.
    "*OPC": () => status.record(Event.OPERATION_COMPLETE),
    "*OPC?": () => true,
    "*RST": reset,
    "*SRE": (call) => void (status.serviceEnable = call.number(mask)),
    "*SRE?": () => status.serviceEnable,
    "*STB?": () => status.byteWithSummary,
    "*TST?": () => 0,
    "*WAI": () => {},
    "SYSTem:ERRor[:NEXT]?": () => formatError(status.takeError()),
    "SYSTem:ERRor:COUNt?": () => status.errorCount,
    "SYSTem:VERSion?": () => "1999.0",
  };
}
