/**
 * Shapes of plain data: what everything else counts on before it looks at values.
 *
 * @module
 */

import { nameRemedy } from "../arguments/known_names.ts";
import { type ProblemList, show } from "./problem_list.ts";

/**
 * Checks the shape of a value.
 *
 * @param list Where problems go.
 * @param value Anything.
 * @param path Where it is.
 * @returns False for a value that other rules cannot look at. A field that is not known is a problem, and no obstacle.
 */
export type Shape = (
  list: ProblemList,
  value: unknown,
  path: string,
) => boolean;

/** The shapes of all fields of a type. The compiler finds one that is missing, or too many. */
export type Fields<T> = { readonly [K in keyof Required<T>]: Shape };

/** Any value: other rules look at it. */
export const anything: Shape = () => true;

/** A value of one sort. */
export function value(wanted: string, fits: (it: unknown) => boolean): Shape {
  return (list, it, path) => {
    if (it === undefined || fits(it)) return true;
    list.write("shape", path, `${subject(path)} is ${show(it)}: ${wanted}`);
    return false;
  };
}

/** A number; whether it makes sense other rules say. */
export const number = value("give a number", (it) => typeof it === "number");

/** `true` or `false`. */
export const boolean = value(
  "give true or false",
  (it) => typeof it === "boolean",
);

/** Text. */
export const text = value("give text", (it) => typeof it === "string");

/** A function. */
export const handler = value(
  "give a function",
  (it) => typeof it === "function",
);

/** One of several values. */
export function oneOf(...values: readonly unknown[]): Shape {
  return value(
    `use ${values.map(show).join(" or ")}`,
    (it) => values.includes(it),
  );
}

/** An array. */
export function list(element: Shape, example: string): Shape {
  return (problems, it, path) => {
    if (it === undefined) return true;
    if (!Array.isArray(it)) {
      problems.write(
        "shape",
        path,
        `${subject(path)} is ${show(it)}: give an array, such as ${example}`,
      );
      return false;
    }
    let sound = true;
    // Not forEach(): an array with holes has elements that are missing.
    for (let index = 0; index < it.length; index++) {
      const at = `${path}[${index}]`;
      if (it[index] === undefined) {
        problems.write("shape", at, `${subject(at)} is missing: remove it`);
        sound = false;
      } else if (!element(problems, it[index], at)) {
        sound = false;
      }
    }
    return sound;
  };
}

/** An object with values of one shape, under names of all sorts. */
export function map(element: Shape, example: string): Shape {
  return (list, it, path) => {
    if (it === undefined) return true;
    if (!isPlain(it)) return noObject(list, it, path, example);
    let sound = true;
    for (const [name, each] of Object.entries(it)) {
      const at = memberPath(path, name);
      if (each === undefined) {
        list.write("shape", at, `${subject(at)} is undefined: remove it`);
        sound = false;
      } else if (!element(list, each, at)) {
        sound = false;
      }
    }
    return sound;
  };
}

/**
 * An object with certain fields.
 *
 * @param what What it is, such as `an interface`.
 * @param fields The shapes of its fields.
 * @param example One, for messages about something else.
 * @param required Fields without which other rules cannot look at the object.
 * @returns The shape.
 */
export function record<T>(
  what: string,
  fields: Fields<T>,
  example: string,
  required: readonly (keyof T & string)[] = [],
): Shape {
  const known: Readonly<Record<string, Shape>> = fields;
  return (list, it, path) => {
    if (it === undefined) return true;
    if (!isPlain(it)) return noObject(list, it, path, example);
    let sound = true;
    for (const [name, each] of Object.entries(it)) {
      const at = memberPath(path, name);
      if (Object.hasOwn(known, name)) {
        if (!known[name](list, each, at)) sound = false;
      } else if (each !== undefined) {
        unknownField(list, name, at, what, Object.keys(known));
      }
    }
    for (const name of required) {
      if (it[name] !== undefined) continue;
      list.write(
        "shape",
        memberPath(path, name),
        `${subject(name)} is missing in ${what}: give it, as in ${example}`,
      );
      sound = false;
    }
    return sound;
  };
}

/** Objects of several kinds, told apart by the field `kind`. One of no known kind is left to other rules. */
export function kinds(
  shapes: Readonly<Record<string, Shape>>,
  unknown: (list: ProblemList, path: string) => void,
): Shape {
  return (list, it, path) => {
    const kind = isPlain(it) ? it.kind : undefined;
    if (typeof kind === "string" && Object.hasOwn(shapes, kind)) {
      return shapes[kind](list, it, path);
    }
    unknown(list, path);
    return false;
  };
}

/**
 * Whether a value is an object that has been written down as such, and no instance of a class. The prototype may be
 * that of another realm.
 *
 * @param it Anything.
 * @returns True for plain data.
 */
export function isPlain(it: unknown): it is Readonly<Record<string, unknown>> {
  if (typeof it !== "object" || it === null || Array.isArray(it)) return false;
  const prototype = Object.getPrototypeOf(it);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function unknownField(
  list: ProblemList,
  name: string,
  path: string,
  what: string,
  known: readonly string[],
): void {
  list.configure(
    "unknown-field",
    path,
    `There is no field ${show(name)} in ${what}: ${nameRemedy(name, known)}`,
  );
}

function noObject(
  list: ProblemList,
  it: unknown,
  path: string,
  example: string,
): false {
  list.write(
    "shape",
    path,
    `${subject(path)} is ${show(it)}: give an object, such as ${example}`,
  );
  return false;
}

/** The path of a member, in quotes where a dot would mislead. */
function memberPath(path: string, name: string): string {
  if (!/^[\w$-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

/** What a path leads to, in words. */
function subject(path: string): string {
  const name = path.split(".").at(-1)!;
  if (name === "") return "The definition";
  if (/[[\]]/.test(name)) return "The value";
  const spaced = name.replace(/[A-Z]/g, (it) => ` ${it.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
