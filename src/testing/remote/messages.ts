/**
 * What the three processes say to one another: the test run (client), the
 * keeper of its VMs, and the process that runs a test file in a VM (agent).
 *
 * @module
 */
import type { SentError } from "./error.ts";

/** A test file, as the keeper has to start it in a VM. */
export interface TestFile {
  /** The URL of its module. */
  readonly url: string;
  /** Options of `deno test` that matter to modules, and for the coverage. */
  readonly flags: readonly string[];
  /** The arguments of the program: `Deno.args`. */
  readonly args: readonly string[];
}

/** One test of the file. */
export interface TestCall {
  /** Its place among those that the file registers. */
  readonly id: number;
  readonly timeout: number;
  /** Kernel modules to load before. */
  readonly modules: readonly string[];
}

/** From the client to the keeper, a line of JSON each. */
export type Request =
  | { readonly type: "open"; readonly file: TestFile }
  | { readonly type: "run"; readonly kernel: string; readonly call: TestCall }
  | { readonly type: "close" };

/** From the keeper to the client. */
export type Reply =
  /** What the keeper does that takes long. */
  | { readonly type: "note"; readonly text: string }
  /** What the test has written to its output. */
  | { readonly type: "output"; readonly text: string }
  | { readonly type: "result"; readonly error?: SentError }
  | { readonly type: "closed" };

/** From the agent to the keeper, at the end of a test. */
export interface TestResult {
  readonly error?: SentError;
  /** Its time is over: something still runs, and the process must end. */
  readonly isAbandoned?: boolean;
}

/** From the keeper to the agent, a line of JSON each. */
export type Order =
  | { readonly type: "run"; readonly call: TestCall }
  | { readonly type: "end" };

/** The variable by which a process knows that it is an agent: the secret of its keeper. */
export const AGENT_VARIABLE = "USB_GADGET_TEST_AGENT";

/** The name of a test in the agent's process. */
export function agentName(secret: string, id: number): string {
  return `${secret} ${id}`;
}

/** What stands before the id of the agent's process, before a test's output. */
export function beginMarker(secret: string): string {
  return `${secret} begin `;
}

/** What stands before the result of a test. */
export function endMarker(secret: string): string {
  return `${secret} end `;
}

/** What stands before the exit code of a process that has ended. */
export function exitMarker(secret: string): string {
  return `${secret} exit `;
}

/** The line of the kernel's log that says that a test is over. */
export function logMarker(tag: string): string {
  return `gadget-vm: end ${tag}`;
}

/** Writes a message as a line of JSON. */
export async function writeMessage(
  connection: Deno.Conn,
  message: Request | Reply,
): Promise<void> {
  let rest = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  while (rest.length > 0) {
    rest = rest.subarray(await connection.write(rest));
  }
}

/** Splits a stream of text into lines of JSON. */
export async function* readMessages<T>(
  readable: ReadableStream<Uint8Array>,
): AsyncGenerator<T> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of readable) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
