/**
 * Programs that serve a pair's file, and know only open, read and write.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { readTextFile } from "../../../ffi/file.ts";

/** A program that runs. */
export interface PairServer extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** Resolves with what it has printed and how it has ended. */
  readonly output: Promise<Deno.CommandOutput>;
  /** Resolves when it waits for the host in the kernel. */
  waits(): Promise<void>;
}

/** Starts a program, with what it is to read on its standard input. */
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
        // It has ended by itself.
      }
      await output;
    },
  };
}

/** The program of `pair_program.c`, on a file. */
export function startPairProgram(path: string): PairServer {
  const program = Deno.env.get("GADGET_PAIR_PROGRAM");
  if (program === undefined) {
    throw new Error("Cannot find pair_program: start tests by deno task");
  }
  return startServer(program, [path]);
}
