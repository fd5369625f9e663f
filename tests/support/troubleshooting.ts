/**
 * The messages in docs/troubleshooting.md.
 *
 * @module
 */
import { assert, assertMatch } from "@std/assert";

const PAGE = new URL("../../docs/troubleshooting.md", import.meta.url);

/** The documented messages, by their titles. */
export async function documentedMessages(): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(PAGE);
  const sections = text.matchAll(/^### (.*)\n\n```text\n([^`]*)\n```$/gm);
  return new Map([...sections].map(([, title, message]) => [title, message]));
}

/**
 * Expects a message to be the documented one, in which `...` stands for any text.
 *
 * @param title The title of the message's section.
 */
export async function assertDocumented(
  title: string,
  message: string,
): Promise<void> {
  const documented = (await documentedMessages()).get(title);
  assert(documented !== undefined, `there is no section "${title}"`);
  const parts = documented.split("...").map((part) => RegExp.escape(part));
  assertMatch(message, new RegExp(parts.join("[^]*")));
}
