/**
 * A VM in which the tests of a run take their turns.
 *
 * @module
 */
import { VmError } from "../../vm/errors.ts";
import { quote } from "../../vm/guest/guest.ts";
import { isQemuFault } from "../../vm/guest/kernel_log.ts";
import type { SentError } from "./error.ts";
import { describeExit, plainError, withProblems } from "./failures.ts";
import type { Order, TestCall, TestFile } from "./messages.ts";
import { failureOf } from "./output.ts";
import { type TestVmOptions, VmConnection } from "./vm_connection.ts";

/** Milliseconds for a process to load its file, and to say why it ends. */
const START_MS = 300_000;
/** Milliseconds by which a test may exceed its own time. */
const GRACE_MS = 15_000;

/** The process that has loaded a test file. */
interface Agent {
  readonly file: TestFile;
  /** The id of its session of processes, once a test of it has begun. */
  process?: number;
  /** The last test that it was asked for. */
  lastId: number;
}

/** How a test went. */
export interface TestOutcome {
  readonly error?: SentError;
  /** Whether QEMU is to blame, and the test is to run again. */
  readonly isQemuFault?: boolean;
}

/** One VM. */
export class TestVm {
  readonly #vm: VmConnection;
  #agent: Agent | undefined;

  constructor(options: TestVmOptions) {
    this.#vm = new VmConnection(options);
  }

  /** Whether it has ended, for whatever reason. */
  get isGone(): boolean {
    return this.#vm.isGone;
  }

  /**
   * Runs a test of a file.
   *
   * @throws {VmError} If the VM cannot be booted.
   */
  async run(
    file: TestFile,
    call: TestCall,
    onOutput: (text: string) => void,
  ): Promise<TestOutcome> {
    await this.#vm.ready();
    const isPast = this.#agent && call.id <= this.#agent.lastId;
    if (isPast || this.#agent?.file !== file) await this.endAgent();
    this.#agent ??= await this.#startAgent(file);
    this.#vm.onOutput = onOutput;
    try {
      return await this.#run(this.#agent, call);
    } finally {
      this.#vm.onOutput = () => {};
    }
  }

  /** Ends the process that has loaded a file, in an orderly way. */
  async endAgent(): Promise<void> {
    if (this.#agent === undefined || this.isGone) return;
    await this.#order({ type: "end" });
    if (await this.#vm.next(GRACE_MS, "exit") === undefined) {
      await this.abandonAgent();
    }
    this.#agent = undefined;
  }

  /** Ends the process and all that it has started; the next test gets another one. */
  async abandonAgent(): Promise<void> {
    if (this.#agent === undefined || this.isGone) return;
    const { process } = this.#agent;
    this.#agent = undefined;
    // It has not come far enough to be known.
    if (process === undefined) return await this.stop();
    await this.#vm.kill(process);
    await this.#vm.next(GRACE_MS, "exit");
  }

  /** Ends the VM. */
  async stop(): Promise<void> {
    await this.#vm.stop();
  }

  async #run(agent: Agent, call: TestCall): Promise<TestOutcome> {
    const vm = this.#vm;
    agent.lastId = call.id;
    await this.#order({ type: "run", call });
    const begun = await vm.next(START_MS, "begin", "exit");
    if (begun?.type !== "begin") return await this.#failed(call, begun?.code);
    agent.process = begun.process;
    const time = call.timeout + GRACE_MS;
    const ended = await vm.next(time, "result", "exit");
    if (ended?.type !== "result") return await this.#failed(call, ended?.code);
    const { error, isAbandoned } = ended.result;
    await vm.logUpTo(`${vm.secret} ${call.id}`);
    const problems = vm.newProblems();
    if (isAbandoned) {
      await this.abandonAgent();
      return { error: withProblems(error, problems) };
    }
    const verdict = await vm.next(GRACE_MS, "verdict", "exit");
    if (verdict?.type !== "verdict") {
      const outcome = await this.#failed(call, verdict?.code);
      return { error: withProblems(error ?? outcome.error, problems) };
    }
    if (verdict.passed || error !== undefined) {
      return { error: withProblems(error, problems) };
    }
    // What a sanitizer has found stands in the report at the end.
    await this.endAgent();
    const leaks = failureOf(vm.output.report, vm.secret, call.id) ??
      `Deno reports:\n${vm.output.report}`;
    return { error: withProblems(plainError(leaks), problems) };
  }

  /**
   * Why a test has no result: its process has ended, the VM has, or neither.
   *
   * @param exitCode That of the process, if it has ended.
   */
  async #failed(call: TestCall, exitCode?: number): Promise<TestOutcome> {
    const vm = this.#vm;
    if (exitCode !== undefined) {
      this.#agent = undefined;
      // Deno's last line says no more than that it failed.
      const errors = (await vm.errors())
        .replace(/^error: Test failed$[^]*/m, "").trimEnd();
      const text = failureOf(vm.output.report, vm.secret) ??
        `${describeExit(exitCode)} before the test did${
          errors && `:\n${errors}`
        }`;
      return { error: withProblems(plainError(text), vm.newProblems()) };
    }
    if (this.isGone) return await this.#whyGone();
    const report = await vm.report();
    await this.abandonAgent();
    const text =
      `The test did not end within ${call.timeout} ms, and its event loop did not answer either`;
    return { error: plainError([text, ...report].join("\n")) };
  }

  async #whyGone(): Promise<TestOutcome> {
    const outcome = await this.#vm.ended;
    const problems = this.#vm.newProblems(outcome.log ?? []);
    const text = outcome instanceof VmError
      ? outcome.message
      : "The kernel of the VM died in this test";
    return {
      error: withProblems(plainError(text), problems),
      isQemuFault: isQemuFault(problems),
    };
  }

  async #startAgent(file: TestFile): Promise<Agent> {
    const command = [
      "setsid",
      Deno.execPath(),
      "test",
      "--allow-all",
      "--no-check",
      "--cached-only",
      "--no-prompt",
      `--filter=${this.#vm.secret}`,
      ...file.flags,
      file.url,
      ...(file.args.length > 0 ? ["--", ...file.args] : []),
    ];
    await this.#vm.start(`exec ${command.map(quote).join(" ")}`);
    return { file, lastId: -1 };
  }

  async #order(order: Order): Promise<void> {
    await this.#vm.write(JSON.stringify(order));
  }
}
