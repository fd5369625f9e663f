/**
 * `parseArgs()` of `@std/cli`, over `node:util`, for machines without JSR.
 *
 * Takes the options that this project uses: `string`, `boolean`, `collect`,
 * `default`, `alias`, `--` and `stopEarly`.
 *
 * @module
 */
import { parseArgs as nodeParseArgs } from "node:util";

export interface ParseOptions {
  string?: readonly string[];
  boolean?: readonly string[];
  collect?: readonly string[];
  alias?: Readonly<Record<string, string>>;
  default?: Readonly<Record<string, unknown>>;
  unknown?: (argument: string) => unknown;
}

// deno-lint-ignore no-explicit-any -- std's result is as loose
export type Args = Record<string, any> & { _: string[] };

export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  const { string = [], boolean = [], collect = [], alias = {} } = options;
  const known: Record<
    string,
    { type: "string" | "boolean"; multiple: boolean; short?: string }
  > = {};
  for (const name of [...string, ...boolean]) {
    known[name] = {
      type: string.includes(name) ? "string" : "boolean",
      multiple: collect.includes(name),
    };
  }
  for (const [short, name] of Object.entries(alias)) {
    if (short.length === 1 && known[name]) known[name].short = short;
  }
  const { values, positionals, tokens } = nodeParseArgs({
    args,
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option" && !(token.name in known)) {
      options.unknown?.(token.rawName);
    }
  }
  const result: Args = { ...options.default, ...values, _: positionals };
  for (const name of collect) result[name] ??= [];
  for (const name of boolean) result[name] ??= false;
  return result;
}
