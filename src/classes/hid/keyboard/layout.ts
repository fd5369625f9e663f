/**
 * What a keyboard layout is.
 *
 * @module
 */
import type { KeyCode } from "./keys.ts";

/**
 * What the keys type with the same modifiers: a string for each row of keys,
 * from the digits down, with a character for each key from left to right.
 *
 * | row | keys |
 * | --- | ---- |
 * | 0 | `Backquote`, `Digit1` to `Digit0`, `Minus`, `Equal`, `IntlYen` |
 * | 1 | `KeyQ` to `KeyP`, `BracketLeft`, `BracketRight` |
 * | 2 | `KeyA` to `KeyL`, `Semicolon`, `Quote`, `Backslash` |
 * | 3 | `IntlBackslash`, `KeyZ` to `KeyM`, `Comma`, `Period`, `Slash`, `IntlRo` |
 * | 4 | `Space` |
 *
 * A space stands for a key that types nothing. A dead key is a dotted circle,
 * U+25CC, and the combining accent: `"◌́"`. Rows may end early.
 *
 * @category Devices
 */
export type KeyboardRows = readonly string[];

/**
 * A keyboard layout: what the host makes of the keys. It has to be that of the
 * host, which the device cannot find out.
 *
 * The space bar, Enter, Tab and Backspace type `" "`, `"\n"`, `"\t"` and
 * `"\b"` in every layout.
 *
 * @example A layout of one's own: that of the US with a dead acute and the euro
 * ```ts
 * import { Keyboard, type KeyboardLayout } from "@usb/gadget/hid";
 *
 * const layout: KeyboardLayout = {
 *   name: "US with accents",
 *   plain: ["`1234567890-=", "qwertyuiop[]", "asdfghjkl;◌́\\", " zxcvbnm,./"],
 *   shift: ["~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', " ZXCVBNM<>?"],
 *   altGr: ["     €", "", "          '"],
 * };
 * const keyboard = new Keyboard({ layout });
 * // await keyboard.type("café: 3 €");
 * ```
 *
 * @category Devices
 */
export interface KeyboardLayout {
  /** Its name, for messages. */
  readonly name: string;
  /** What keys type alone. */
  readonly plain: KeyboardRows;
  /** What keys type with Shift. */
  readonly shift?: KeyboardRows;
  /** What keys type with AltGr, the right Alt key. */
  readonly altGr?: KeyboardRows;
  /** What keys type with Shift and AltGr. */
  readonly shiftAltGr?: KeyboardRows;
  /**
   * What a dead key and the next character type, where it is not as in the
   * compose table of libX11 for en_US.UTF-8, or not in it: `{ "◌́": { " ": "´" }
   * }` for Windows. The dead key itself stands for pressing it twice.
   */
  readonly compositions?: {
    readonly [deadKey: string]: { readonly [character: string]: string };
  };
}

/** The keys of each row. */
export const KEY_ROWS: readonly (readonly KeyCode[])[] = [
  [
    "Backquote",
    "Digit1",
    "Digit2",
    "Digit3",
    "Digit4",
    "Digit5",
    "Digit6",
    "Digit7",
    "Digit8",
    "Digit9",
    "Digit0",
    "Minus",
    "Equal",
    "IntlYen",
  ],
  [
    "KeyQ",
    "KeyW",
    "KeyE",
    "KeyR",
    "KeyT",
    "KeyY",
    "KeyU",
    "KeyI",
    "KeyO",
    "KeyP",
    "BracketLeft",
    "BracketRight",
  ],
  [
    "KeyA",
    "KeyS",
    "KeyD",
    "KeyF",
    "KeyG",
    "KeyH",
    "KeyJ",
    "KeyK",
    "KeyL",
    "Semicolon",
    "Quote",
    "Backslash",
  ],
  [
    "IntlBackslash",
    "KeyZ",
    "KeyX",
    "KeyC",
    "KeyV",
    "KeyB",
    "KeyN",
    "KeyM",
    "Comma",
    "Period",
    "Slash",
    "IntlRo",
  ],
  ["Space"],
];

/** Levels, the one with the fewest modifiers first. */
export const LEVELS = [
  { name: "plain", modifiers: [] },
  { name: "shift", modifiers: ["ShiftLeft"] },
  { name: "altGr", modifiers: ["AltRight"] },
  { name: "shiftAltGr", modifiers: ["ShiftLeft", "AltRight"] },
] as const satisfies readonly {
  name: keyof KeyboardLayout;
  modifiers: readonly KeyCode[];
}[];
