/**
 * Shell scripts in tests.
 *
 * @module
 */

/**
 * Runs a script, which ends at the first command that fails.
 *
 * @returns What it wrote.
 * @throws {Error} If it failed, with all that it said.
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
