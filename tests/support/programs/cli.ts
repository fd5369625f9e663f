/**
 * The command line tool, run in this process, because starting another one is slow
 * in emulation.
 *
 * @module
 */
import { main } from "../../../cli.ts";

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
