/**
 * What a command of the command line is.
 *
 * @module
 */

/** What a command prints, and how it ends. */
export interface Answer {
  readonly text: string;
  readonly json: unknown;
  /** The exit code. */
  readonly code: number;
  /** Whether the process then goes on until a signal ends it. */
  readonly stays?: boolean;
  /** Ends what goes on, if {@linkcode Command.handlesSignals}. */
  readonly end?: () => Promise<void>;
}

/** Prints a line of a command that goes on: its text, or its JSON in one line. */
export type Emit = (text: string, json: unknown) => void;

/** The options that were given: texts and flags. */
export type GivenOptions = Readonly<
  Record<string, string | boolean | undefined>
>;

/** An option of a command, apart from `--json` and `--help`. */
export interface CommandOption {
  /** What it does, in a few words. */
  readonly summary: string;
  /** What its value is called; a flag has none. */
  readonly value?: string;
}

/** What a command is applied to. */
export interface Operand {
  /** `FILE` is a gadget file, `NAME` a gadget. */
  readonly name: "FILE" | "NAME";
  /** `"?"` for at most one, `"*"` for any number; one by default. */
  readonly count?: "?" | "*";
}

/** A command. */
export interface Command {
  readonly summary: string;
  readonly operand?: Operand;
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** Whether SIGINT and SIGTERM end it in order. By default they end the process. */
  readonly handlesSignals?: boolean;
  run(
    operands: readonly string[],
    options: GivenOptions,
    emit: Emit,
  ): Answer | Promise<Answer>;
}

/** The commands by their names. */
export type Commands = Readonly<Record<string, Command>>;

/** How a command is written, with what it is applied to. */
export function formatUsage(name: string, { operand }: Command): string {
  if (operand === undefined) return name;
  const { name: word, count } = operand;
  const usage = { "?": `[${word}]`, "*": `[${word}...]`, "": word };
  return `${name} ${usage[count ?? ""]}`;
}
