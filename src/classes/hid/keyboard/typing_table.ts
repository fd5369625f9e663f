/**
 * How a layout types each character.
 *
 * @module
 */
import { nameRemedy } from "../../../arguments/known_names.ts";
import {
  checkArgument,
  checkOptions,
  isPlain,
  LIST,
  OBJECT,
  type Rules,
  TEXT,
} from "../../../arguments/rules.ts";
import { show } from "../../../arguments/show.ts";
import { compositionsOf, DEAD } from "./dead_keys.ts";
import type { KeyCode } from "./keys.ts";
import { KEY_ROWS, type KeyboardLayout, LEVELS } from "./layout.ts";
import { type KeyboardLayoutName, LAYOUTS } from "./layouts.ts";

/** Keys that are down at the same time: modifiers, and last the key. */
export interface Stroke {
  readonly keys: readonly KeyCode[];
}

/** How a layout types each character. */
export interface TypingTable {
  /** The name of the layout. */
  readonly name: string;
  /** The strokes that type a character. */
  readonly strokes: ReadonlyMap<string, readonly Stroke[]>;
}

/** What all layouts have in common. */
const COMMON: readonly (readonly [string, KeyCode])[] = [
  [" ", "Space"],
  ["\n", "Enter"],
  ["\t", "Tab"],
  ["\b", "Backspace"],
];

const RULES: Rules<KeyboardLayout> = {
  name: TEXT,
  plain: LIST,
  shift: LIST,
  altGr: LIST,
  shiftAltGr: LIST,
  compositions: OBJECT,
};

/**
 * Reads a layout: for each character, the fewest strokes that type it, and of
 * those the ones with the fewest keys.
 *
 * @throws {TypeError} If there is no such layout, or it is not a layout.
 * @throws {RangeError} If a row has too many characters, or a level too many rows.
 */
export function readLayout(
  given: KeyboardLayoutName | KeyboardLayout,
): TypingTable {
  const layout = typeof given === "string" ? namedLayout(given) : given;
  checkArgument("use layout", "it", layout, {
    expected: "a name or a KeyboardLayout",
    accepts: isPlain,
  });
  const { name } = layout;
  const action = typeof name === "string"
    ? `use layout ${show(name)}`
    : "use layout";
  checkOptions(action, layout, RULES, ["name", "plain"]);
  const single = singleStrokes(action, layout);
  const strokes = new Map<string, readonly Stroke[]>();
  for (const [character, stroke] of single) {
    if (!isDead(character)) strokes.set(character, [stroke]);
  }
  const pairs = new Map<string, readonly Stroke[]>();
  for (const [dead, stroke] of single) {
    if (!isDead(dead)) continue;
    const own = ownCompositions(action, layout, dead);
    for (const [base, result] of new Map([...compositionsOf(dead), ...own])) {
      const next = single.get(base);
      if (next === undefined || strokes.has(result)) continue;
      const pair = [stroke, next];
      const known = pairs.get(result);
      if (known === undefined || keysOf(pair) < keysOf(known)) {
        pairs.set(result, pair);
      }
    }
  }
  return { name, strokes: new Map([...strokes, ...pairs]) };
}

/** Splits a row into what each key types: characters and dead keys. */
export function charactersOf(row: string): string[] {
  return row.match(/\u25cc\p{M}|[^]/gu) ?? [];
}

function namedLayout(name: string): KeyboardLayout {
  if (Object.hasOwn(LAYOUTS, name)) return LAYOUTS[name as KeyboardLayoutName];
  throw new TypeError(
    `Cannot use layout ${show(name)}: there is no such layout: ${
      nameRemedy(name, Object.keys(LAYOUTS))
    }`,
  );
}

/** The stroke for each character and dead key that has a key of its own. */
function singleStrokes(
  action: string,
  layout: KeyboardLayout,
): Map<string, Stroke> {
  const found = new Map<string, Stroke>();
  const add = (character: string, keys: readonly KeyCode[]) => {
    if (!found.has(character)) found.set(character, { keys });
  };
  for (const { name, modifiers } of LEVELS) {
    const rows = layout[name] ?? [];
    checkCount(action, `"${name}"`, rows.length, "rows", KEY_ROWS.length);
    for (const [index, row] of rows.entries()) {
      const what = `row ${index} of "${name}"`;
      checkArgument(action, what, row, TEXT);
      const characters = charactersOf(row);
      const keys = KEY_ROWS[index];
      checkCount(action, what, characters.length, "keys", keys.length);
      for (const [at, character] of characters.entries()) {
        if (character === " ") continue;
        // Text is compared in its composed form.
        const typed = isDead(character)
          ? character
          : character.normalize("NFC");
        add(typed, [...modifiers, keys[at]]);
      }
    }
  }
  for (const [character, key] of COMMON) add(character, [key]);
  return found;
}

function ownCompositions(
  action: string,
  { compositions = {} }: KeyboardLayout,
  dead: string,
): [string, string][] {
  if (!Object.hasOwn(compositions, dead)) return [];
  const what = `"compositions" of ${show(dead)}`;
  const own = compositions[dead];
  checkArgument(action, what, own, OBJECT);
  return Object.entries(own).map(([base, result]) => {
    checkArgument(action, `${what} with ${show(base)}`, result, TEXT);
    return [base, result.normalize("NFC")];
  });
}

function isDead(character: string): boolean {
  return character.length > DEAD.length && character.startsWith(DEAD);
}

function keysOf(strokes: readonly Stroke[]): number {
  return strokes.reduce((sum, { keys }) => sum + keys.length, 0);
}

function checkCount(
  action: string,
  what: string,
  count: number,
  unit: string,
  max: number,
): void {
  if (count <= max) return;
  throw new RangeError(
    `Cannot ${action}: ${what} must have at most ${max} ${unit}, has ${count}`,
  );
}
