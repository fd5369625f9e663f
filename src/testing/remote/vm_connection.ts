/**
 * A VM whose shell runs one command after the other, and what happens in it.
 *
 * @module
 */
import { HangError, VmError } from "../../vm/errors.ts";
import {
  type KernelProblem,
  parseKmsg,
  scanKernelLog,
} from "../../vm/guest/kernel_log.ts";
import type { Guest } from "../../vm/machine/session.ts";
import type { VmResult } from "../../vm/options.ts";
import type { Progress } from "../../vm/progress.ts";
import { runDialogue } from "../../vm/run.ts";
import {
  AGENT_VARIABLE,
  exitMarker,
  logMarker,
  type TestResult,
} from "./messages.ts";
import { AgentOutput } from "./output.ts";

/** Seconds from power-on to the first command. */
const BOOT_S = 180;
/** A VM that tests use ends with them, and not before. */
const FOREVER_S = 20 * 24 * 3600;
/** Milliseconds for what was said by another channel to come. */
const LOG_MS = 10_000;

/**
 * Runs each command that it reads, and says on both outputs how it ended. An
 * order for a process that has ended without reading it is no command.
 */
const SHELL = "while IFS= read -r line; do " +
  'case $line in "exec "*) ;; *) continue ;; esac; sh -c "$line"; code=$?; ' +
  'for to in 1 2; do printf "\\n%s exit %s\\n" "$0" $code >&$to; done; done';

/** What a VM is made from. */
export interface TestVmOptions {
  readonly kernel: string;
  readonly env: Readonly<Record<string, string>>;
  readonly shares: readonly string[];
  readonly progress: Progress;
}

/** What a command in the VM does. */
export type Happening =
  | { readonly type: "begin"; readonly process: number }
  | { readonly type: "result"; readonly result: TestResult }
  | { readonly type: "verdict"; readonly id: number; readonly passed: boolean }
  | { readonly type: "exit"; readonly code: number };

type HappeningOf<T> = Extract<Happening, { readonly type: T }>;

/** A VM that runs. */
export class VmConnection {
  /** What stands before all that agents say about tests. */
  readonly secret: string = crypto.randomUUID();
  readonly output: AgentOutput;
  /** Receives what a test writes. */
  onOutput: (text: string) => void = () => {};
  readonly #abort = new AbortController();
  readonly #ended: Promise<VmResult | VmError>;
  #guest: Guest | undefined;
  #isGone = false;
  #log = "";
  /** What the last command has printed on standard error. */
  #errors = "";
  #hasStarted = false;
  /** The first lines of complaints that were reported. */
  readonly #reported = new Set<string>();
  readonly #happenings: Happening[] = [];
  #wake: () => void = () => {};

  constructor(options: TestVmOptions) {
    const decoder = new TextDecoder();
    const happen = (happening: Happening) => {
      this.#happenings.push(happening);
      this.#wake();
    };
    this.output = new AgentOutput(this.secret, {
      onBegin: (process) => happen({ type: "begin", process }),
      onOutput: (text) => this.onOutput(text),
      onResult: (result) => happen({ type: "result", result }),
      onVerdict: (id, passed) => happen({ type: "verdict", id, passed }),
      onExit: (code) => happen({ type: "exit", code }),
    });
    let boot: ReturnType<typeof setTimeout> | undefined;
    this.#ended = runDialogue({
      kernel: options.kernel,
      command: ["sh", "-c", SHELL, this.secret],
      env: { ...options.env, [AGENT_VARIABLE]: this.secret },
      shares: options.shares,
      modules: ["usbmon"],
      timeout: FOREVER_S,
      progress: options.progress,
      signal: this.#abort.signal,
      onStdout: (chunk) => this.output.write(chunk),
      onStderr: (chunk) => {
        this.#errors += decoder.decode(chunk, { stream: true });
        this.#wake();
      },
    }, {
      onStart: () => {
        const error = new HangError(`The VM did not boot within ${BOOT_S} s`);
        boot = setTimeout(() => this.#abort.abort(error), BOOT_S * 1000);
      },
      onReady: (guest) => {
        clearTimeout(boot);
        this.#guest = guest;
        this.#wake();
      },
      onLog: (text) => {
        this.#log += text;
        this.#wake();
      },
    }).catch((error) => {
      if (error instanceof VmError) return error;
      throw error;
    });
    this.#ended.catch(() => {}).then(() => {
      clearTimeout(boot);
      this.#isGone = true;
      this.#wake();
    });
  }

  /** Whether it has ended, for whatever reason. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** How it ended; never, while it runs. */
  get ended(): Promise<VmResult | VmError> {
    return this.#ended;
  }

  /** What a command that has ended has printed on standard error: Deno, not its tests. */
  async errors(): Promise<string> {
    const end = exitMarker(this.secret);
    await this.#until(() => this.#errors.includes(end), LOG_MS);
    return this.#errors.split(end)[0];
  }

  /**
   * Waits until it can run commands. Fetching a kernel takes minutes.
   *
   * @throws {VmError} If it cannot be booted.
   */
  async ready(): Promise<void> {
    await this.#until(() => this.#guest !== undefined);
    if (!this.#isGone) return;
    const outcome = await this.#ended;
    if (outcome instanceof VmError) throw outcome;
    throw new VmError("The VM ended before a test began", { log: outcome.log });
  }

  /** Runs a command line when the one before has ended. */
  async start(command: string): Promise<void> {
    // The errors of the one before come by another channel than its end.
    if (this.#hasStarted) await this.errors();
    this.#hasStarted = true;
    this.output.begin();
    this.#errors = "";
    await this.write(command);
  }

  /** Writes a line to the command that runs. */
  async write(line: string): Promise<void> {
    this.#happenings.length = 0;
    await this.#guest!.input(`${line}\n`);
  }

  /** Kills a session of processes. */
  async kill(session: number): Promise<void> {
    await this.#guest!.kill(session);
  }

  /** Ends the VM. */
  async stop(): Promise<void> {
    this.#abort.abort(new VmError("The test run has ended"));
    await this.#ended.catch(() => {});
  }

  /**
   * Waits for the next event of one of these types. Returns undefined if it does
   * not come in time, or when the VM is gone.
   */
  async next<T extends Happening["type"]>(
    timeout: number,
    ...types: T[]
  ): Promise<HappeningOf<T> | undefined> {
    let found: HappeningOf<T> | undefined;
    await this.#until(() => {
      while (found === undefined && this.#happenings.length > 0) {
        const next = this.#happenings.shift()!;
        if (types.some((type) => type === next.type)) {
          found = next as HappeningOf<T>;
        }
      }
      return found !== undefined;
    }, timeout);
    return found;
  }

  /** Waits until the kernel's log has come up to a line with this tag. */
  async logUpTo(tag: string): Promise<void> {
    const line = `${logMarker(tag)}\n`;
    await this.#until(() => this.#log.includes(line), LOG_MS);
  }

  /** What the kernel has complained of since the last time. */
  newProblems(
    lines: readonly string[] = parseKmsg(this.#log),
  ): KernelProblem[] {
    const problems = scanKernelLog(lines)
      .filter((problem) => !this.#reported.has(problem.lines[0]));
    for (const { lines: [first] } of problems) this.#reported.add(first);
    return problems;
  }

  /** The processes of the VM and where they wait, and the end of its log. */
  async report(): Promise<string[]> {
    const tag = crypto.randomUUID();
    await this.#guest!.report(tag);
    await this.logUpTo(tag);
    const lines = parseKmsg(this.#log);
    const processes = lines.filter((line) =>
      line.includes("gadget-vm: process ") && !line.includes(SHELL.slice(0, 20))
    );
    const others = lines.filter((line) => !line.includes("gadget-vm: "));
    return [
      "Processes of the VM:",
      ...processes.map((line) =>
        line.replace(/.*gadget-vm: process /, "  process ")
      ),
      "Last lines of the kernel log:",
      ...others.slice(-15).map((line) => `  ${line}`),
    ];
  }

  /** Waits for a state that an event can bring, no longer than the VM runs. */
  async #until(isReached: () => boolean, timeout?: number): Promise<void> {
    const end = performance.now() + (timeout ?? Infinity);
    while (!isReached()) {
      const left = end - performance.now();
      if (left <= 0 || this.#isGone) return;
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(left)
          ? setTimeout(resolve, left)
          : undefined;
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
