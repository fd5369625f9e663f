/**
 * Reads how many tests have passed and failed out of what `deno test` prints.
 *
 * @module
 */

/** How many tests have passed and failed. */
export interface Counts {
  passed: number;
  failed: number;
}

/** A text without colours. */
export function plainText(text: string): string {
  // deno-lint-ignore no-control-regex -- what sets a colour begins with ESC
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}

/** Adds up the closing lines of all `deno test` runs in a text. */
export function countTests(text: string): Counts {
  const counts = { passed: 0, failed: 0 };
  for (const line of plainText(text).split("\n")) {
    const match = /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed/
      .exec(line);
    if (match === null) continue;
    counts.passed += Number(match[1]);
    counts.failed += Number(match[2]);
  }
  return counts;
}
