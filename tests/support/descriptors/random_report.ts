/**
 * Random report descriptors that hosts accept, and random values for their
 * reports.
 *
 * @module
 */
import {
  collection,
  feature,
  input,
  logicalRange,
  output,
  padding,
  physicalRange,
  pop,
  push,
  rawItem,
  reportCount,
  type ReportField,
  reportId,
  type ReportItems,
  type ReportLayout,
  reportSize,
  unit,
  unitExponent,
  usage,
  usagePage,
  usageRange,
  usages,
} from "../../../src/classes/hid/report/mod.ts";
import type { Random } from "../data/random.ts";

const MAIN = { input, output, feature };
type Type = keyof typeof MAIN;

/**
 * Returns the items of one to three application collections, with or without
 * report IDs.
 *
 * @param names Whether some fields have names, which are not in the bytes.
 */
export function randomReport(
  random: Random,
  names = false,
): readonly ReportItems[] {
  const usesIds = random.chance();
  const applications = random.int(1, 3);
  return Array.from({ length: applications }, (_, index) => [
    usagePage("generic desktop"),
    random.chance() ? usage(random.pick(["mouse", "gamepad"])) : usage(0x80),
    collection("application", [
      ...(usesIds ? [reportId(3 * index + 1)] : []),
      parts(random, 0, names),
      ...(usesIds && random.chance()
        ? [reportId(random.pick([3 * index + 2, 200])), parts(random, 0, names)]
        : []),
    ]),
  ]);
}

function parts(
  random: Random,
  depth: number,
  names: boolean,
): readonly ReportItems[] {
  return Array.from({ length: random.int(1, 3) }, () => {
    if (depth < 3 && random.chance(0.15)) {
      const inner = collection(
        random.pick(["physical", "logical", "named array", 0x80]),
        parts(random, depth + 1, names),
      );
      return random.chance() ? [usage(0x40), inner] : inner;
    }
    if (depth < 3 && random.chance(0.15)) {
      return [push(), parts(random, depth + 1, names), pop()];
    }
    if (random.chance(0.05)) {
      return rawItem("long", random.int(0, 255), new Uint8Array([1, 2, 3]));
    }
    const type = random.pick<Type>(["input", "output", "feature"]);
    return random.chance(0.2)
      ? padding(random.int(1, 40), type)
      : field(random, type, names);
  });
}

/** One main item, and all that it needs. There is always a number outside of its range. */
function field(
  random: Random,
  type: Type,
  names: boolean,
): readonly ReportItems[] {
  const size = random.pick([1, 1, 2, 3, 8, 8, 12, 16, 31, 32]);
  const isArray = size > 1 && random.chance(0.3);
  const isSigned = size > 1 && !isArray && random.chance();
  const greatest = 2 ** (isSigned ? size - 1 : size) - 1;
  const maximum = size === 1 ? 1 : random.int(1, greatest - 1);
  const minimum = isSigned ? -maximum : random.chance() ? 0 : 1;
  return [
    usagePage(random.pick(["generic desktop", "led", "button", 7, 0xff00])),
    random.chance(0.8) ? randomUsages(random) : [],
    logicalRange(minimum, maximum),
    random.chance(0.2) ? physicalRange(-1000, random.int(0, 70000)) : [],
    random.chance(0.2) ? [unit("centimeter"), unitExponent(-2)] : [],
    random.chance(0.1) ? rawItem("local", 7, 3) : [],
    reportSize(size),
    reportCount(random.pick([1, 1, 2, 3, random.int(4, 40)])),
    MAIN[type]({
      ...(names && random.chance()
        ? { name: `field ${random.int(0, 2 ** 40)}` }
        : {}),
      array: isArray,
      relative: random.chance(0.2),
      wrap: random.chance(0.1),
      nonLinear: random.chance(0.1),
      noPreferred: random.chance(0.1),
      nullState: size > 1 && random.chance(0.2),
      constant: random.chance(0.1),
      bufferedBytes: random.chance(0.1),
    }),
  ];
}

function randomUsages(random: Random): ReportItems {
  const first = random.int(0, 300);
  return random.pick<() => ReportItems>([
    () => usage(first),
    () => usages(first, random.int(0, 300), [0x0c, random.int(1, 70)]),
    () => usageRange(first, first + random.int(0, 40)),
    () => [usage(first), usageRange([8, 1], [8, random.int(1, 20)])],
  ])();
}

/** Returns a value for each field, as `unpack()` returns it. */
export function randomValues(
  random: Random,
  { fields }: ReportLayout,
): Record<string, number | null | number[] | Uint8Array<ArrayBuffer>> {
  return Object.fromEntries(
    fields.map((field) => [field.name, randomValue(random, field)]),
  );
}

function randomValue(random: Random, field: ReportField) {
  const { kind, count, logicalMinimum, logicalMaximum } = field;
  const number = () => random.int(logicalMinimum, logicalMaximum);
  switch (kind) {
    case "number":
      return field.nullState && random.chance() ? null : number();
    case "bytes":
      return Uint8Array.from({ length: count }, number);
    case "numbers":
      return Array.from({ length: count }, number);
    case "usages":
      return randomList(random, field);
  }
}

/** Usages that are on: those of an array in any order. Usage 0 is no control. */
function randomList(random: Random, field: ReportField): number[] {
  const { array, count, logicalMinimum, logicalMaximum, usages } = field;
  const isOnePage = new Set(usages.map(({ page }) => page)).size === 1;
  const all = usages.flatMap(({ page, minimum, maximum }) =>
    Array.from({ length: maximum - minimum + 1 }, (_, index) => {
      const id = minimum + index;
      return { id, value: isOnePage ? id : page * 65536 + id };
    })
  ).slice(0, array ? logicalMaximum - logicalMinimum + 1 : count);
  const known = [
    ...new Set(all.filter(({ id }) => id !== 0).map(({ value }) => value)),
  ];
  if (!array) return known.filter(() => random.chance());
  if (known.length === 0) return [];
  return Array.from(
    { length: random.int(0, count) },
    () => random.pick(known),
  );
}
