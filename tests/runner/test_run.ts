/**
 * One run of kernel tests: in a VM, or on this machine.
 *
 * @module
 */
import { terminalProgress } from "../../src/vm/progress.ts";
import { HangError, VmError } from "../../src/vm/errors.ts";
import { runInVm } from "../../src/vm/run.ts";
import { ROOT, testArguments } from "./deno_test.ts";
import type { MachineGroup } from "./machine.ts";
import { type Run, runEnvironment } from "./matrix.ts";
import { plainText, readResults, type Results } from "./results.ts";

/** What is to run, wherever that is. */
export interface TestRun extends MachineGroup {
  readonly environment: Record<string, string>;
  /** Further arguments of `deno test`. */
  readonly extra: readonly string[];
  /** How long a VM may take, in seconds. */
  readonly timeout: number;
  /** How long one test in a VM may take, in minutes. */
  readonly longestTest: number;
}

/** Where the output of a run goes. */
export interface Output {
  write(chunk: Uint8Array): void;
  /** A line about the run. */
  say(line: string): void;
}

/** Runs that follow one another show their output as it comes. */
export const liveOutput: Output = {
  write(chunk) {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  },
  say: (line) => console.log(line),
};

/** Runs side by side show theirs when they are over. */
export class LateOutput implements Output {
  readonly #chunks: Uint8Array[] = [];

  write(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
  }

  say(line: string): void {
    this.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Shows all of it. */
  show(): void {
    for (const chunk of this.#chunks.splice(0)) liveOutput.write(chunk);
  }
}

/** What Deno prints about a slow test after 1, 2, 4, 8, ... minutes. */
const SLOW_TEST = /'([^\n]*)' has been running for over \((\d+)m/g;
const LONGEST_MESSAGE = 400;

/** Passes output on, and keeps it to read the results. */
class Tee {
  #text = "";
  /** The end of the text: a message can come in pieces. */
  #end = "";
  #slowest = { name: "", minutes: 0 };
  readonly #decoder = new TextDecoder();
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  write(chunk: Uint8Array): Promise<void> {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.#text += text;
    this.#end = (this.#end + text).slice(-text.length - LONGEST_MESSAGE);
    for (const [, name, time] of plainText(this.#end).matchAll(SLOW_TEST)) {
      const minutes = Number(time);
      if (minutes > this.#slowest.minutes) this.#slowest = { name, minutes };
    }
    this.#output.write(chunk);
    return Promise.resolve();
  }

  get results(): Results {
    return readResults(this.#text);
  }

  /** The test that has taken longest so far, of those that take minutes. */
  get slowest(): { readonly name: string; readonly minutes: number } {
    return this.#slowest;
  }
}

/** Where a run takes place, in words. */
function placeOf({ request }: TestRun, { arch, kernel, speed }: Run): string {
  const options = request === "" ? "" : ` with ${request}`;
  return `Linux ${kernel} at ${speed} speed, ${arch}${options}`;
}

/** Runs tests in a VM. If the VM fails, that counts as a failed test. */
export async function runInGuest(
  test: TestRun,
  run: Run,
  output: Output,
): Promise<Results> {
  const place = placeOf(test, run);
  output.say(`\nKernel tests on ${place}`);
  const { passed, failed, failures } = await resultsOf(test, run, output)
    .catch((error) => {
      if (!(error instanceof VmError)) throw error;
      output.say(`vm: ${error.message}`);
      const reason = error.message.split("\n")[0];
      return { passed: 0, failed: 1, failures: [`${reason}; no results`] };
    });
  return { passed, failed, failures: failures.map((it) => `${place}: ${it}`) };
}

async function resultsOf(
  test: TestRun,
  run: Run,
  output: Output,
  attempts = 3,
): Promise<Results> {
  const tee = new Tee(output);
  const hangs = new AbortController();
  const passOn = async (chunk: Uint8Array) => {
    await tee.write(chunk);
    const { name, minutes } = tee.slowest;
    if (minutes < test.longestTest) return;
    hangs.abort(
      new HangError(`A test takes longer than ${minutes} minutes: ${name}`),
    );
  };
  using progress = terminalProgress();
  const started = performance.now();
  const result = await runInVm({
    ...test.machine,
    command: ["deno", ...testArguments(test.files), ...test.extra],
    ...run,
    cwd: ROOT,
    env: { ...test.environment, ...runEnvironment(run) },
    timeout: test.timeout,
    progress,
    onStdout: passOn,
    onStderr: passOn,
    signal: hangs.signal,
  });
  for (const { title, lines } of result.problems) {
    output.say(`The kernel complained: ${title}\n${lines.join("\n")}`);
  }
  if (result.qemuFault && attempts > 1) {
    output.say("That is a fault of QEMU, not of the tests: once more");
    return await resultsOf(test, run, output, attempts - 1);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  output.say(`Linux ${result.release}, ${result.accelerator}, ${seconds} s`);
  const complaints = result.problems.map(({ title }) =>
    `The kernel complained: ${title}`
  );
  return withExitCode(tee.results, result.code, output, complaints);
}

/** Runs tests on this machine. */
export async function runHere(test: TestRun): Promise<Results> {
  const tee = new Tee(liveOutput);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...testArguments(test.files), ...test.extra],
    cwd: ROOT,
    env: test.environment,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const chunk of child.stdout) await tee.write(chunk);
  return withExitCode(tee.results, (await child.status).code, liveOutput);
}

/** Adds the failure of a run in which no test failed. */
function withExitCode(
  { passed, failed, failures }: Results,
  code: number,
  output: Output,
  complaints: readonly string[] = [],
): Results {
  if (code !== 0 && failed === 0) {
    const message = `The run ended with exit code ${code}`;
    output.say(message);
    const reasons = complaints.length > 0 ? complaints : [message];
    return { passed, failed: 1, failures: [...failures, ...reasons] };
  }
  return { passed, failed, failures: [...failures, ...complaints] };
}
