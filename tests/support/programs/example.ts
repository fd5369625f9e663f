/**
 * Runs an example as a user would: in a separate process, by default with
 * `--allow-ffi` and no other permission.
 *
 * @module
 */

const ROOT = new URL("../../../", import.meta.url);

/** A running example. */
export interface RunningExample extends AsyncDisposable {
  readonly process: Deno.ChildProcess;
  /** Ends it with a signal, and returns its status and its output. */
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

/** The environment variable with the address of an example that is one file. */
export function exampleVariable(name: string): string {
  return `GADGET_EXAMPLE_${name.toUpperCase().replace(/\W/g, "_")}`;
}

/** Starts `examples/NAME`. */
export function startExample(
  name: string,
  { args = [], permissions = ["--allow-ffi"] }: ExampleOptions = {},
): RunningExample {
  return startDeno(
    ...permissions,
    Deno.env.get(exampleVariable(name)) ??
      new URL(`examples/${name}`, ROOT).href,
    ...args,
  );
}

/** Runs a module of the project. The arguments are its permissions, its address, and its own. */
export function startDeno(...args: readonly string[]): RunningExample {
  return startProgram(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--cached-only",
      "--import-map=tests/import_map.json",
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
}

/** Starts any program, and collects its output. */
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
  let isEnded = false;
  const end = async (signal: Deno.Signal) => {
    isEnded = true;
    try {
      process.kill(signal);
    } catch {
      // It has already ended; its status shows how.
    }
    const status = await process.status;
    return { status, text: (await output).join("") };
  };
  return {
    process,
    end,
    async [Symbol.asyncDispose]() {
      if (isEnded) return;
      // The test may have failed before it wanted this.
      const { text } = await end("SIGKILL");
      if (text !== "") console.log(text);
    },
  };
}

/** Runs any program to its end, and returns its status and its output. */
export async function runProgram(
  program: string,
  options: Deno.CommandOptions,
): Promise<{ status: Deno.CommandStatus; text: string }> {
  await using running = startProgram(program, options);
  await running.process.status;
  return await running.end("SIGKILL");
}
