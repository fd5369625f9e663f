/**
 * Errors that were thrown in another process, as if they had been thrown here.
 *
 * @module
 */

/** What is left of an error on its way. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** The lines of its stack below the message. */
  readonly frames: string;
  readonly code?: string;
  readonly cause?: SentError;
  readonly errors?: readonly SentError[];
}

/** Frames of Deno, and of the code that runs tests, are no help to who reads a stack. */
const OWN = /\(ext:|\/src\/testing\/(gadget_test|remote)\//;

/** Causes of causes are left out beyond this depth: they can be circular. */
const DEPTH = 8;

/** Describes what was thrown, an error or not. */
export function sendError(thrown: unknown, depth = DEPTH): SentError {
  if (!(thrown instanceof Error)) {
    const message = typeof thrown === "string" ? thrown : Deno.inspect(thrown);
    return { name: "", message, frames: "" };
  }
  const { name, message, stack = "", cause } = thrown;
  const { code, errors } = thrown as { code?: unknown; errors?: unknown };
  const frames = stack.split("\n").filter((line) =>
    /^ +at /.test(line) && !OWN.test(line)
  );
  return {
    // A message should say which class it was, as Deno's own report does.
    name: name === "Error" ? thrown.constructor.name : name,
    message,
    frames: frames.join("\n"),
    ...(typeof code === "string" && { code }),
    ...(cause !== undefined && depth > 0 &&
      { cause: sendError(cause, depth - 1) }),
    ...(Array.isArray(errors) && depth > 0 &&
      { errors: errors.map((each) => sendError(each, depth - 1)) }),
  };
}

/** Makes an error that Deno reports as it would have reported the one that was thrown. */
export function receiveError(sent: SentError): Error {
  const { name, message, frames, code, cause, errors } = sent;
  const options = cause === undefined
    ? undefined
    : { cause: receiveError(cause) };
  // Deno shows the text of the stack if there are no frames of this process.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const error = errors === undefined
      ? new Error(message, options)
      : new AggregateError(errors.map(receiveError), message, options);
    // Deno repeats lines of the stack that belong to the message. Without a
    // line below the first one, it would show a frame of its own.
    error.stack = `${name}\n${frames || "\n"}`;
    Object.defineProperty(error, "name", { value: name });
    return code === undefined ? error : Object.assign(error, { code });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
