/**
 * Collects problems.
 *
 * @module
 */

import type { Problem } from "./problem.ts";

/** Where problems go while a definition is validated. */
export class ProblemList {
  /** What was found so far, in the order of the definition. */
  readonly problems: Problem[] = [];

  /** FunctionFS would refuse the block. */
  write(rule: string, path: string, message: string): void {
    this.#add("write", rule, path, message);
  }

  /** The gadget could not be bound. */
  bind(rule: string, path: string, message: string): void {
    this.#add("bind", rule, path, message);
  }

  /** The host could not configure the gadget, or would not see what was meant. */
  configure(rule: string, path: string, message: string): void {
    this.#add("configure", rule, path, message);
  }

  /** The kernel would crash or misbehave. */
  hazard(rule: string, path: string, message: string): void {
    this.#add("hazard", rule, path, message);
  }

  /** Problems of a part, which is at a path of its own. */
  include(problems: readonly Problem[], path: string): void {
    for (const each of problems) {
      this.problems.push({
        ...each,
        path: each.path === "" ? path : `${path}.${each.path}`,
      });
    }
  }

  /**
   * Checks a whole number, and complains about it when it is out of range.
   *
   * @param value The value.
   * @param range The least and the greatest value.
   * @param path Where the value is.
   * @param what What the value is, in words.
   * @returns True when the value is fine.
   */
  range(
    value: unknown,
    [least, greatest]: readonly [number, number],
    path: string,
    what: string,
  ): value is number {
    if (isWithin(value, least, greatest)) return true;
    this.write(
      "range",
      path,
      `${what} is ${
        show(value)
      }: give a whole number from ${least} to ${greatest}`,
    );
    return false;
  }

  #add(
    stage: Problem["stage"],
    rule: string,
    path: string,
    message: string,
  ): void {
    this.problems.push({ path, rule, message, stage });
  }
}

/**
 * Whether a value is a whole number in a range.
 *
 * @param value The value.
 * @param least The least number.
 * @param greatest The greatest number.
 * @returns True for a whole number from least to greatest.
 */
export function isWithin(
  value: unknown,
  least: number,
  greatest: number,
): value is number {
  return Number.isInteger(value) && (value as number) >= least &&
    (value as number) <= greatest;
}

/**
 * A value as it appears in a message.
 *
 * @param value Anything.
 * @returns Text in quotes, other single values as they are, and what an object is.
 */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  const name = value.constructor?.name;
  if (typeof name !== "string" || name === "" || name === "Object") {
    return "an object";
  }
  return `an instance of ${name}`;
}

/**
 * A number as it appears in a message about addresses, types and versions.
 *
 * @param value The number.
 * @param digits How many digits at least.
 * @returns The number in hexadecimal.
 */
export function hex(value: number, digits = 2): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/**
 * Several values as they appear in a message.
 *
 * @param values Two or more values.
 * @returns The values with commas, and "or" before the last.
 */
export function choice(values: readonly (string | number)[]): string {
  const shown = values.map(show);
  return `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}

/**
 * A function as it appears in a message, whatever is wrong with it.
 *
 * @param definition Anything.
 * @returns Its name, if it has one.
 */
export function describeFunction(definition: unknown): string {
  const { name } = Object(definition) as { readonly name?: unknown };
  return typeof name === "string" ? `function ${show(name)}` : "function";
}
