/**
 * Runs other programs and turns their failures into messages.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { VmError } from "./errors.ts";

/** Options of {@linkcode run}. */
export interface ProcessOptions {
  cwd?: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** What the failure is called, in place of the program's name. */
  action?: string;
}

/** Runs a program to its end and returns what it wrote to standard output. */
export async function run(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { action = `run "${program}"`, env, ...rest } = options;
  const command = new Deno.Command(program, {
    ...rest,
    args: [...args],
    // Messages are searched for known causes, so they must be in English.
    env: { ...env, LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  let output: Deno.CommandOutput;
  try {
    output = await command.output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new VmError(`Cannot ${action}: program "${program}" is missing`, {
      cause,
    });
  }
  if (!output.success) {
    // Ctrl+C also reaches the program, which may end first.
    if (output.signal !== null || output.code > 128) await delay(100);
    options.signal?.throwIfAborted();
    const message = new TextDecoder().decode(output.stderr).trim();
    throw new VmError(
      `Cannot ${action}: ${
        message || `"${program}" ended with exit code ${output.code}`
      }`,
    );
  }
  return output.stdout;
}

/** Like {@linkcode run}, with the output as text. */
export async function runText(
  program: string,
  args: readonly string[],
  options?: ProcessOptions,
): Promise<string> {
  return new TextDecoder().decode(await run(program, args, options));
}

/** Finds a program in `PATH` and the system folders. */
export async function findProgram(name: string): Promise<string | undefined> {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...path, "/usr/sbin", "/sbin", "/usr/bin", "/bin"]) {
    if (folder === "") continue;
    const file = `${folder}/${name}`;
    const info = await Deno.stat(file).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return file;
  }
  return undefined;
}
