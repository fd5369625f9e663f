/**
 * The names that files have on the volume: those of the source, changed where FAT
 * or Windows cannot have them.
 *
 * @module
 */

/** The most UTF-16 code units of a long name (FAT specification, section 7). */
const MAX_UNITS = 255;

/**
 * Control characters, and what a path gives a meaning to. U+FFFF fills the
 * entries of a long name behind its end.
 */
// deno-lint-ignore no-control-regex -- they are what it looks for
const ILLEGAL = /[\u0000-\u001f"*/:<>?\\|\uffff]/g;

/** Windows removes dots and spaces from the end of a name, and then finds no such file. */
const IGNORED_END = /[. ]+$/;

/** Windows opens a device in place of a file with such a name, whatever its extension. */
const DEVICE =
  /^(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$)(?= *(?:\.|$))/i;

/**
 * The names in one directory. No two of them are equal for a host that ignores
 * case.
 */
export class LongNames {
  /** How many names of the source have become each name, so that thousands take no longer. */
  readonly #taken = new Map<string, number>();

  /**
   * Takes a name as it is, if FAT can have it and it is free. All names of the
   * directory are offered to this before any is changed.
   */
  keep(name: string): string | undefined {
    const key = foldCase(name);
    if (legalName(name) !== name || this.#taken.has(key)) return undefined;
    this.#taken.set(key, 1);
    return name;
  }

  /** Returns another name for one that could not be kept: `name`, `name (2)`, `name (3)`. */
  change(original: string): string {
    const name = legalName(original);
    const key = foldCase(name);
    for (let count = (this.#taken.get(key) ?? 0) + 1;; count++) {
      const unique = count === 1 ? name : numbered(name, ` (${count})`);
      const uniqueKey = foldCase(unique);
      if (this.#taken.has(uniqueKey)) continue;
      this.#taken.set(uniqueKey, 1);
      this.#taken.set(key, count);
      return unique;
    }
  }
}

/** Replaces each character that cannot be in a name by an underscore. */
function legalName(name: string): string {
  const legal = name.toWellFormed().replace(ILLEGAL, "_")
    .replace(DEVICE, "$1_");
  const short = legal.length <= MAX_UNITS ? legal : numbered(legal, "");
  return short.replace(IGNORED_END, (it) => "_".repeat(it.length));
}

/** Inserts a text before the extension, and shortens what is before it if need be. */
function numbered(name: string, text: string): string {
  const dot = name.lastIndexOf(".");
  const hasExtension = dot > 0 && name.length - dot < MAX_UNITS / 2;
  const extension = hasExtension ? name.slice(dot) : "";
  const room = MAX_UNITS - extension.length - text.length;
  const stem = (hasExtension ? name.slice(0, dot) : name).slice(0, room);
  // A surrogate without its other half cannot be in a name.
  const whole = stem.replace(/[\ud800-\udbff]$/, "");
  return whole + text + extension;
}

/**
 * Names that are equal for some host have the same result. Hosts differ in the
 * characters whose case they ignore; this ignores that of all characters, and
 * whether accents are characters of their own, as macOS does.
 */
function foldCase(name: string): string {
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (/^[\u0000-\u007f]*$/.test(name)) return name.toUpperCase();
  let folded = "";
  for (const character of name.normalize("NFC")) {
    const upper = character.toLowerCase().toUpperCase();
    // No host takes "ß" for "SS".
    folded += upper.length === character.length ? upper : character;
  }
  return folded;
}
