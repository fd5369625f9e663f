/**
 * Shapes of plain data. All other rules rely on them.
 *
 * @module
 */

import { nameRemedy } from "../arguments/known_names.ts";
import {
  CALLBACK,
  FLAG,
  isPlain,
  LIST,
  NUMBER,
  type Rule,
  TEXT,
} from "../arguments/rules.ts";
import { show } from "../arguments/show.ts";
import type { ProblemList } from "./problem.ts";

/**
 * Checks the shape of the value at a path. Returns false if other rules cannot
 * judge the value. An unknown field is a problem, but does not hinder them.
 */
export type Shape = (
  list: ProblemList,
  value: unknown,
  path: string,
) => boolean;

/** The shapes of all fields of a type. The compiler finds one that is missing, and one too many. */
export type Fields<T> = { readonly [K in keyof Required<T>]: Shape };

/** Any value: other rules judge it. */
export const anything: Shape = () => true;

/** A value that follows a rule, or `undefined`. */
export function value({ expected, accepts }: Rule): Shape {
  return (list, it, path) =>
    it === undefined || accepts(it) || refuse(list, it, path, expected);
}

export const number = value(NUMBER);
export const boolean = value(FLAG);
export const text = value(TEXT);
export const handler = value(CALLBACK);

/** An array of elements of one shape. */
export function list(element: Shape, example: string): Shape {
  const array = value({ ...LIST, expected: `an array, such as ${example}` });
  return (list, it, path) => {
    if (!Array.isArray(it)) return array(list, it, path);
    const members = Array.from(it, (each, index): [string, unknown] => [
      `${path}[${index}]`,
      each,
    ]);
    return allSound(list, members, element);
  };
}

/** An object with values of one shape, under any names. */
export function map(element: Shape, example: string): Shape {
  const object = plainObject(example);
  return (list, it, path) => {
    if (!isPlain(it)) return object(list, it, path);
    const members = Object.entries(it).map(([name, each]): [
      string,
      unknown,
    ] => [memberPath(path, name), each]);
    return allSound(list, members, element);
  };
}

function allSound(
  list: ProblemList,
  members: readonly (readonly [path: string, value: unknown])[],
  element: Shape,
): boolean {
  let sound = true;
  for (const [path, each] of members) {
    if (each === undefined) {
      list.writeFails(
        "shape",
        path,
        `${subject(path)} is undefined: remove it`,
      );
      sound = false;
    } else if (!element(list, each, path)) {
      sound = false;
    }
  }
  return sound;
}

/**
 * An object with certain fields.
 *
 * @param what What it is, such as `an interface`.
 * @param example An example, for messages.
 * @param required Fields without which other rules cannot judge the object.
 */
export function record<T>(
  what: string,
  fields: Fields<T>,
  example: string,
  required: readonly (keyof T & string)[] = [],
): Shape {
  const known: Readonly<Record<string, Shape>> = fields;
  const object = plainObject(example);
  return (list, it, path) => {
    if (!isPlain(it)) return object(list, it, path);
    let sound = true;
    for (const [name, each] of Object.entries(it)) {
      const at = memberPath(path, name);
      if (Object.hasOwn(known, name)) {
        if (!known[name](list, each, at)) sound = false;
      } else if (each !== undefined) {
        list.configureFails(
          "unknown-field",
          at,
          `There is no field ${show(name)} in ${what}: ${
            nameRemedy(name, Object.keys(known))
          }`,
        );
      }
    }
    for (const name of required) {
      if (it[name] !== undefined) continue;
      list.writeFails(
        "shape",
        memberPath(path, name),
        `${subject(name)} is missing in ${what}: give it, as in ${example}`,
      );
      sound = false;
    }
    return sound;
  };
}

/** Objects of several kinds, distinguished by the field `kind`. `unknown` refuses all others. */
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

function plainObject(example: string): Shape {
  return value({ expected: `an object, such as ${example}`, accepts: isPlain });
}

function refuse(
  list: ProblemList,
  it: unknown,
  path: string,
  expected: string,
): false {
  const message = `${subject(path)} is ${show(it)}: give ${expected}`;
  list.writeFails("shape", path, message);
  return false;
}

/** The path of a member, in quotes where a dot would mislead. */
function memberPath(path: string, name: string): string {
  if (!/^[\w$-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

/** What is at a path, in words. */
function subject(path: string): string {
  const name = path.split(".").at(-1)!;
  if (name === "") return "The definition";
  return /^\w+$/.test(name) ? inWords(name) : "The value";
}

/** The name of a field in words: `maxPacketSize` is "Max packet size". */
export function inWords(name: string): string {
  const spaced = name.replace(/[A-Z]/g, (it) => ` ${it.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
