/**
 * Patterns of commands, such as `"[SOURce]:VOLTage[:LEVel]?"` (SCPI 1999.0, volume
 * 1, 6.2).
 *
 * @module
 */

const NODE = String.raw`[A-Z]+[a-z]*\d*_*[a-z]*#?`;
const NODES = `${NODE}(?::${NODE})*`;
const GROUP = String.raw`\[:?${NODES}:?\]`;
const PATTERN = new RegExp(
  String
    .raw`^(?:\*[A-Z]+|:?(?:${NODE}|${GROUP})(?::?(?:${NODE}|${GROUP}))*)\??$`,
);

/** Matches headers of commands. */
export class CommandPattern {
  readonly #expression: RegExp;

  /** @throws {TypeError} If it is no pattern. */
  constructor(pattern: string) {
    if (!PATTERN.test(pattern)) {
      throw new TypeError(
        `Cannot make instrument: pattern "${pattern}" must be a common command such as "*TST?", or nodes such as "[SOURce]:VOLTage?", whose short form is in capitals`,
      );
    }
    const isCommon = pattern.startsWith("*");
    const query = pattern.endsWith("?") ? "\\?" : "";
    const body = pattern.replace(/\?$/, "");
    const source = isCommon
      ? `\\${body}`
      : [...body.matchAll(/\[([^\]]*)\]|[^:\[\]]+/g)].map(([node, group]) =>
        group === undefined ? nodes(node) : `(?:${nodes(group)})?`
      ).join("");
    this.#expression = new RegExp(`^${source}${query}$`);
  }

  /**
   * Returns the numeric suffixes, if the header matches: one for each `#`, 1 where
   * the host has sent none.
   *
   * @param header In capitals; each node begins with a colon.
   */
  match(header: string): number[] | undefined {
    const found = this.#expression.exec(header);
    if (found === null) return undefined;
    return found.slice(1).map((digits) => digits ? Number(digits) : 1);
  }
}

function nodes(text: string): string {
  return text.split(":").filter((node) => node !== "").map(forms).join("");
}

/** The short and the long form of a node. */
function forms(node: string): string {
  const isNumbered = node.endsWith("#");
  const name = isNumbered ? node.slice(0, -1) : node;
  const short = name.replace(/[a-z]+/g, "");
  const long = name.toUpperCase();
  const suffix = isNumbered ? "(\\d*)" : "";
  return `:(?:${short}|${long})${suffix}`;
}

/** Whether a word is the short or the long form of a name, such as `"MINimum"`. */
export function isForm(word: string, name: string): boolean {
  const upper = word.toUpperCase();
  return upper === name.toUpperCase() || upper === name.replace(/[a-z]+/g, "");
}
