/**
 * Puts invalid values into random places of a definition.
 *
 * @module
 */
import type { Random } from "../data/random.ts";

/** Returns a random value, usually invalid in any place. */
export function invalidValue(random: Random): unknown {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return random.pick<unknown>([
    null,
    undefined,
    true,
    false,
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    1e308,
    10n,
    "",
    "x",
    "\0",
    "\ud800",
    "in",
    [],
    [null],
    [[]],
    new Array(3),
    {},
    { "": 1 },
    { length: 2 },
    JSON.parse('{"__proto__":{"kind":"in"}}'),
    Object.create(null),
    { kind: "in" },
    { kind: "pair", transferType: "bulk", in: null },
    { kind: "raw" },
    { kind: "property" },
    cycle,
    Symbol("x"),
    () => 1,
    new Date(0),
    new Map([["a", 1]]),
    new Uint8Array(3),
    new ArrayBuffer(3),
    /x/,
  ]);
}

/** Replaces a value in a random place of plain data with an invalid one, or adds a field. */
export function spoil(random: Random, data: unknown): unknown {
  if (random.chance(0.15)) return invalidValue(random);
  if (Array.isArray(data) && data.length > 0) {
    const copy = [...data];
    const index = random.int(0, data.length - 1);
    copy[index] = spoil(random, data[index]);
    return copy;
  }
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    return invalidValue(random);
  }
  const names = Object.keys(data);
  if (names.length === 0) return invalidValue(random);
  const name = random.pick(names);
  return {
    ...data,
    [name]: spoil(random, (data as Record<string, unknown>)[name]),
  };
}
