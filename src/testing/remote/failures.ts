/**
 * Failures that no code has thrown: of the process, of the VM, of its kernel.
 *
 * @module
 */
import type { KernelProblem } from "../../vm/guest/kernel_log.ts";
import type { SentError } from "./error.ts";

/** A failure, and what the kernel has complained of meanwhile. */
export function withProblems(
  error: SentError | undefined,
  problems: readonly KernelProblem[],
): SentError | undefined {
  if (problems.length === 0) return error;
  const complaints = problems.map(({ title, lines }) =>
    `The kernel complained: ${title}\n${
      lines.map((line) => `  ${line}`).join("\n")
    }`
  ).join("\n");
  return error === undefined
    ? plainError(complaints)
    : { ...error, message: `${error.message}\n${complaints}` };
}

/** An error that was not thrown by code. */
export function plainError(message: string): SentError {
  return { name: "", message, frames: "" };
}

/** Signals that end a process without its doing, by their numbers. */
const SIGNALS: Readonly<Record<number, Deno.Signal>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

/** How a process ended, by the exit code that the shell gives it. */
export function describeExit(code: number): string {
  return code > 128
    ? `The process was ended by ${
      SIGNALS[code - 128] ?? `signal ${code - 128}`
    }`
    : `The process ended with exit code ${code}`;
}
