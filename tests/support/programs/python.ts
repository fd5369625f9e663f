/**
 * Python as the host of a device: its libraries are what many users have.
 *
 * @module
 */
import { TextLineStream } from "@std/streams/text-line-stream";

/** Where the runner installs libraries that Debian does not have. */
export const PYTHON_LIBRARIES = "/usr/local/lib/usb-gadget-tests/python";

/** What a program has thrown. */
export class PythonError extends Error {
  override name = "PythonError";
  readonly errno: number | null;

  constructor(message: string, errno: number | null) {
    super(message);
    this.errno = errno;
  }
}

/** A program that does what it is sent, step by step. */
export class Python implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #isKilled = false;

  /** Starts it, and executes a first step. */
  static async start(source: string): Promise<Python> {
    const python = new Python();
    await python.run(source);
    return python;
  }

  private constructor() {
    const { pathname } = new URL(".", import.meta.url);
    this.#process = new Deno.Command("/usr/bin/python3", {
      args: ["-B", `${pathname}evaluator.py`],
      env: { PYTHONPATH: `${pathname}:${PYTHON_LIBRARIES}` },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
    this.#errors = new Response(this.#process.stderr).text();
  }

  /**
   * Executes a step: statements, or an expression whose value is returned.
   *
   * @throws {PythonError} What it throws.
   */
  // deno-lint-ignore no-explicit-any -- JSON
  async run(source: string): Promise<any> {
    const line = `${JSON.stringify(source)}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const { value, done } = await this.#answers.read();
    if (done) {
      throw new Error(`Python has ended in ${source}: ${await this.#errors}`);
    }
    const answer = JSON.parse(value);
    if (answer.error === undefined) return answer.value;
    throw new PythonError(answer.error, answer.errno);
  }

  /** Executes a step that must fail; returns the error number. */
  async failure(source: string): Promise<number | null> {
    const error = await this.run(source).then(() => undefined, (it) => it);
    if (error instanceof PythonError) return error.errno;
    throw error ?? new Error(`${source} has not failed`);
  }

  /** Whether it waits for something else than its next step: in a call of a device. */
  get isInCall(): boolean {
    const path = `/proc/${this.#process.pid}/syscall`;
    const [call, firstArgument] = Deno.readTextFileSync(path).split(" ");
    return call.trim() !== "running" && firstArgument !== "0x0";
  }

  /** Kills it, whatever it does. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isKilled) return;
    await this.#input.close();
    await this.#process.status;
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#answers.cancel();
    await this.#errors;
    await this.#input.abort().catch(() => {});
  }
}
