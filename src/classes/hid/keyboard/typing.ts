/**
 * Which strokes type a text.
 *
 * @module
 */
import { show } from "../../../arguments/show.ts";
import type { Stroke, TypingTable } from "./typing_table.ts";

/**
 * Plans the strokes for a text. What composes in Unicode is composed first
 * (NFC), and each kind of line end is one Enter.
 *
 * @throws {RangeError} For the first character that the layout cannot type.
 */
export function planText(text: string, layout: TypingTable): Stroke[] {
  const planned: Stroke[] = [];
  for (const character of text.replace(/\r\n?/g, "\n").normalize("NFC")) {
    const strokes = layout.strokes.get(character);
    if (strokes === undefined) {
      throw new RangeError(
        `Cannot type ${show(character)} (${codePoint(character)}): layout ${
          show(layout.name)
        } has no key for it`,
      );
    }
    planned.push(...strokes);
  }
  return planned;
}

/** Writes a code point as Unicode does: "U+0142". */
function codePoint(character: string): string {
  const value = character.codePointAt(0) ?? 0;
  return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
