/**
 * What arguments and options have to be, where TypeScript does not run.
 *
 * @module
 */
import { describe } from "./describe.ts";
import { refuseUnknown } from "./known_names.ts";

/** What a value has to be. */
export interface Rule {
  /** In words, such as `"a boolean"`. */
  readonly expected: string;
  /** Whether a value is that. */
  readonly accepts: (value: unknown) => boolean;
}

/** A rule for each option that a call has. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule };

/** A boolean. */
export const FLAG: Rule = {
  expected: "a boolean",
  accepts: (value) => typeof value === "boolean",
};
/** A number; its range is checked elsewhere. */
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
/** An object, of which more is checked elsewhere. */
export const OBJECT: Rule = {
  expected: "an object",
  accepts: (value) => typeof value === "object" && value !== null,
};
/** An array, of which more is checked elsewhere. */
export const LIST: Rule = { expected: "an array", accepts: Array.isArray };
/** An `AbortSignal`. */
export const SIGNAL: Rule = {
  expected: "an AbortSignal",
  accepts: (value) => value instanceof AbortSignal,
};

/** One of several strings. */
export function oneOf(...values: readonly string[]): Rule {
  return {
    expected: values.map((value) => `"${value}"`).join(" or "),
    accepts: (value) => typeof value === "string" && values.includes(value),
  };
}

/**
 * Checks one argument.
 *
 * @param action What cannot be done otherwise, after "Cannot".
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
    `Cannot ${action}: ${what} must be ${rule.expected}, is ${describe(value)}`,
  );
}

/**
 * Checks a number that counts or numbers something.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no integer from 0 to `max`.
 */
export function checkInteger(
  action: string,
  what: string,
  value: unknown,
  max: number,
): void {
  checkArgument(action, what, value, NUMBER);
  const number = value as number;
  if (Number.isInteger(number) && number >= 0 && number <= max) return;
  throw new RangeError(
    `Cannot ${action}: ${what} must be an integer from 0 to ${max}, is ${number}`,
  );
}

/**
 * Checks the options of a call: an object with known names, in which what is
 * given and not `undefined` follows its rule.
 *
 * @param action What cannot be done otherwise, after "Cannot".
 * @param required What has to be given.
 * @throws {TypeError} If they are no object, or one is unknown or breaks its rule.
 */
export function checkOptions<T extends object>(
  action: string,
  options: T,
  rules: Rules<T>,
  required: readonly (keyof T & string)[] = [],
): void {
  checkArgument(action, "the options", options, OBJECT);
  refuseUnknown(action, options, rules);
  for (const name of Object.keys(rules) as (keyof T & string)[]) {
    const value = options[name];
    if (value === undefined && !required.includes(name)) continue;
    checkArgument(action, `"${name}"`, value, rules[name]);
  }
}
