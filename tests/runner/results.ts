/**
 * Reads how the tests went out of what `deno test` prints.
 *
 * @module
 */

/** How tests went. */
export interface Results {
  passed: number;
  failed: number;
  /** The tests that failed, and what else went wrong; each a line. */
  failures: string[];
}

/** A text without colours. */
export function plainText(text: string): string {
  // deno-lint-ignore no-control-regex -- what sets a colour begins with ESC
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}

/**
 * Adds up the closing lines of all `deno test` runs in a text, and gathers what
 * each lists under FAILURES.
 */
export function readResults(text: string): Results {
  const results: Results = { passed: 0, failed: 0, failures: [] };
  let listed: string[] | undefined;
  for (const line of plainText(text).split("\n").map((it) => it.trim())) {
    const closing =
      /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed/.exec(line);
    if (closing !== null) {
      results.passed += Number(closing[1]);
      results.failed += Number(closing[2]);
      results.failures.push(...listed ?? []);
      listed = undefined;
    } else if (line === "FAILURES") {
      listed = [];
    } else if (line !== "") {
      listed?.push(line);
    }
  }
  return results;
}

/** The longest list of failures that {@linkcode summary} prints in full. */
const MOST_FAILURES = 30;

/** The closing lines of all runs: what failed, and how many tests. */
export function summary({ passed, failed, failures }: Results): string {
  const shown = failures.slice(0, MOST_FAILURES);
  const more = failures.length - shown.length;
  return [
    ...(failures.length > 0 ? ["Failures:"] : []),
    ...shown.map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    `Kernel tests: ${passed} passed, ${failed} failed`,
  ].join("\n");
}
