/**
 * Random blocks, built descriptor by descriptor. Each part is valid or nearly valid, so that a kernel reads far into
 * them before it refuses them.
 *
 * @module
 */
import {
  block,
  type BlockParts,
  bulk,
  COMPANION,
  compatId,
  compatIds,
  intf,
  property,
  stringsBlock,
} from "./blocks.ts";
import type { Random } from "../data/random.ts";

type Descriptor = readonly number[];

/** The two blocks of a function, valid or invalid. */
export interface Blocks {
  readonly descriptors: Uint8Array<ArrayBuffer>;
  readonly strings: Uint8Array<ArrayBuffer>;
}

/**
 * Returns a descriptors block and a strings block.
 *
 * @param eventfd Returns a file descriptor for the eventfd field.
 */
export function randomBlocks(random: Random, eventfd: () => number): Blocks {
  const list = randomList(random);
  const parts = {
    ...speedLists(random, list),
    ...(random.chance(0.3) ? { os: randomFeatures(random) } : {}),
    ...(random.chance(0.1) ? { eventfd: eventfd() } : {}),
    ...(random.chance(0.04) ? { rest: [random.int(0, 255)] } : {}),
    ...(random.chance(0.03) ? { magic: random.int(0, 4) } : {}),
    flags: randomFlags(random),
  };
  return {
    descriptors: block({
      ...parts,
      ...(random.chance(0.06) ? { counts: wrongCount(random, parts) } : {}),
    }),
    strings: randomStrings(random),
  };
}

function randomList(random: Random): Descriptor[] {
  const list: Descriptor[] = [];
  // One class for all interfaces; otherwise functional descriptors would rarely fit.
  const [code, subclass] = random.pick([
    [0xff, 0],
    [3, random.int(0, 1)],
    [0x0b, 0],
    [0xfe, random.int(0, 2)],
    [2, 2],
  ]);
  const few = random.chance(0.95);
  for (let i = random.int(few ? 1 : 28, few ? 8 : 36); i > 0; i--) {
    const number = random.chance(0.9)
      ? list.filter((it) => it[1] === 4).length
      : random.int(0, 255);
    const address = random.pick([0, 0x80]) | random.int(few ? 0 : 1, 15);
    const kinds: Descriptor[] = [
      intf({
        number,
        alternate: random.int(0, 3),
        class: code,
        subclass,
        string: random.chance(0.3) ? random.int(0, 4) : 0,
      }),
      random.chance(0.8)
        ? bulk(address || 1)
        : [9, 5, address, random.int(0, 15), 64, 0, 1, 0, 0],
      few ? randomOther(random) : bulk(address || 1),
    ];
    list.push(i % 3 === 0 || list.length === 0 ? kinds[0] : random.pick(kinds));
  }
  return list;
}

/** Descriptors other than interfaces and endpoints. Most are accepted in some place. */
function randomOther(random: Random): Descriptor {
  const fill = (length: number, type: number) => [
    length,
    type,
    ...Array.from({ length: Math.max(length - 2, 0) }, () => random.int(0, 3)),
  ];
  return random.chance(0.8)
    ? random.pick([
      COMPANION,
      fill(3, 9),
      fill(8, 0x0b),
      fill(9, 0x21),
      fill(9, 0x21),
      fill(54, 0x21),
    ])
    : fill(
      random.int(0, 12),
      random.pick([1, 2, 3, 4, 5, 6, 9, 0x0b, 0x21, 0x24, 0x25, 0x30, 0x31]),
    );
}

function speedLists(random: Random, list: readonly Descriptor[]): BlockParts {
  const parts: Record<string, readonly Descriptor[]> = {};
  const names = ["full", "high", "super"];
  for (const name of names) {
    if (random.chance(0.6)) parts[name] = variant(random, list);
  }
  if (random.chance(0.95) && Object.keys(parts).length === 0) {
    parts[random.pick(names)] = list;
  }
  return parts;
}

/** Returns the same list, or one that differs slightly. */
function variant(
  random: Random,
  list: readonly Descriptor[],
): readonly Descriptor[] {
  if (random.chance(0.85)) return list;
  const copy = list.map((it) => [...it]);
  const at = random.int(0, copy.length - 1);
  switch (random.int(0, 3)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy.splice(at, 0, [...copy[at]]);
      break;
    case 2:
      copy[at][2] ^= 1 << random.int(0, 7);
      break;
    default:
      return [];
  }
  return copy;
}

function randomFlags(random: Random): number {
  let flags = 0;
  for (const known of [16, 64, 128, 256]) {
    if (random.chance(0.15)) flags |= known;
  }
  return random.chance(0.03) ? flags | 1 << random.int(9, 31) : flags;
}

function randomFeatures(random: Random): Descriptor[] {
  const version = random.chance(0.9)
    ? random.pick([0x0001, 0x0100])
    : random.int(0, 0xffff);
  return Array.from({ length: random.int(0, 3) }, () => {
    if (random.chance()) {
      const entries = Array.from(
        { length: random.int(0, 2) },
        () => compatId(random.int(0, 2), random.chance(0.05) ? 1 : 0),
      );
      return compatIds(entries, {
        version,
        ...(random.chance(0.1) ? { length: random.int(0, 200) } : {}),
        ...(random.chance(0.05) ? { index: random.int(3, 6) } : {}),
        ...(random.chance(0.05)
          ? { count: random.pick([0, 1, 2, 3, 255, 256, 257]) }
          : {}),
      });
    }
    const value = Array<number>(random.int(0, 250)).fill(0x42);
    return property({
      version,
      interface: random.int(0, 2),
      type: random.int(0, 8),
      name: [0x41, 0],
      value,
      ...(random.chance(0.1) ? { size: random.int(0, 600) } : {}),
      ...(random.chance(0.05) ? { nameLength: random.int(0, 300) } : {}),
      ...(random.chance(0.05) ? { valueLength: random.int(0, 300) } : {}),
    });
  });
}

function wrongCount(random: Random, parts: BlockParts): BlockParts["counts"] {
  const name = random.pick(["full", "high", "super", "os"] as const);
  const count = parts[name]?.length ?? 0;
  return { [name]: Math.max(count + random.pick([-1, 1]), 0) };
}

function randomStrings(random: Random): Uint8Array<ArrayBuffer> {
  const strings = random.int(0, 5);
  const languages = Array.from(
    { length: random.int(0, 3) },
    (): [number, ...string[]] => [
      random.pick([0x0409, 0x0407, 0, 0xffff]),
      ...Array.from({ length: strings }, () => random.pick(["", "a", "ä"])),
    ],
  );
  return stringsBlock(languages, {
    ...(random.chance(0.05) ? { magic: random.int(1, 3) } : {}),
    ...(random.chance(0.05) ? { length: random.int(14, 20) } : {}),
    ...(random.chance(0.1) ? { strings: random.int(0, 5) } : {}),
    ...(random.chance(0.1) ? { languages: random.int(0, 3) } : {}),
    ...(random.chance(0.1) ? { rest: [random.pick([0, 0x41])] } : {}),
  });
}
