/**
 * The command line tool: in this process, because starting another one is slow in
 * emulation, or in one of its own, where a command goes on until a signal.
 *
 * @module
 */
import { main } from "../../../cli.ts";
import { type RunningExample, startDeno } from "./example.ts";

/** Runs `cli.ts`, and returns its output and its exit code. */
export async function runCli(
  ...args: string[]
): Promise<{ code: number; text: string }> {
  const { log, error } = console;
  let text = "";
  console.log = console.error = (line: string) => void (text += `${line}\n`);
  try {
    const code = await main(args);
    return { code, text };
  } finally {
    Object.assign(console, { log, error });
  }
}

/** Starts `cli.ts` with the permissions that it may need. */
export function startCli(...args: string[]): RunningExample {
  return startDeno("--allow-ffi", "--allow-read", "cli.ts", ...args);
}
