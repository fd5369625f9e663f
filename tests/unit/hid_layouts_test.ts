import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  charactersOf,
  readLayout,
  type Stroke,
  type TypingTable,
} from "../../src/classes/hid/keyboard/typing_table.ts";
import type { KeyCode } from "../../src/classes/hid/keyboard/keys.ts";
import {
  KEY_ROWS,
  type KeyboardLayout,
  LEVELS,
} from "../../src/classes/hid/keyboard/layout.ts";
import {
  type KeyboardLayoutName,
  LAYOUTS,
} from "../../src/classes/hid/keyboard/layouts.ts";
// xkeyboard-config 2.35.1 and libX11 1.8.4, as libxkbcommon 1.5.0 reads them: the
// symbol of each key and level with rules evdev and model pc105 (ja-JP: jp106),
// modifiers pressed as keys; and the compose table of en_US.UTF-8, the entries
// of one dead key and one other key.
import truth from "../support/data/xkb_layouts.json" with { type: "json" };

type Levels = Partial<Record<KeyCode, readonly string[]>>;

const layouts: Readonly<Record<KeyboardLayoutName, Levels>> = truth.layouts;
const compose: Readonly<Record<string, Readonly<Record<string, string>>>> =
  truth.compose;
const names = Object.keys(LAYOUTS) as KeyboardLayoutName[];

const ACCENTS: Readonly<Record<string, string>> = {
  dead_grave: "\u0300",
  dead_acute: "\u0301",
  dead_circumflex: "\u0302",
  dead_tilde: "\u0303",
  dead_macron: "\u0304",
  dead_breve: "\u0306",
  dead_abovedot: "\u0307",
  dead_diaeresis: "\u0308",
  dead_hook: "\u0309",
  dead_abovering: "\u030a",
  dead_doubleacute: "\u030b",
  dead_caron: "\u030c",
  dead_horn: "\u031b",
  dead_belowdot: "\u0323",
  dead_cedilla: "\u0327",
  dead_ogonek: "\u0328",
  dead_belowmacron: "\u0331",
};

/** A symbol of the table of truth in the form of layouts. */
function asInLayouts(symbol: string): string {
  return symbol.startsWith("dead_") ? `◌${ACCENTS[symbol]}` : symbol;
}

/** What each key types on each level, in the form of the table of truth. */
function levelsOf(layout: KeyboardLayout): Map<KeyCode, string[]> {
  const found = new Map<KeyCode, string[]>([["Space", [" ", "", "", ""]]]);
  for (const [level, { name }] of LEVELS.entries()) {
    for (const [row, text] of (layout[name] ?? []).entries()) {
      for (const [at, character] of charactersOf(text).entries()) {
        const key = KEY_ROWS[row][at];
        const levels = found.get(key) ?? ["", "", "", ""];
        if (character !== " ") levels[level] = character;
        found.set(key, levels);
      }
    }
  }
  return found;
}

/** What a host that has a layout makes of strokes. */
function typed(layout: KeyboardLayoutName, strokes: readonly Stroke[]): string {
  let text = "";
  let dead = "";
  for (const { keys } of strokes) {
    const key = keys[keys.length - 1];
    const level = (keys.includes("ShiftLeft") ? 1 : 0) +
      (keys.includes("AltRight") ? 2 : 0);
    const symbol = layouts[layout][key]?.[level] ?? "";
    assert(symbol !== "", `${layout}: ${keys} types nothing`);
    if (dead !== "") {
      text += compose[dead]?.[symbol] ?? "?";
      dead = "";
    } else if (symbol.startsWith("dead_")) dead = symbol;
    else text += symbol;
  }
  return text + dead;
}

function keysFor(table: TypingTable, character: string): KeyCode[][] {
  const strokes = table.strokes.get(character);
  assert(strokes !== undefined, `${table.name} types no ${character}`);
  return strokes.map(({ keys }) => [...keys]);
}

for (const name of names) {
  Deno.test(`${name}: no key types anything else on Linux`, () => {
    const differences = [...levelsOf(LAYOUTS[name])].flatMap(
      ([key, levels]) =>
        levels.map((symbol, level) => {
          const real = asInLayouts(layouts[name][key]?.[level] ?? "");
          return symbol === "" || symbol === real
            ? ""
            : `${key}, level ${level}: "${symbol}" is really "${real}"`;
        }),
    );
    assertEquals(differences.filter((it) => it !== ""), []);
  });

  Deno.test(`${name}: what is left out is on another key`, () => {
    const ours = levelsOf(LAYOUTS[name]);
    const all = new Set([...ours.values()].flat());
    for (const [key, levels] of Object.entries(layouts[name])) {
      for (const [level, symbol] of levels.entries()) {
        if (key === "Space" && symbol === " ") continue;
        const wanted = asInLayouts(symbol);
        assert(all.has(wanted), `${key}, level ${level}: "${wanted}"`);
        if (wanted === ours.get(key as KeyCode)?.[level]) continue;
        assert(LEFT_OUT[name]?.includes(`${key} ${level}`), `${key} ${level}`);
      }
    }
  });

  Deno.test(`${name}: the strokes of each character type it on Linux`, () => {
    const { strokes } = readLayout(name);
    for (const [character, planned] of strokes) {
      if ("\n\t\b".includes(character)) continue;
      assertEquals(typed(name, planned), character);
    }
  });

  Deno.test(`${name}: each character is one by itself, and its own composed form`, () => {
    for (const character of readLayout(name).strokes.keys()) {
      assertEquals([...character].length, 1);
      assertEquals(character.normalize("NFC"), character);
      // Together with a letter before it, it would be another character.
      assert(!/\p{M}/u.test(character), character);
    }
  });

  Deno.test(`${name}: types all of ASCII`, () => {
    const { strokes } = readLayout(name);
    for (let code = 0x20; code < 0x7f; code++) {
      const character = String.fromCharCode(code);
      assert(strokes.has(character), `no ${character}`);
    }
  });

  Deno.test(`${name}: a character with a key of its own takes one stroke`, () => {
    const { strokes } = readLayout(name);
    for (const symbol of Object.values(layouts[name]).flat()) {
      if (symbol === "" || symbol.startsWith("dead_")) continue;
      assertEquals(strokes.get(symbol)?.length, 1, symbol);
    }
  });
}

/** Keys and levels that type on Linux what other systems have on another key only. */
const LEFT_OUT: Partial<Record<KeyboardLayoutName, string[]>> = {
  "en-US": ["IntlBackslash 0", "IntlBackslash 1"],
  "es-ES": ["Digit7 2", "Digit8 2", "Digit9 2", "Digit0 2"],
  "it-IT": ["Digit7 2", "Digit8 2", "Digit9 2", "Digit0 2", "KeyQ 2"],
  "de-CH": ["Backquote 2", "Digit1 2", "Digit9 2", "Digit0 2"],
  "ja-JP": ["IntlBackslash 0", "IntlBackslash 1", "Digit0 1"],
};

Deno.test("the compositions of the dead keys of all layouts are at least the composed Latin letters", () => {
  for (const [dead, entries] of Object.entries(compose)) {
    const accent = ACCENTS[dead];
    const layout: KeyboardLayout = {
      name: "all letters",
      plain: [],
      compositions: {},
    };
    for (const [base, result] of Object.entries(entries)) {
      const isLatin = /^\p{Script=Latin}$/u.test(base);
      if (!isLatin || (base + accent).normalize("NFC") !== result) continue;
      if ([...result].length !== 1) continue;
      const { strokes } = readLayout({
        ...layout,
        plain: [`◌${accent}${base}`],
      });
      assertEquals(
        strokes.get(result),
        [{ keys: ["Backquote"] }, { keys: ["Digit1"] }],
        `${dead} ${base}`,
      );
    }
  }
});

Deno.test("AltGr reaches the third level", () => {
  assertEquals(keysFor(readLayout("de-DE"), "@"), [["AltRight", "KeyQ"]]);
  assertEquals(keysFor(readLayout("de-DE"), "€"), [["AltRight", "KeyE"]]);
  assertEquals(keysFor(readLayout("de-DE"), "{"), [["AltRight", "Digit7"]]);
  assertEquals(keysFor(readLayout("en-GB"), "€"), [["AltRight", "Digit4"]]);
  assertEquals(keysFor(readLayout("es-ES"), "{"), [["AltRight", "Quote"]]);
  assertEquals(keysFor(readLayout("it-IT"), "@"), [["AltRight", "Semicolon"]]);
  assertEquals(keysFor(readLayout("it-IT"), "{"), [
    ["ShiftLeft", "AltRight", "BracketLeft"],
  ]);
  assertEquals(keysFor(readLayout("fr-FR"), "@"), [["AltRight", "Digit0"]]);
  assertEquals(keysFor(readLayout("de-CH"), "|"), [["AltRight", "Digit7"]]);
});

Deno.test("letters are where the layout has them", () => {
  assertEquals(keysFor(readLayout("de-DE"), "z"), [["KeyY"]]);
  assertEquals(keysFor(readLayout("fr-FR"), "A"), [["ShiftLeft", "KeyQ"]]);
  assertEquals(keysFor(readLayout("fr-FR"), "1"), [["ShiftLeft", "Digit1"]]);
  assertEquals(keysFor(readLayout("ja-JP"), "_"), [["ShiftLeft", "IntlRo"]]);
  assertEquals(keysFor(readLayout("ja-JP"), "~"), [["ShiftLeft", "Equal"]]);
});

Deno.test("dead keys type accented letters, and accents by themselves", () => {
  const german = readLayout("de-DE");
  assertEquals(keysFor(german, "é"), [["Equal"], ["KeyE"]]);
  assertEquals(keysFor(german, "È"), [["ShiftLeft", "Equal"], [
    "ShiftLeft",
    "KeyE",
  ]]);
  assertEquals(keysFor(german, "^"), [["Backquote"], ["Space"]]);
  assertEquals(keysFor(german, "`"), [["ShiftLeft", "Equal"], ["Space"]]);
  assertEquals(keysFor(german, "´"), [["Equal"], ["Equal"]]);
  const spanish = readLayout("es-ES");
  assertEquals(keysFor(spanish, "ü"), [["ShiftLeft", "Quote"], ["KeyU"]]);
  assertEquals(keysFor(spanish, "ñ"), [["Semicolon"]]);
  assertEquals(keysFor(readLayout("fr-FR"), "ê"), [["BracketLeft"], ["KeyE"]]);
});

Deno.test("a key of its own wins over a dead key, and fewer keys win", () => {
  // Also dead_grave and "e"
  assertEquals(keysFor(readLayout("fr-FR"), "è"), [["Digit7"]]);
  // Also dead_circumflex and the space bar
  assertEquals(keysFor(readLayout("it-IT"), "^"), [["ShiftLeft", "Equal"]]);
  // Also dead_diaeresis and "a"
  assertEquals(keysFor(readLayout("sv-SE"), "ä"), [["Quote"]]);
  // The dead circumflex is also on AltGr
  assertEquals(keysFor(readLayout("de-DE"), "â"), [["Backquote"], ["KeyA"]]);
});

Deno.test("a layout of one's own has its rows, dead keys and compositions", () => {
  const table = readLayout({
    name: "mine",
    plain: ["◌́◌̂", "ae", "", "", "_"],
    shift: ["", " 😀"],
    altGr: ["", "", "", "x"],
    compositions: {
      "◌́": { " ": "´", a: "@" },
      "◌̂": { "◌́": "¡" },
    },
  });
  assertEquals(keysFor(table, "a"), [["KeyQ"]]);
  assertEquals(keysFor(table, "😀"), [["ShiftLeft", "KeyW"]]);
  assertEquals(keysFor(table, "x"), [["AltRight", "IntlBackslash"]]);
  assertEquals(keysFor(table, "_"), [["Space"]]);
  assertEquals(keysFor(table, " "), [["Space"]]);
  assertEquals(keysFor(table, "é"), [["Backquote"], ["KeyW"]]);
  assertEquals(keysFor(table, "@"), [["Backquote"], ["KeyQ"]]);
  assertEquals(keysFor(table, "´"), [["Backquote"], ["Space"]]);
  assertEquals(keysFor(table, "¡"), [["Digit1"], ["Backquote"]]);
  assertEquals(keysFor(table, "\n"), [["Enter"]]);
  assertEquals(keysFor(table, "\t"), [["Tab"]]);
  assertEquals(keysFor(table, "\b"), [["Backspace"]]);
  assertEquals(table.strokes.get("á"), undefined);
  assertEquals(table.strokes.get("◌́"), undefined);
});

Deno.test("a layout that does not exist, or is not one, is an error", () => {
  assertThrows(
    () => readLayout("de" as "de-DE"),
    TypeError,
    'Cannot use layout "de": there is no such layout: ',
  );
  assertThrows(
    () => readLayout(5 as unknown as "de-DE"),
    TypeError,
    "Cannot use layout: it must be a name or a KeyboardLayout, is 5",
  );
  assertThrows(
    () => readLayout({ name: "mine" } as KeyboardLayout),
    TypeError,
    'Cannot use layout "mine": "plain" must be an array, is undefined',
  );
  assertThrows(
    () => readLayout({ plain: [] } as unknown as KeyboardLayout),
    TypeError,
    'Cannot use layout: "name" must be a string, is undefined',
  );
  const odd = { name: "mine", plain: [], altgr: [] };
  assertThrows(() => readLayout(odd), TypeError, 'did you mean "altGr"?');
  assertThrows(
    () => readLayout({ name: "mine", plain: ["", 5 as unknown as string] }),
    TypeError,
    'Cannot use layout "mine": row 1 of "plain" must be a string, is 5',
  );
  assertThrows(
    () => readLayout({ name: "mine", plain: [], shift: ["", "QWERTYUIOP{}|"] }),
    RangeError,
    'Cannot use layout "mine": row 1 of "shift" must have at most 12 keys, has 13',
  );
  assertThrows(
    () => readLayout({ name: "mine", plain: ["", "", "", "", "", ""] }),
    RangeError,
    'Cannot use layout "mine": "plain" must have at most 5 rows, has 6',
  );
  const compositions = { "◌́": { e: 5 as unknown as string } };
  assertThrows(
    () => readLayout({ name: "mine", plain: ["◌́e"], compositions }),
    TypeError,
    "must be a string, is 5",
  );
});
