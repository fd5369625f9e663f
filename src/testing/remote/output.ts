/**
 * Reads the standard output of agents: what tests write, their results, and
 * Deno's own report about them.
 *
 * @module
 */
import {
  agentName,
  beginMarker,
  endMarker,
  exitMarker,
  type TestResult,
} from "./messages.ts";

/** What an agent's process says by its output. */
export interface OutputEvents {
  /** A test begins, in this process. */
  onBegin(process: number): void;
  /** A test has written this. */
  onOutput(text: string): void;
  /** The function of the test has ended. */
  onResult(result: TestResult): void;
  /** Deno has decided about the test, sanitizers included. */
  onVerdict(id: number, passed: boolean): void;
  /** The process has ended. */
  onExit(code: number): void;
}

/** Characters of a test's output in which Deno's report may stand. */
const KEPT = 65_536;

// deno-lint-ignore no-control-regex -- what terminals understand
const ANSI = /\x1b\[[0-9;]*m/g;

/** Follows the output of one VM. */
export class AgentOutput {
  readonly #secret: string;
  readonly #events: OutputEvents;
  readonly #decoder = new TextDecoder();
  #text = "";
  #inTest = false;
  /** The end of what the test has written. */
  #shown = "";
  /** What Deno has written since the process began, and the test that runs. */
  #report = "";

  constructor(secret: string, events: OutputEvents) {
    this.#secret = secret;
    this.#events = events;
  }

  /**
   * What Deno has printed about the tests of the process, without colours. If it
   * ended in the middle of a test, that is in the output of the test.
   */
  get report(): string {
    return this.#report;
  }

  /** A new process begins. */
  begin(): void {
    this.#report = "";
    this.#inTest = false;
  }

  /** Takes what has come. */
  write(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    while (this.#inTest ? this.#readTest() : this.#readReport());
  }

  /** Passes on what a test writes. Returns whether there is more to read. */
  #readTest(): boolean {
    const marker = endMarker(this.#secret);
    const at = this.#text.indexOf(marker);
    const line = at < 0 ? -1 : this.#text.indexOf("\n", at);
    if (line >= 0) {
      this.#show(this.#text.slice(0, at));
      const json = this.#text.slice(at + marker.length, line);
      this.#text = this.#text.slice(line + 1);
      this.#inTest = false;
      this.#events.onResult(JSON.parse(json));
      return true;
    }
    // The process may end in the middle of a test; Deno also remarks on slow ones.
    const secret = this.#text.indexOf(this.#secret);
    if (at < 0 && secret >= 0) {
      const start = this.#text.lastIndexOf("\n", secret) + 1;
      const end = this.#text.indexOf("\n", secret);
      if (end < 0) return false;
      // The line of an exit begins after a line break that is not the test's.
      const isExit = this.#text.startsWith(exitMarker(this.#secret), start);
      this.#show(this.#text.slice(0, isExit ? Math.max(0, start - 1) : start));
      const remark = this.#text.slice(start, end);
      this.#text = this.#text.slice(end + 1);
      this.#readLine(remark);
      return true;
    }
    const length = at < 0 ? safeLength(this.#text, this.#secret) : at;
    this.#show(this.#text.slice(0, length));
    this.#text = this.#text.slice(length);
    return false;
  }

  /** Reads a line of Deno's report. */
  #readReport(): boolean {
    const end = this.#text.indexOf("\n");
    if (end < 0) return false;
    const line = this.#text.slice(0, end).replace(ANSI, "");
    this.#text = this.#text.slice(end + 1);
    this.#readLine(line);
    return true;
  }

  #readLine(line: string): void {
    const secret = this.#secret;
    if (line.startsWith(beginMarker(secret))) {
      this.#inTest = true;
      this.#shown = "";
      return this.#events.onBegin(Number(line.split(" ")[2]));
    }
    const exit = line.startsWith(exitMarker(secret))
      ? Number(line.split(" ")[2])
      : undefined;
    if (exit !== undefined) {
      if (this.#inTest) this.#report += this.#shown.replace(ANSI, "");
      this.#inTest = false;
      return this.#events.onExit(exit);
    }
    this.#report += `${line}\n`;
    const verdict = /^(\S+) (\d+) \.\.\. (ok|FAILED) /.exec(line);
    if (verdict?.[1] !== secret) return;
    this.#events.onVerdict(Number(verdict[2]), verdict[3] === "ok");
  }

  #show(text: string): void {
    if (text === "") return;
    this.#shown = (this.#shown + text).slice(-KEPT);
    this.#events.onOutput(text);
  }
}

/** How much of a text cannot belong to a marker that has not come whole. */
function safeLength(text: string, secret: string): number {
  const first = Math.max(0, text.length - secret.length + 1);
  for (let at = first; at < text.length; at++) {
    if (secret.startsWith(text.slice(at))) return at;
  }
  return text.length;
}

/**
 * What Deno reports about a test that failed although its function did not: of
 * its leaks, for instance; or else about the whole process.
 */
export function failureOf(
  report: string,
  secret: string,
  id?: number,
): string | undefined {
  const title = id === undefined
    ? /\(uncaught error\)$/
    : new RegExp(`^${agentName(secret, id)} => `);
  const lines = report.split("\n");
  const start = lines.findIndex((line) => title.test(line));
  if (start < 0) return undefined;
  const end = lines.findIndex((line, index) =>
    index > start && (line === "" || line.startsWith(secret))
  );
  const text = lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
  return text.replace(/^error: /, "");
}
