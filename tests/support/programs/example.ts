/**
 * Runs an example as its user would: in a process of its own, with
 * `--allow-ffi` and, by default, no other permission.
 *
 * @module
 */

/** A running example. */
export interface RunningExample extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** Ends it by a signal, and returns how it ended and what it wrote. */
  end(
    signal: Deno.Signal,
  ): Promise<{ status: Deno.CommandStatus; text: string }>;
}

/** How to start an example. */
export interface ExampleOptions {
  readonly args?: readonly string[];
  /** @default {["--allow-ffi"]} */
  readonly permissions?: readonly string[];
}

/** Starts `examples/NAME`. */
export function startExample(
  name: string,
  { args = [], permissions = ["--allow-ffi"] }: ExampleOptions = {},
): RunningExample {
  const root = new URL("../../../", import.meta.url);
  return startProgram(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--cached-only",
      "--import-map=tests/import_map.json",
      ...permissions,
      new URL(`examples/${name}`, root).href,
      ...args,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  });
}

/** Starts any program, and gathers what it writes. */
export function startProgram(
  program: string,
  options: Deno.CommandOptions,
): RunningExample {
  const process = new Deno.Command(program, {
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
  ]);
  const end = async (signal: Deno.Signal) => {
    try {
      process.kill(signal);
    } catch {
      // It has ended by itself; its status tells how.
    }
    const status = await process.status;
    return { status, text: (await output).join("") };
  };
  return {
    process,
    end,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}
