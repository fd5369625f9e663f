/**
 * A program that is told things by lines, and answers so.
 *
 * @module
 */
import { readLines } from "./lines.ts";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 60_000;

/** A running program. */
export class Program {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string, void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  private constructor(command: readonly string[]) {
    const [program, ...args] = command;
    this.#name = command.join(" ");
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = readLines(this.#child.stdout);
    this.#writer = this.#child.stdin.getWriter();
  }

  /** Starts a command. */
  static start(command: readonly string[]): Program {
    return new Program(command);
  }

  /** Tells it a line. */
  async say(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  /** What it says next. */
  async next(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`"${this.#name}" says nothing`));
      }, PATIENCE);
    });
    try {
      const { value } = await Promise.race([this.#lines.next(), late]);
      if (value === undefined) throw new Error(`"${this.#name}" has ended`);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for this answer. */
  async expect(answer: string): Promise<void> {
    const line = await this.next();
    if (line !== answer) {
      throw new Error(`"${this.#name}" says "${line}" in place of "${answer}"`);
    }
  }

  /**
   * Processor time of all its threads, also of those that have ended, in
   * seconds. The kernel tells it in hundredths.
   */
  cpuSeconds(): number {
    const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    // Behind the name, which may contain anything: state, and so on (proc(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Bytes of memory that it holds. */
  residentBytes(): number {
    const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(text)![1]);
  }

  /** Ends it as Ctrl+C does, which removes its gadgets. */
  async interrupt(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.end();
  }

  /** Ends it: first its input, then by force. */
  async end(): Promise<void> {
    await this.#writer.close().catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#lines.return();
  }
}
