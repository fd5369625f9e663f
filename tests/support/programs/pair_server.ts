/**
 * Programs that serve a pair's file with open, read and write.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { readTextFile } from "../../../ffi/file.ts";

/** A running program. */
export interface PairServer extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** Resolves with its output and its status. */
  readonly output: Promise<Deno.CommandOutput>;
  /** Resolves when it waits in the kernel for the host. */
  waits(): Promise<void>;
}

/** Starts a program with data for its standard input. */
export function startServer(
  program: string,
  args: readonly string[],
  input?: Uint8Array,
): PairServer {
  const process = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    ReadableStream.from([input]).pipeTo(process.stdin).catch(() => {});
  }
  const output = process.output();
  return {
    process,
    output,
    async waits() {
      const stack = `/proc/${process.pid}/stack`;
      while (!readTextFile(stack).includes("ffs_epfile_io")) {
        await delay(5);
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has already ended.
      }
      await output;
    },
  };
}

/** Starts the program of `pair_program.c` on a file. */
export function startPairProgram(path: string): PairServer {
  const program = Deno.env.get("GADGET_PAIR_PROGRAM");
  if (program === undefined) {
    throw new Error("Cannot find pair_program: run the tests with deno task");
  }
  return startServer(program, [path]);
}
