/**
 * Names of keys.
 *
 * A name is where a key is, not what is printed on it: `KeyY` is the key right
 * of `KeyT`, and types "z" with a German layout.
 *
 * @module
 */

/**
 * A key, named as `KeyboardEvent.code` of the web names it (W3C, UI Events
 * KeyboardEvent code Values): by its place on a US keyboard, whatever the host
 * makes of it. `KeyZ` is the key left of `KeyX`, AltGr is `AltRight`, and the
 * Windows or Command key is `MetaLeft`.
 *
 * @category Devices
 */
export type KeyCode =
  | `Key${
    | "A"
    | "B"
    | "C"
    | "D"
    | "E"
    | "F"
    | "G"
    | "H"
    | "I"
    | "J"
    | "K"
    | "L"
    | "M"
    | "N"
    | "O"
    | "P"
    | "Q"
    | "R"
    | "S"
    | "T"
    | "U"
    | "V"
    | "W"
    | "X"
    | "Y"
    | "Z"}`
  | `Digit${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 0}`
  | `F${
    | 1
    | 2
    | 3
    | 4
    | 5
    | 6
    | 7
    | 8
    | 9
    | 10
    | 11
    | 12
    | 13
    | 14
    | 15
    | 16
    | 17
    | 18
    | 19
    | 20
    | 21
    | 22
    | 23
    | 24}`
  | `Numpad${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 0}`
  | `Lang${1 | 2 | 3 | 4 | 5}`
  | `Control${"Left" | "Right"}`
  | `Shift${"Left" | "Right"}`
  | `Alt${"Left" | "Right"}`
  | `Meta${"Left" | "Right"}`
  | `Bracket${"Left" | "Right"}`
  | `Arrow${"Up" | "Down" | "Left" | "Right"}`
  | `Page${"Up" | "Down"}`
  | `AudioVolume${"Up" | "Down" | "Mute"}`
  | `Intl${"Backslash" | "Ro" | "Yen"}`
  | `Numpad${
    | "Divide"
    | "Multiply"
    | "Subtract"
    | "Add"
    | "Enter"
    | "Decimal"
    | "Equal"
    | "Comma"
    | "ParenLeft"
    | "ParenRight"
    | "Backspace"
    | "Hash"
    | "MemoryStore"
    | "MemoryRecall"
    | "MemoryClear"
    | "MemoryAdd"
    | "MemorySubtract"
    | "Clear"
    | "ClearEntry"}`
  | "Enter"
  | "Escape"
  | "Backspace"
  | "Tab"
  | "Space"
  | "Minus"
  | "Equal"
  | "Backslash"
  | "Semicolon"
  | "Quote"
  | "Backquote"
  | "Comma"
  | "Period"
  | "Slash"
  | "CapsLock"
  | "PrintScreen"
  | "ScrollLock"
  | "Pause"
  | "Insert"
  | "Home"
  | "Delete"
  | "End"
  | "NumLock"
  | "ContextMenu"
  | "Power"
  | "Open"
  | "Help"
  | "Props"
  | "Select"
  | "Again"
  | "Undo"
  | "Cut"
  | "Copy"
  | "Paste"
  | "Find"
  | "KanaMode"
  | "Convert"
  | "NonConvert"
  | "Abort";
