/**
 * Checks of arguments and options, for callers that TypeScript does not check.
 *
 * @module
 */
import { nameRemedy } from "./known_names.ts";
import { show } from "./show.ts";

/** What a value has to be. */
export interface Rule {
  /** In words, such as `"a boolean"`. */
  readonly expected: string;
  /** Whether a value is that. */
  readonly accepts: (value: unknown) => boolean;
}

/** A rule for each option of a call. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule };

/** The names of all properties of a type: the compiler finds one that is missing, and one too many. */
export type NamesOf<T> = { readonly [K in keyof Required<T>]: unknown };

/** A boolean. */
export const FLAG: Rule = {
  expected: "a boolean",
  accepts: (value) => typeof value === "boolean",
};
/** A number, of any range. */
export const NUMBER: Rule = {
  expected: "a number",
  accepts: (value) => typeof value === "number",
};
/** A string. */
export const TEXT: Rule = {
  expected: "a string",
  accepts: (value) => typeof value === "string",
};
/** A function. */
export const CALLBACK: Rule = {
  expected: "a function",
  accepts: (value) => typeof value === "function",
};
/** An object, of any class. */
export const OBJECT: Rule = {
  expected: "an object",
  accepts: (value) => typeof value === "object" && value !== null,
};
/** A text for the host: one string, or one for each language. */
export const LOCALIZED_TEXT: Rule = {
  expected: "a string, or one for each language",
  accepts: (value) => TEXT.accepts(value) || OBJECT.accepts(value),
};
/** An array, of any elements. */
export const LIST: Rule = { expected: "an array", accepts: Array.isArray };
/** An `AbortSignal`. */
export const SIGNAL: Rule = {
  expected: "an AbortSignal",
  accepts: (value) => value instanceof AbortSignal,
};

/** One of several values. */
export function oneOf(...values: readonly unknown[]): Rule {
  return {
    expected: values.map(show).join(" or "),
    accepts: (value) => values.includes(value),
  };
}

/**
 * Whether a value is plain data: an object that is no array and no instance of
 * a class. Its prototype may be that of another realm.
 */
export function isPlain(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether a value is a whole number from `least` to `greatest`. */
export function isWithin(
  value: unknown,
  least: number,
  greatest: number,
): value is number {
  return Number.isInteger(value) && (value as number) >= least &&
    (value as number) <= greatest;
}

/**
 * Checks one argument.
 *
 * @param action What fails, after "Cannot".
 * @param what What the argument is, such as `"the name"`.
 * @throws {TypeError} If it breaks the rule.
 */
export function checkArgument(
  action: string,
  what: string,
  value: unknown,
  rule: Rule,
): void {
  if (rule.accepts(value)) return;
  throw new TypeError(
    `Cannot ${action}: ${what} must be ${rule.expected}, is ${show(value)}`,
  );
}

/**
 * Checks an index or a count.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer from 0 to `max`.
 */
export function checkInteger(
  action: string,
  what: string,
  value: unknown,
  max: number,
): void {
  checkArgument(action, what, value, NUMBER);
  if (isWithin(value, 0, max)) return;
  throw new RangeError(
    `Cannot ${action}: ${what} must be an integer from 0 to ${max}, is ${value}`,
  );
}

/**
 * Refuses options that no code reads.
 *
 * @throws {TypeError} For an option of another name, and for options that are not an object.
 */
export function refuseUnknown<T extends object>(
  action: string,
  options: T,
  names: NamesOf<T>,
): void {
  checkArgument(action, "the options", options, OBJECT);
  // Own properties only: options may inherit from anything.
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(names, name) || value === undefined) continue;
    throw new TypeError(
      `Cannot ${action}: there is no option ${JSON.stringify(name)}: ${
        nameRemedy(name, Object.keys(names))
      }`,
    );
  }
}

/**
 * Checks the options of a call: an object with known names, each of whose
 * values is `undefined` or follows its rule.
 *
 * @param required The options that must be given.
 * @throws {TypeError} If it is not an object, or an option is unknown or breaks its rule.
 */
export function checkOptions<T extends object>(
  action: string,
  options: T,
  rules: Rules<T>,
  required: readonly (keyof T & string)[] = [],
): void {
  refuseUnknown(action, options, rules);
  for (const name of Object.keys(rules) as (keyof T & string)[]) {
    const value = options[name];
    if (value === undefined && !required.includes(name)) continue;
    checkArgument(action, `"${name}"`, value, rules[name]);
  }
}

/**
 * Returns options over their defaults; `undefined` counts as not given.
 *
 * @throws {TypeError} For an option that has no default.
 */
export function withDefaults<T extends object>(
  action: string,
  options: T,
  defaults: Required<T>,
): Required<T> {
  refuseUnknown(action, options, defaults);
  const given = Object.entries(options).filter(([, it]) => it !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
