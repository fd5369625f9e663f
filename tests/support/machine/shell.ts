/**
 * Shell scripts in tests.
 *
 * @module
 */

/**
 * Runs a script that stops at the first failing command.
 *
 * @returns Its standard output.
 * @throws {Error} If it fails, with its output.
 */
export async function shell(script: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("sh", {
    args: ["-ec", script],
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  if (!success) throw new Error(decoder.decode(stderr) + text);
  return text;
}
