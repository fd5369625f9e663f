/**
 * `parseArgs()` of `@std/cli`, over `node:util`, for machines without JSR.
 *
 * Supports the options that this project uses, with the types of the original;
 * `tests/unit/adapters_test.ts` checks both. `string` or `boolean` is required,
 * because std's result is not typed without it.
 *
 * @module
 */
import { parseArgs as nodeParseArgs } from "node:util";

/** The options of `parseArgs()`, with the names in each list. */
export interface ParseOptions<
  B extends string,
  S extends string,
  C extends string,
  D extends Readonly<Record<string, unknown>>,
> {
  boolean?: readonly B[];
  string?: readonly S[];
  /** Names in the other lists that may be repeated. */
  collect?: readonly (C & (B | S))[];
  default?: D;
  unknown?: (arg: string) => unknown;
}

/** The result of `parseArgs()`. */
export type Args<
  B extends string,
  S extends string,
  C extends string,
  D extends Readonly<Record<string, unknown>>,
> =
  & Record<string, unknown>
  & { [K in Exclude<B, C>]: boolean }
  & { [K in Exclude<S, C | keyof D>]?: string }
  & { [K in Extract<S, keyof D>]: string }
  & { [K in Extract<S, C>]: string[] }
  & { _: (string | number)[] };

export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Readonly<Record<string, unknown>> = Record<never, never>,
>(
  args: string[],
  options: ParseOptions<B, S, C, D> = {},
): Args<B, S, C, D> {
  const string: readonly string[] = options.string ?? [];
  const boolean: readonly string[] = options.boolean ?? [];
  const collect: readonly string[] = options.collect ?? [];
  const known: Record<
    string,
    { type: "string" | "boolean"; multiple: boolean }
  > = {};
  for (const name of [...string, ...boolean]) {
    known[name] = {
      type: string.includes(name) ? "string" : "boolean",
      multiple: collect.includes(name),
    };
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
  const result: Record<string, unknown> = {
    ...options.default,
    ...values,
    _: positionals,
  };
  for (const name of collect) result[name] ??= [];
  for (const name of boolean) result[name] ??= false;
  return result as Args<B, S, C, D>;
}
