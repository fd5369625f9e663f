/**
 * The errors that a person is meant to read: one short message, and the exit
 * code by which a script knows what went wrong.
 *
 * @module
 */

/** The exit codes of the command line that are not the command's own. */
export const ExitCode = {
  /** The VM could not be prepared or started. */
  Failure: 1,
  /** The command line makes no sense. */
  Usage: 2,
  /** The guest's kernel complained, whatever the command said. */
  KernelLog: 3,
  /** The time limit was reached, as with `timeout`. */
  TimedOut: 124,
  /** The command's output has no reader, as with SIGPIPE in a shell. */
  BrokenPipe: 141,
} as const;

/**
 * The VM could not be started, or its command did not end. The message says why
 * and what to do; after a time limit also what the guest was doing.
 *
 * @category Virtual machine
 */
export class VmError extends Error {
  /** `"VmError"`. */
  override name = "VmError";
  /**
   * The exit code of the command line: 2 for a mistake in the options, 124 after
   * the time limit, else 1.
   */
  readonly exitCode: number;
  /** The guest's kernel log, line by line, if there was a guest. */
  readonly log?: readonly string[];

  /** For this package. */
  constructor(
    message: string,
    options: { cause?: unknown; exitCode?: number; log?: readonly string[] } =
      {},
  ) {
    super(message, options);
    this.exitCode = options.exitCode ?? ExitCode.Failure;
    this.log = options.log;
  }
}

/**
 * The command hangs: a reason to abort a run, of which the error that follows
 * also reports what the guest was doing.
 */
export class HangError extends VmError {}

/** A mistake in the arguments. */
export class UsageError extends VmError {
  override name = "UsageError";

  constructor(message: string) {
    super(message, { exitCode: ExitCode.Usage });
  }
}

/** Quotes values for a message: `"a", "b" and "c"`. */
export function list(values: readonly string[], join = "and"): string {
  const quoted = values.map((value) => `"${value}"`);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} ${join} ${last}`;
}
