/**
 * A program that is controlled by lines on its standard input and answers with
 * lines on its standard output.
 *
 * @module
 */
import { readLines } from "./lines.ts";

/** The maximum time for an answer, in milliseconds. */
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

  /** Sends a line. */
  async say(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Reads the next line. */
  async next(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`"${this.#name}" does not answer`));
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

  /** Waits for a specific answer. */
  async expect(answer: string): Promise<void> {
    const line = await this.next();
    if (line !== answer) {
      throw new Error(`"${this.#name}" answers "${line}", not "${answer}"`);
    }
  }

  /**
   * CPU time of all its threads, including those that have ended, in seconds.
   * The kernel reports it in hundredths.
   */
  cpuSeconds(): number {
    const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    // The fields after the name, which may contain anything (proc(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Its resident memory in bytes. */
  residentBytes(): number {
    const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(text)![1]);
  }

  /** Ends it like Ctrl+C, which removes its gadgets. */
  async interrupt(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.end();
  }

  /** Closes its standard input, and kills it if it does not end. */
  async end(): Promise<void> {
    await this.#writer.close().catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#lines.return();
  }
}
