/**
 * One run of kernel tests: in a VM, or on this machine.
 *
 * @module
 */
import { terminalProgress } from "../vm/progress.ts";
import { VmError } from "../vm/errors.ts";
import { isQemuFault, runInVm } from "../vm/vm.ts";
import { type Counts, countTests, plainText } from "./counts.ts";
import { ROOT, testArguments } from "./deno_test.ts";
import type { MachineGroup } from "./machine.ts";
import { type Run, runEnvironment } from "./matrix.ts";

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

/** What Deno says of a test that takes long, after 1, 2, 4, 8, ... minutes. */
const LONG_TEST = /has been running for over \((\d+)m/g;
const LONGEST_MESSAGE = 100;

/** Passes output on, and keeps it to count the tests in it. */
class Tee {
  #text = "";
  /** The end of the text, in which a message can be that came in pieces. */
  #end = "";
  #longestTest = 0;
  readonly #decoder = new TextDecoder();
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  write(chunk: Uint8Array): Promise<void> {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.#text += text;
    this.#end = (this.#end + text).slice(-text.length - LONGEST_MESSAGE);
    for (const [, minutes] of plainText(this.#end).matchAll(LONG_TEST)) {
      this.#longestTest = Math.max(this.#longestTest, Number(minutes));
    }
    this.#output.write(chunk);
    return Promise.resolve();
  }

  get counts(): Counts {
    return countTests(this.#text);
  }

  /** The minutes that a test has taken so far, where Deno tells. */
  get longestTest(): number {
    return this.#longestTest;
  }
}

/** Runs tests in a VM. */
export async function runInGuest(
  test: TestRun,
  { arch, kernel, speed }: Run,
  output: Output,
  attempts = 3,
): Promise<Counts> {
  const request = test.request === "" ? "" : ` with ${test.request}`;
  output.say(
    `\nKernel tests on Linux ${kernel} at ${speed} speed, ${arch}${request}`,
  );
  const tee = new Tee(output);
  const hangs = new AbortController();
  const passOn = async (chunk: Uint8Array) => {
    await tee.write(chunk);
    if (tee.longestTest < test.longestTest) return;
    hangs.abort(
      new VmError(`A test takes longer than ${test.longestTest} minutes`),
    );
  };
  using progress = terminalProgress();
  const started = performance.now();
  const result = await runInVm({
    ...test.machine,
    command: ["deno", ...testArguments(test.files), ...test.extra],
    arch,
    kernel,
    speed,
    cwd: ROOT,
    env: { ...test.environment, ...runEnvironment({ arch, kernel, speed }) },
    timeout: test.timeout,
    progress,
    onStdout: passOn,
    onStderr: passOn,
    signal: hangs.signal,
  });
  for (const { title, lines } of result.problems) {
    output.say(`The kernel complained: ${title}\n${lines.join("\n")}`);
  }
  if (isQemuFault(result) && attempts > 1) {
    output.say("That is a fault of QEMU, not of the tests: once more");
    const run = { arch, kernel, speed };
    return await runInGuest(test, run, output, attempts - 1);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  output.say(`Linux ${result.release}, ${result.accelerator}, ${seconds} s`);
  return withExitCode(tee.counts, result.code, output);
}

/** Runs tests on this machine. */
export async function runHere(test: TestRun): Promise<Counts> {
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
  return withExitCode(tee.counts, (await child.status).code, liveOutput);
}

/** A run that failed without a failed test has failed all the same. */
function withExitCode(counts: Counts, code: number, output: Output): Counts {
  if (code !== 0 && counts.failed === 0) {
    output.say(`The run ended with exit code ${code}`);
    counts.failed++;
  }
  return counts;
}
